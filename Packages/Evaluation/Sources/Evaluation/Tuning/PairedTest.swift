import Foundation

/// A sequential test of what a change costs in accuracy, item by item: it may be looked at after
/// every item and ended as soon as it has decided.
///
/// A gambler bets on every item that the change costs less than the margin. If it costs the margin
/// or more, what he holds is expected never to grow, so it exceeds 1/level at any time with a
/// probability of at most the level (Ville's inequality; Waudby-Smith and Ramdas, "Estimating means
/// of bounded random variables by betting", 2024, section 3). A second one bets that it costs
/// something. Both spread their stakes evenly over a grid of shares, which needs no knowledge of
/// the variance.
public struct PairedTest: Sendable, Hashable {
  /// What is known so far.
  public enum Verdict: String, Sendable, Hashable, Codable {
    /// Nothing is sure.
    case undecided
    /// The change costs less than the margin.
    case kept
    /// The change costs something.
    case lost
  }

  /// The largest loss of accuracy that is accepted, as a share of the items.
  public let margin: Double
  /// The probability, at most, of a wrong verdict.
  public let level: Double
  /// Score of the second run minus that of the first, item by item.
  public private(set) var differences: [Double] = []
  /// Logarithms of what each share of the stakes has become.
  private var keeping: [Double]
  private var losing: [Double]
  /// The first verdict stays.
  public private(set) var verdict = Verdict.undecided

  private static let shares = (1...20).map { Double($0) / 20 * 0.99 }

  /// A test before its first item.
  ///
  /// - Throws: ``EvaluationError/setting(name:value:expected:)`` unless margin and level lie between
  ///   0 and 1.
  public init(margin: Double, level: Double = 0.05) throws(EvaluationError) {
    for (name, value) in [("margin", margin), ("level", level)] where !(value > 0 && value < 1) {
      throw .setting(name: name, value: "\(value)", expected: "a number between 0 and 1")
    }
    self.margin = margin
    self.level = level
    keeping = [Double](repeating: 0, count: Self.shares.count)
    losing = keeping
  }

  /// Takes one item: the score with the change minus the score without.
  ///
  /// - Throws: ``EvaluationError/notComparable(reason:)`` for differences of scores that do not lie
  ///   between 0 and 1.
  public mutating func add(_ difference: Double) throws(EvaluationError) {
    guard (-1...1).contains(difference) else {
      throw .notComparable(
        reason: "scores that differ by \(difference); the test is about scores from 0 to 1")
    }
    differences.append(difference)
    guard verdict == .undecided else { return }
    for (place, share) in Self.shares.enumerated() {
      // The largest stakes that can never be lost beyond nothing.
      keeping[place] += log1p(share / (1 - margin) * (difference + margin))
      losing[place] += log1p(-share * difference)
    }
    let enough = -log(level)
    if Self.wealth(keeping) >= enough {
      verdict = .kept
    } else if Self.wealth(losing) >= enough {
      verdict = .lost
    }
  }

  /// Takes the items that two journals share.
  ///
  /// - Throws: ``EvaluationError``: for damaged journals, and where they hold different items.
  public mutating func add(first: URL, second: URL) throws(EvaluationError) {
    let (one, two) = (try Summary.read(first), try Summary.read(second))
    let main = one.header.scenario.grading.mainScore
    let (left, right) = (one.tally.means(main), two.tally.means(main))
    guard one.header.scenario.data == two.header.scenario.data, Set(left.keys) == Set(right.keys)
    else {
      throw .notComparable(reason: "\(first.path) and \(second.path) hold different items")
    }
    for (item, score) in left.sorted(by: { $0.key < $1.key }) {
      try add((right[item] ?? 0) - score)
    }
  }

  /// The logarithm of the mean of what the shares have become.
  private static func wealth(_ logarithms: [Double]) -> Double {
    let most = logarithms.max() ?? 0
    let sum = logarithms.reduce(0) { $0 + exp($1 - most) }
    return most + log(sum / Double(max(logarithms.count, 1)))
  }

  /// The mean difference; nil before the first item.
  public var difference: Estimate? { Estimate(itemMeans: differences) }
}
