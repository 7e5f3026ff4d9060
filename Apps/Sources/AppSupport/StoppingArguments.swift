import ArgumentParser
import Evaluation

extension VoteRule: ExpressibleByArgument {
  /// A rule as a flag names it.
  public init?(argument: String) { self.init(parsing: argument) }
}

extension StableAnswer: ExpressibleByArgument {
  /// `stable:` and the number of probes.
  public init?(argument: String) {
    let parts = argument.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, parts[0] == "stable", let agreeing = Int(parts[1]) else { return nil }
    self.init(agreeing: agreeing)
  }
}
