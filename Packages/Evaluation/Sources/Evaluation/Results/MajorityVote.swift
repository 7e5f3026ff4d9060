/// Voting among the answers to one item.
///
/// Votes are on canonical answers. A reply without answer has no vote.
public enum MajorityVote {
  /// The winner of one vote: most votes; among equals the answer whose first vote came earliest.
  ///
  /// - Parameter answers: Canonical answers in the order of the samples; nil for none.
  /// - Returns: Nil when nobody voted.
  public static func winner(of answers: [String?]) -> String? {
    var counts: [String: Int] = [:]
    for answer in answers.compactMap(\.self) { counts[answer, default: 0] += 1 }
    let most = counts.values.max()
    return answers.compactMap(\.self).first { counts[$0] == most }
  }

  /// The probability that k of n replies, picked at random, elect the right answer.
  ///
  /// Ties count by the share of the right answer among the tied ones, as if lots were drawn; so the
  /// order of the samples does not matter. Computed exactly, by summing over the votes v of the
  /// right answer the ways in which all others get at most v.
  ///
  /// - Parameters:
  ///   - votes: How the n replies voted.
  ///   - size: k, from 1 to n; n at most 1000.
  /// - Returns: A number from 0 to 1.
  public static func expectedCredit(_ votes: VoteCounts, size: Int) -> Double {
    precondition((1...1000).contains(votes.total) && (1...votes.total).contains(size))
    if size == votes.total { return votes.credit }
    var credit = 0.0
    for most in stride(from: 1, through: min(votes.right, size), by: 1) {
      let ways = waysOfOthers(votes, most: most, size: size - most)
      for (tied, count) in ways.enumerated() {
        credit += Binomial.count(votes.right, most) * count / Double(tied + 1)
      }
    }
    return min(1, credit / Binomial.count(votes.total, size))
  }

  /// In how many ways `size` replies can be picked from all but the right ones so that no answer
  /// has more than `most`, by the number of answers with exactly that many.
  private static func waysOfOthers(_ votes: VoteCounts, most: Int, size: Int) -> [Double] {
    let mostTied = size / most
    let width = size + 1
    // By [tied, picked].
    var ways = [Double](repeating: 0, count: (mostTied + 1) * width)
    for picked in 0...min(size, votes.none) { ways[picked] = Binomial.count(votes.none, picked) }
    for wrong in votes.wrong {
      let choices = (0...min(wrong, most)).map { Binomial.count(wrong, $0) }
      for tied in (0...mostTied).reversed() {
        for picked in (0...size).reversed() {
          var sum = 0.0
          for votes in 0...min(choices.count - 1, picked) {
            let before = votes == most ? tied - 1 : tied
            if before >= 0 { sum += ways[before * width + picked - votes] * choices[votes] }
          }
          ways[tied * width + picked] = sum
        }
      }
    }
    return (0...mostTied).map { ways[$0 * width + size] }
  }
}

/// How the replies to one item voted.
public struct VoteCounts: Sendable, Hashable {
  /// Votes for the right answer, however it was written.
  public let right: Int
  /// Votes for each wrong answer.
  public let wrong: [Int]
  /// Replies without answer.
  public let none: Int

  /// Counts given directly; none may be negative.
  public init(right: Int, wrong: [Int], none: Int) {
    self.right = right
    self.wrong = wrong
    self.none = none
  }

  /// Counts the answers to an item; answers that the rule takes for the same are one.
  init(_ outcomes: ItemOutcomes, grading: GradingRule) {
    let wrong = zip(outcomes.answers, outcomes.correct).map { $1 ? nil : $0 }
    right = outcomes.correctCount
    self.wrong = VoteTally(wrong, areEqual: grading.areEqual).ranking.map(\.votes)
    none = outcomes.count - right - self.wrong.reduce(0, +)
  }

  /// All replies.
  public var total: Int { right + none + wrong.reduce(0, +) }

  /// 1 if the right answer has the most votes, 1 over the number of tied answers if it is among the
  /// first, otherwise 0.
  public var credit: Double {
    guard right > 0, right >= wrong.max() ?? 0 else { return 0 }
    return 1 / Double(1 + wrong.count { $0 == right })
  }
}

/// Numbers of subsets.
enum Binomial {
  /// How many subsets of k elements a set of n has; exact up to 2^53, below 10^300 for n <= 1000.
  static func count(_ n: Int, _ k: Int) -> Double {
    guard k >= 0, k <= n else { return 0 }
    return (0..<min(k, n - k)).reduce(1.0) { $0 * Double(n - $1) / Double($1 + 1) }.rounded()
  }
}
