/// The votes of replies to one question. Their order makes no difference.
public struct VoteTally: Sendable, Hashable {
  /// An answer and how many replies gave it.
  public struct Candidate: Sendable, Hashable {
    /// The answer; of several ways to write it the shortest, then the first by its characters.
    public let answer: String
    /// Replies that gave it.
    public let votes: Int
  }

  /// Answers by votes; among equals the shorter first, then by their characters.
  public let ranking: [Candidate]
  /// Replies without an answer; they have no vote.
  public let none: Int

  /// Counts votes.
  ///
  /// - Parameters:
  ///   - answers: an answer for each reply; nil for none.
  ///   - areEqual: whether two ways to write an answer mean the same.
  public init(_ answers: [String?], areEqual: (String, String) -> Bool) {
    let given = answers.compactMap(\.self)
    none = answers.count - given.count
    let counts = Dictionary(given.map { ($0, 1) }, uniquingKeysWith: +)
    var found: [Candidate] = []
    for (answer, votes) in counts.sorted(by: { Self.isBefore($0.key, $1.key) }) {
      if let known = found.firstIndex(where: { areEqual(answer, $0.answer) }) {
        found[known] = Candidate(answer: found[known].answer, votes: found[known].votes + votes)
      } else {
        found.append(Candidate(answer: answer, votes: votes))
      }
    }
    ranking = found.sorted {
      $0.votes != $1.votes ? $0.votes > $1.votes : Self.isBefore($0.answer, $1.answer)
    }
  }

  /// Counts votes on what boxes hold, which are equal as `rule` has it once both are in canonical
  /// form.
  public init(boxed answers: [String?], rule: GradingRule = .mathematics) {
    self.init(answers) { Self.areEqual($0, $1, rule: rule) }
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

  /// The answers with the most votes: one, several in a tie, or none where no reply answered.
  public var leaders: [String] {
    ranking.prefix { $0.votes == ranking[0].votes }.map(\.answer)
  }

  /// The answer with the most votes; nil in a tie and without votes.
  public var winner: String? { leaders.count == 1 ? leaders[0] : nil }
}
