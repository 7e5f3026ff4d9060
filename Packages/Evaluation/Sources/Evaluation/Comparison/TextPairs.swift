import Foundation

/// The texts that two runs generated for the same items.
public struct TextPairs: Sendable {
  /// The texts of one reply, thoughts included.
  struct Pair: Sendable {
    let item: Int
    let reference: String
    let candidate: String
  }

  /// Sorted by item; never empty.
  let pairs: [Pair]
  /// What differs between the two scenarios, the second's values first.
  public let settings: [String]

  /// Reads the replies of two journals, thoughts included.
  ///
  /// - Parameters:
  ///   - reference: The journal whose texts are the references.
  ///   - candidate: The other one.
  /// - Throws: ``EvaluationError/notComparable(reason:)`` unless both hold the same replies to the
  ///   same data, and some; other errors for damaged journals.
  public init(reference: URL, candidate: URL) throws(EvaluationError) {
    var texts: [SampleID: String] = [:]
    let first = try JournalIndex.read(reference) { texts[$0.id] = Self.text($0) }
    var pairs: [Pair] = []
    let second = try JournalIndex.read(candidate) { record throws(EvaluationError) in
      guard let text = texts.removeValue(forKey: record.id) else {
        throw .notComparable(
          reason: "\(reference.path) has no reply \(record.sample) to \(record.item)")
      }
      pairs.append(Pair(item: record.index, reference: text, candidate: Self.text(record)))
    }
    guard let one = first.header?.scenario, let two = second.header?.scenario, one.data == two.data
    else {
      throw .notComparable(
        reason: "\(reference.path) and \(candidate.path) are runs on different data")
    }
    guard texts.isEmpty else {
      throw .notComparable(reason: "\(candidate.path) lacks \(texts.count) replies of the other")
    }
    guard !pairs.isEmpty else {
      throw .notComparable(reason: "\(reference.path) holds no replies")
    }
    self.pairs = pairs.sorted { $0.item < $1.item }
    settings = two.differences(from: one)
  }

  private static func text(_ record: SampleRecord) -> String {
    record.response.thought + record.response.answer
  }

  /// The means over items of what is measured of each pair: as many as `measure` gives.
  ///
  /// - Throws: What `measure` throws.
  func means<Failure: Error>(
    _ count: Int, _ measure: (Pair) throws(Failure) -> [Double]
  ) throws(Failure) -> [Estimate] {
    var sums: [Int: (values: [Double], pairs: Int)] = [:]
    for pair in pairs {
      let values = try measure(pair)
      let sum = sums[pair.item] ?? (Array(repeating: 0, count: count), 0)
      sums[pair.item] = (zip(sum.values, values).map { $0 + $1 }, sum.pairs + 1)
    }
    let items = sums.sorted { $0.key < $1.key }.map(\.value)
    return (0..<count).compactMap { place in
      Estimate(itemMeans: items.map { $0.values[place] / Double($0.pairs) })
    }
  }
}
