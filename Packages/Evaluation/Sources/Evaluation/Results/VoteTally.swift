/// The votes of replies to one question. Their order makes no difference.
public struct VoteTally: Sendable, Hashable {
  /// An answer and how many replies gave it.
  public struct Candidate: Sendable, Hashable {
    /// The answer; of several ways to write it the shortest, then the first by its characters.
    public let answer: String
    /// Replies that gave it.
    public let votes: Int
    /// What they weigh together; their number where all weigh the same.
    public let weight: Double
  }

  /// Answers by the weight of their votes; among equals the shorter first, then by their characters.
  public let ranking: [Candidate]
  /// Replies without an answer; they have no vote.
  public let none: Int

  /// Counts votes.
  ///
  /// - Parameters:
  ///   - answers: an answer for each reply; nil for none.
  ///   - weights: what each reply weighs; nil for 1 each.
  ///   - areEqual: whether two ways to write an answer mean the same.
  public init(
    _ answers: [String?], weights: [Double]? = nil, areEqual: (String, String) -> Bool
  ) {
    let weights = weights ?? [Double](repeating: 1, count: answers.count)
    let given = zip(answers, weights).compactMap { answer, weight in answer.map { ($0, [weight]) } }
    none = answers.count - given.count
    let votes = Dictionary(given, uniquingKeysWith: +)
    var found: [(answer: String, weights: [Double])] = []
    for (answer, weights) in votes.sorted(by: { Self.isBefore($0.key, $1.key) }) {
      if let known = found.firstIndex(where: { areEqual(answer, $0.answer) }) {
        found[known].weights += weights
      } else {
        found.append((answer, weights))
      }
    }
    // Added in the order of their values, so that the replies' order makes no difference.
    let candidates = found.map {
      Candidate(
        answer: $0.answer, votes: $0.weights.count, weight: $0.weights.sorted().reduce(0, +))
    }
    ranking = candidates.sorted {
      $0.weight != $1.weight ? $0.weight > $1.weight : Self.isBefore($0.answer, $1.answer)
    }
  }

  /// Whether some votes weigh more than others.
  public var isWeighted: Bool { ranking.contains { $0.weight != Double($0.votes) } }

  /// Counts votes on what boxes hold, which are equal as `rule` has it once both are in canonical
  /// form.
  public init(
    boxed answers: [String?], weights: [Double]? = nil, rule: GradingRule = .mathematics
  ) {
    self.init(answers, weights: weights) { Self.areEqual($0, $1, rule: rule) }
  }

  /// Whether two boxes hold the same mathematics.
  public static func areBoxedEqual(_ left: String, _ right: String) -> Bool {
    areEqual(left, right, rule: .mathematics)
  }

  private static func areEqual(_ left: String, _ right: String, rule: GradingRule) -> Bool {
    guard let key = rule.canonical(right) else { return left == right }
    return rule.areEqual(rule.canonical(left), key)
  }

  private static func isBefore(_ left: String, _ right: String) -> Bool {
    (left.count, left) < (right.count, right)
  }

  /// The answers whose votes weigh most: one, several in a tie, or none where no reply answered.
  public var leaders: [String] {
    ranking.prefix { $0.weight == ranking[0].weight }.map(\.answer)
  }

  /// The answer whose votes weigh most; nil in a tie and without votes.
  public var winner: String? { leaders.count == 1 ? leaders[0] : nil }
}
