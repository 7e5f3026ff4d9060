import ArgumentParser

/// An option that leaves others of its command without effect: one that makes the command do
/// something else, such as `--inspect`, or that settles what others are about.
public struct OtherWork: Sendable {
  /// Which options have no effect beside it, by their long names.
  private enum Idle {
    case allBut(Set<String>)
    case these(Set<String>)
  }

  /// Its long name.
  let option: String
  /// What it does.
  private let work: String
  private let idle: Idle

  /// An option that only does something else, and the options that it looks at.
  public init(_ option: String, _ work: String, with companions: Set<String>) {
    (self.option, self.work, idle) = (option, "only \(work)", .allBut(companions))
  }

  /// An option, what it does and which others that leaves without effect.
  public init(_ option: String, _ work: String, without others: Set<String>) {
    (self.option, self.work, idle) = (option, work, .these(others))
  }

  /// What to say of options that the user gave and that have no effect beside this one.
  ///
  /// - Parameter given: for each option that was given, its long names.
  /// - Returns: nil where there are none.
  func warning(ofOthersIn given: [[String]]) -> String? {
    guard given.contains(where: { $0.contains(option) }) else { return nil }
    let others = given.filter { names in
      switch idle {
      case .allBut(let companions):
        !names.contains(option) && companions.isDisjoint(with: names)
      case .these(let others): !others.isDisjoint(with: names)
      }
    }
    guard !others.isEmpty else { return nil }
    let names = others.compactMap(\.first).map { "--\($0)" }.joined(separator: ", ")
    return "--\(option) \(work): \(names) had no effect"
  }
}

/// An option that has no effect without another one.
public struct DependentOption: Sendable {
  /// Its long name.
  let option: String
  /// Long names of those of which one has to be there.
  let needs: [String]

  /// An option and those of which it needs one, the usual one first.
  public init(_ option: String, needs: [String]) {
    (self.option, self.needs) = (option, needs)
  }

  /// What to say where the user gave it alone; nil where that is not so.
  func warning(for given: [[String]]) -> String? {
    let names = Set(given.flatMap(\.self))
    guard names.contains(option), names.isDisjoint(with: needs) else { return nil }
    return "--\(option) had no effect without --\(needs.first ?? "")"
  }
}

/// A command some of whose options have no effect beside others, or without them.
public protocol CommandOfOtherWork: ParsableCommand {
  /// Options that leave others without effect.
  static var otherWork: [OtherWork] { get }
  /// Options that need others.
  static var dependentOptions: [DependentOption] { get }
}

extension CommandOfOtherWork {
  /// None, unless a command says so.
  public static var dependentOptions: [DependentOption] { [] }

  /// Warns of what the user gave that has no effect.
  ///
  /// - Parameter given: for each option that was given, its long names.
  static func warn(ofIdleOptionsIn given: [[String]]) {
    let warnings =
      otherWork.compactMap { $0.warning(ofOthersIn: given) }
      + dependentOptions.compactMap { $0.warning(for: given) }
    for warning in warnings { Console.note("warning: \(warning)") }
  }
}
