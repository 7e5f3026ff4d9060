import Foundation

/// When the replies to one question are enough for a vote.
///
/// A rule looks at the replies in the order of the samples, whatever order they were made in, so
/// that where a vote stops depends on the replies alone.
public enum VoteRule: Sendable, Hashable {
  /// All replies are made.
  case all
  /// The replies that are missing cannot change the winner any more. Exact: the winner is the one
  /// of all replies.
  case decided
  /// The leading answer is, with at least this probability, more common than the second one: the
  /// mass above one half of a Beta distribution whose counts are the votes of both, from even odds
  /// (Adaptive-Consistency, Aggarwal et al., arXiv:2305.11860, section 3). Not exact.
  case beta(Double)

  /// Reads `all`, `decided`, or `beta:` and a probability; nil for anything else.
  public init?(parsing text: String) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    switch (parts.first, parts.count) {
    case ("all", 1): self = .all
    case ("decided", 1): self = .decided
    case ("beta", 2):
      guard let probability = Double(parts[1]), probability > 0.5, probability < 1 else {
        return nil
      }
      self = .beta(probability)
    default: return nil
    }
  }

  /// Whether a vote is over.
  ///
  /// - Parameters:
  ///   - leader: what the votes of the leading answer weigh; their number where all weigh 1.
  ///   - second: the same of the next one; 0 where there is none.
  ///   - missing: replies that have not been counted, of which none weighs more than 1.
  /// - Returns: False while another reply is wanted.
  public func isOver(leader: Double, second: Double, missing: Int) -> Bool {
    switch self {
    case .all: missing == 0
    case .decided: missing == 0 || leader > second + Double(missing)
    case .beta(let probability):
      missing == 0 || Self.lead(Int(leader), over: Int(second)) >= probability
    }
  }

  /// Whether the rule knows votes that weigh less than 1: a share of a vote is no draw.
  public var takesWeights: Bool {
    if case .beta = self { return false }
    return true
  }

  /// How many of the replies, in their order, the vote takes.
  ///
  /// - Parameters:
  ///   - answers: what the replies from the first on answered; nil for none.
  ///   - weights: what each of them weighs, at most 1; nil for 1 each.
  ///   - total: replies that are made where the rule asks for them.
  ///   - areEqual: whether two ways to write an answer mean the same.
  /// - Returns: Nil where the replies given are not enough.
  public func stop(
    _ answers: [String?], weights: [Double]? = nil, of total: Int,
    areEqual: (String, String) -> Bool
  ) -> Int? {
    for count in stride(from: 1, through: answers.count, by: 1) {
      let ranking = VoteTally(
        Array(answers.prefix(count)), weights: weights.map { Array($0.prefix(count)) },
        areEqual: areEqual
      ).ranking
      let votes = ranking.prefix(2).map(\.weight) + [0, 0]
      if isOver(leader: votes[0], second: votes[1], missing: total - count) { return count }
    }
    return nil
  }

  /// The mass above one half of Beta(first + 1, second + 1): the chance that of first + second + 1
  /// fair coins at most `first` show heads.
  static func lead(_ first: Int, over second: Int) -> Double {
    let coins = first + second + 1
    // Of one term of the binomial sum follows the next: C(n, k + 1) = C(n, k) (n - k) / (k + 1).
    // Logarithms, since 2 to the power of many coins is no number.
    var term = -Double(coins) * log(2.0)
    var sum = exp(term)
    for heads in 0..<first {
      term += log(Double(coins - heads) / Double(heads + 1))
      sum += exp(term)
    }
    return min(1, sum)
  }
}

extension VoteRule: CustomStringConvertible {
  /// As it is parsed.
  public var description: String {
    switch self {
    case .all: "all"
    case .decided: "decided"
    case .beta(let probability): "beta:\(probability)"
    }
  }
}
