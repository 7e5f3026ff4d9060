import Foundation

/// What a rule that stops early would have cost and scored, worked out from stored replies.
public struct RuleOutcome: Sendable, Hashable {
  /// The rule, in words.
  public let rule: String
  /// The share of questions whose answer is right.
  public let accuracy: Estimate
  /// Its difference from doing everything, paired by question; nil for doing everything.
  public let difference: Estimate?
  /// Replies, or probes, that a question takes.
  public let count: Estimate
  /// Tokens that a question takes, generated ones.
  public let tokens: Estimate

  /// Means over questions; nil for no questions.
  init?(rule: String, _ costs: [Cost], beside full: [Cost]?) {
    guard let accuracy = Estimate(itemMeans: costs.map(\.credit)),
      let count = Estimate(itemMeans: costs.map(\.count)),
      let tokens = Estimate(itemMeans: costs.map(\.tokens))
    else { return nil }
    self.rule = rule
    self.accuracy = accuracy
    self.count = count
    self.tokens = tokens
    difference = full.flatMap {
      Estimate(itemMeans: zip(costs, $0).map { $0.credit - $1.credit })
    }
  }

  /// What one question takes and gives.
  struct Cost {
    var credit = 0.0
    var count = 0.0
    var tokens = 0.0

    static func mean(_ costs: [Cost]) -> Cost {
      let size = Double(max(costs.count, 1))
      return costs.reduce(into: Cost()) {
        $0.credit += $1.credit / size
        $0.count += $1.count / size
        $0.tokens += $1.tokens / size
      }
    }
  }
}
