import Foundation

/// The share of another model's score that is kept, on a leaderboard's benchmark or on average.
public struct Recovery: Sendable, Hashable {
  /// The share; 1 where nothing is lost.
  public let share: Double
  /// Its standard error; nil where a score has none.
  public let error: Double?

  /// A normalised score beside another model's, and what their difference errs by.
  struct Pair {
    let own: Double
    let other: Double
    let otherError: Double?
    let differenceError: Double?
  }

  /// The share that a benchmark's score keeps of another run's; nil where there is nothing to keep.
  ///
  /// - Parameters:
  ///   - score: The score.
  ///   - other: The other run's.
  ///   - difference: The difference of their main scores, paired item by item, where both asked the
  ///     same items. Without it both scores are taken to err independently, which makes more of the
  ///     error than there is.
  public init?(
    _ score: Leaderboard.Score, of other: Leaderboard.Score, difference: Estimate? = nil
  ) {
    self.init([Self.pair(score, other, difference)])
  }

  /// The share that the mean of several benchmarks keeps; see above.
  public init?(
    meanOf scores: [(score: Leaderboard.Score, other: Leaderboard.Score, difference: Estimate?)]
  ) {
    self.init(scores.map { Self.pair($0.score, $0.other, $0.difference) })
  }

  private static func pair(
    _ score: Leaderboard.Score, _ other: Leaderboard.Score, _ difference: Estimate?
  ) -> Pair {
    var error: Double?
    if let paired = difference?.standardError, let slope = score.slope, slope == other.slope {
      error = paired * slope
    } else if let own = score.errors.normalized, let its = other.errors.normalized {
      error = (own * own + its * its).squareRoot()
    }
    return Pair(
      own: score.normalized, other: other.normalized, otherError: other.errors.normalized,
      differenceError: error)
  }

  /// Of means over independent benchmarks. To first order the share errs by the difference, and by
  /// what the other score errs for the part that is lost.
  init?(_ pairs: [Pair]) {
    let count = Double(pairs.count)
    let (own, other) = pairs.reduce((0.0, 0.0)) { ($0.0 + $1.own / count, $0.1 + $1.other / count) }
    guard other > 0 else { return nil }
    share = own / other
    let lost = 1 - share
    let variances = pairs.compactMap { pair -> Double? in
      guard let difference = pair.differenceError, let its = pair.otherError else { return nil }
      return difference * difference + lost * lost * its * its
    }
    error =
      variances.count == pairs.count
      ? variances.reduce(0, +).squareRoot() / count / other : nil
  }
}
