import ArgumentParser

/// An option that makes a command do something else than its usual work, such as `--inspect`.
public struct OtherWork: Sendable {
  /// Its long name.
  let option: String
  /// What it does, after "only".
  let work: String
  /// Long names of the options that have an effect beside it.
  let companions: Set<String>

  /// An option, what it does and which others it looks at.
  public init(_ option: String, _ work: String, with companions: Set<String>) {
    (self.option, self.work, self.companions) = (option, work, companions)
  }

  /// Warns of options that the user gave and that have no effect beside this one.
  ///
  /// - Parameter given: for each option that was given, its long names.
  func warn(ofOthersIn given: [[String]]) {
    guard given.contains(where: { $0.contains(option) }) else { return }
    let idle = given.filter { names in
      !names.contains(option) && companions.isDisjoint(with: names)
    }
    guard !idle.isEmpty else { return }
    let names = idle.compactMap(\.first).map { "--\($0)" }.joined(separator: ", ")
    Console.note("warning: --\(option) only \(work): \(names) had no effect")
  }
}

/// A command with options that make it do something else than its usual work.
public protocol CommandOfOtherWork: ParsableCommand {
  /// These options.
  static var otherWork: [OtherWork] { get }
}
