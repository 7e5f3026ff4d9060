import ArgumentParser
import Evaluation

extension VoteRule {
  /// A rule as a flag names it.
  ///
  /// - Throws: `ValidationError` saying what is expected.
  public init(flag text: String) throws {
    guard let rule = Self(parsing: text) else {
      throw ValidationError(
        "expected decided, beta: and a probability above 0.5 and below 1, such as beta:0.95, or all"
      )
    }
    self = rule
  }
}

extension StableAnswer {
  /// A rule as a flag names it.
  ///
  /// - Throws: `ValidationError` saying what is expected.
  public init(flag text: String) throws {
    guard let rule = Self(parsing: text) else {
      throw ValidationError("expected stable: and a number of probes from 2 on, such as stable:4")
    }
    self = rule
  }
}

extension VoteWeights {
  /// Weights as a flag names them.
  ///
  /// - Throws: `ValidationError` saying what is expected.
  public init(flag text: String) throws {
    guard let weights = Self(parsing: text) else {
      throw ValidationError(
        "expected equal, or confidence: and a number of tokens from 1 on, such as confidence:32")
    }
    self = weights
  }
}
