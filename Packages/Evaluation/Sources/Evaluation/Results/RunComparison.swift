import Foundation

/// The difference of two runs on the same items, paired item by item.
///
/// Pairing removes the difficulty of the items from the uncertainty; the standard error is that of
/// the items' differences (Miller, arXiv:2411.00640, section 4.2).
public struct RunComparison: Sendable, Hashable, Codable {
  /// Accuracy of the second run minus that of the first.
  public let difference: Estimate
  /// Accuracy of the first run.
  public let first: Estimate
  /// Accuracy of the second run.
  public let second: Estimate
  /// Items on which the second run does better.
  public let better: Int
  /// Items on which the second run does worse.
  public let worse: Int
  /// What differs between the two scenarios, the second's values first.
  public let settings: [String]

  /// Compares two journals.
  ///
  /// - Throws: ``EvaluationError/notComparable(reason:)`` unless both hold the same items of the
  ///   same data and benchmark; other errors for damaged journals.
  public init(first: URL, second: URL) throws(EvaluationError) {
    let (one, two) = (try Summary.read(first), try Summary.read(second))
    guard one.header.scenario.data == two.header.scenario.data else {
      throw .notComparable(
        reason: "\(first.path) and \(second.path) are runs on different data: "
          + "\(one.header.scenario.benchmark) and \(two.header.scenario.benchmark)")
    }
    let main = one.header.scenario.grading.mainScore
    guard main == two.header.scenario.grading.mainScore else {
      throw .notComparable(reason: "the two runs are scored differently")
    }
    let (left, right) = (one.tally.means(main), two.tally.means(main))
    let items = left.keys.sorted()
    guard items == right.keys.sorted() else {
      throw .notComparable(
        reason: "\(first.path) has replies to \(left.count) items, \(second.path) to "
          + "\(right.count); compare runs of the same items")
    }
    let pairs = items.compactMap { item in left[item].flatMap { a in right[item].map { (a, $0) } } }
    guard let difference = Estimate(itemMeans: pairs.map { $0.1 - $0.0 }),
      let firstScore = Estimate(itemMeans: pairs.map(\.0)),
      let secondScore = Estimate(itemMeans: pairs.map(\.1))
    else { throw .notComparable(reason: "\(first.path) holds no replies") }
    self.difference = difference
    self.first = firstScore
    self.second = secondScore
    better = pairs.count { $0.1 > $0.0 }
    worse = pairs.count { $0.1 < $0.0 }
    settings = two.header.scenario.differences(from: one.header.scenario)
  }
}
