/// Names one reply of a run; replies sort by item, then sample.
public struct SampleID: Sendable, Hashable, Comparable {
  /// The position of the item in the benchmark, from 0.
  public let index: Int
  /// Which reply to the item, from 0.
  public let sample: Int

  /// By item, then sample.
  public static func < (left: SampleID, right: SampleID) -> Bool {
    (left.index, left.sample) < (right.index, right.sample)
  }
}

/// One line of a journal: a reply, how it was graded and what it cost.
public struct SampleRecord: Sendable, Hashable, Codable {
  /// The item's identifier.
  public let item: String
  /// The position of the item in the benchmark, from 0.
  public let index: Int
  /// Which reply to the item, from 0.
  public let sample: Int
  /// The seed the reply was generated from.
  public let seed: UInt64
  /// The options shown, as positions in the data; absent for free answers.
  public let order: [Int]?
  /// The right answer, in canonical form.
  public let key: String
  /// The reply.
  public let response: SampleResponse
  /// The answer found in the reply, in canonical form; absent where there is none.
  public let extracted: String?
  /// The step that decided what the answer is; absent where none found anything.
  public let step: ExtractionStep?
  /// Whether the answer is right.
  public let correct: Bool

  /// Grades a reply.
  init(
    item: String, index: Int, sample: Int, seed: UInt64, order: [Int]?, key: String,
    response: SampleResponse, extraction: [ExtractionStep], grading: GradingRule
  ) {
    let extractor = AnswerExtractor(steps: extraction, grading: grading)
    let found = extractor.extract(from: response.answer)
    self.item = item
    self.index = index
    self.sample = sample
    self.seed = seed
    self.order = order
    self.key = key
    self.response = response
    extracted = found?.answer
    step = found?.step
    correct = grading.areEqual(found?.answer, key)
  }

  /// Which reply of the run this is.
  public var id: SampleID { SampleID(index: index, sample: sample) }
}
