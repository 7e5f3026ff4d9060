import ArgumentParser
import Evaluation

extension VoteRule: ExpressibleByArgument {
  /// A rule as a flag names it.
  public init?(argument: String) { self.init(parsing: argument) }
}

extension StableAnswer: ExpressibleByArgument {
  /// `stable:` and the number of probes.
  public init?(argument: String) { self.init(parsing: argument) }
}

extension VoteWeights: ExpressibleByArgument {
  /// Weights as a flag names them.
  public init?(argument: String) { self.init(parsing: argument) }
}
