/// What a server accepts of one client, and of all together.
public struct ServerLimits: Sendable, Equatable {
  /// The most bytes of a request's body; more is answered with 413.
  public var bodyBytes = 8 << 20
  /// The most bytes of a request's header; more is answered with 431.
  public var headerBytes = 32 << 10
  /// The most tokens of a prompt; nil for what the model's context holds.
  public var promptTokens: Int?
  /// The most texts that one request may ask for.
  public var texts = 64
  /// The most texts that wait for a place in the batch; a request beyond is answered with 429.
  public var queuedTexts = 256
  /// The most connections at a time; others wait to be accepted.
  public var connections = 512
  /// Seconds in which a request's body has to arrive; later is answered with 408.
  public var bodySeconds = 30
  /// Seconds after which a connection is closed on which nothing is asked, or whose client reads
  /// none of its answer.
  public var idleSeconds = 60

  /// The limits above.
  public init() {}
}

/// Where a server listens, and to whom.
public struct ServerConfiguration: Sendable {
  /// The address to listen on.
  public var host = "127.0.0.1"
  /// The port; 0 for any that is free.
  public var port = 8080
  /// The key that requests have to carry; nil for none.
  public var apiKey: String?
  /// Other origins whose pages may use the server, such as `https://example.org`.
  public var origins: [String] = []
  /// What is accepted.
  public var limits = ServerLimits()
  /// The program and its version, as `system_fingerprint` says it.
  public var version = "bitbudget"

  /// A server that only this machine reaches.
  public init() {}

  /// Whether only this machine can reach the server.
  public var isLocal: Bool { Self.localNames.contains(host) }

  /// The names by which a machine calls itself.
  static let localNames: Set<String> = ["127.0.0.1", "localhost", "::1", "[::1]"]
}
