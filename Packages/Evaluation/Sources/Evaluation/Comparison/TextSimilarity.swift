import Foundation

/// How alike the texts are that two runs generated for the same items: what quantization changes of
/// what a model says, whether or not its answers are right.
public struct TextSimilarity: Sendable, Hashable {
  /// Mean F1 of ROUGE-1 over items, the first run's texts being the references.
  public let rouge1: Estimate
  /// Mean F1 of ROUGE-2.
  public let rouge2: Estimate
  /// Mean F1 of ROUGE-L.
  public let rougeL: Estimate
  /// The share of texts that are the same to the byte.
  public let identical: Estimate
  /// What differs between the two scenarios, the second's values first.
  public let settings: [String]

  /// Compares the replies of two journals, thoughts included.
  ///
  /// - Parameters:
  ///   - reference: The journal whose texts are the references.
  ///   - candidate: The other one.
  /// - Throws: ``EvaluationError/notComparable(reason:)`` unless both hold the same replies to the
  ///   same data, and some; other errors for damaged journals.
  public init(reference: URL, candidate: URL) throws(EvaluationError) {
    var texts: [SampleID: String] = [:]
    let first = try JournalIndex.read(reference) { texts[$0.id] = Self.text($0) }
    var scores: [Int: [[Double]]] = [:]
    let second = try JournalIndex.read(candidate) { record throws(EvaluationError) in
      guard let text = texts.removeValue(forKey: record.id) else {
        throw .notComparable(
          reason: "\(reference.path) has no reply \(record.sample) to \(record.item)")
      }
      let other = Self.text(record)
      let rouge = Rouge(other, reference: text)
      scores[record.index, default: []].append([
        rouge.one.f1, rouge.two.f1, rouge.longest.f1, text == other ? 1 : 0,
      ])
    }
    guard let one = first.header?.scenario, let two = second.header?.scenario, one.data == two.data
    else {
      throw .notComparable(
        reason: "\(reference.path) and \(candidate.path) are runs on different data")
    }
    guard texts.isEmpty else {
      throw .notComparable(reason: "\(candidate.path) lacks \(texts.count) replies of the other")
    }
    let items = scores.sorted { $0.key < $1.key }.map(\.value)
    func mean(_ place: Int) -> Estimate? {
      Estimate(
        itemMeans: items.map { $0.reduce(0) { $0 + $1[place] } / Double($0.count) })
    }
    guard let rouge1 = mean(0), let rouge2 = mean(1), let rougeL = mean(2), let identical = mean(3)
    else { throw .notComparable(reason: "\(reference.path) holds no replies") }
    (self.rouge1, self.rouge2, self.rougeL) = (rouge1, rouge2, rougeL)
    self.identical = identical
    settings = two.differences(from: one)
  }

  private static func text(_ record: SampleRecord) -> String {
    record.response.thought + record.response.answer
  }
}
