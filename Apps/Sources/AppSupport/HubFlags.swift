import ArgumentParser

/// Whether a command may fetch what is not on this machine; the same in every command that takes a
/// model.
public struct HubFlags: ParsableArguments {
  /// Fetch without asking.
  @Flag(help: "Fetch what is not on this machine from the hub, without a question.")
  public var pull = false

  /// Send no requests.
  @Flag(help: "Send no requests and ask no questions (also HF_HUB_OFFLINE=1).")
  public var offline = false

  /// For ArgumentParser.
  public init() {}

  /// Checks that the flags agree.
  public func validate() throws {
    if pull && offline { throw ValidationError("--pull and --offline exclude each other") }
  }

  /// What the flags allow.
  public var use: HubUse { offline ? .never : pull ? .always : .asked }
}

/// When something may be fetched from the hub.
public enum HubUse: Sendable {
  /// Never, and nobody is asked.
  case never
  /// Where it is absent and somebody at a terminal says yes.
  case asked
  /// Where it is absent.
  case always
}
