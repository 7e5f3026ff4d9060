import Foundation

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
  /// The right answer, in canonical form; of a program's tests the digest.
  public let key: String
  /// The reply.
  public let response: SampleResponse
  /// The answer found in the reply, in canonical form; absent where there is none.
  public let extracted: String?
  /// The step that decided what the answer is; absent where none found anything.
  public let step: ExtractionStep?
  /// Whether the answer is right.
  public let correct: Bool
  /// Scores by name, where the grading rule gives more than right and wrong.
  public let scores: [String: Double]?
  /// The group of the item, where it belongs to one.
  public let group: String?
  /// SHA-256 over the run, what identifies the reply, what was graded and how; absent in journals
  /// of format 1. An edited line no longer has the digest that it states.
  public private(set) var digest: String?

  /// A reply of a run with its grade.
  init(
    item: String, index: Int, sample: Int, seed: UInt64, order: [Int]?, key: String,
    group: String?, response: SampleResponse, grade: Grade, fingerprint: String
  ) {
    self.item = item
    self.index = index
    self.sample = sample
    self.seed = seed
    self.order = order
    self.key = key
    self.response = response
    extracted = grade.extracted
    step = grade.step
    correct = grade.correct
    scores = grade.scores
    self.group = group
    digest = digest(in: fingerprint)
  }

  /// The digest of this record in the run with a fingerprint. Times and memory are no part of it.
  func digest(in fingerprint: String) -> String {
    var parts = [
      fingerprint, item, "\(index)", "\(sample)", "\(seed)",
      order.map { $0.map(String.init).joined(separator: ",") } ?? "-", key, response.thought,
      response.answer, "\(response.promptTokens)", "\(response.thoughtTokens)",
      "\(response.injectedTokens)", "\(response.answerTokens)", response.finish.rawValue,
      extracted.map { "=" + $0 } ?? "-", step?.rawValue ?? "-", "\(correct)",
    ]
    // What older journals do not have is no part of their digests.
    if let candidates = response.candidates {
      parts += candidates.map { "\($0.logprob) \($0.tokens) \($0.characters) \($0.isGreedy)" }
    }
    if let confidence = response.confidence {
      parts.append("\(confidence.window) \(confidence.lowestLogprob)")
    }
    if let failure = response.failure { parts.append("failed: " + failure) }
    if let scores { parts += scores.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" } }
    if let group { parts.append(group) }
    var bytes = Data()
    for part in parts {
      // Lengths keep one text from running into the next.
      bytes.append(contentsOf: "\(part.utf8.count):".utf8)
      bytes.append(contentsOf: part.utf8)
    }
    return String(CanonicalJSON.hexadecimalDigest(of: bytes).prefix(32))
  }

  /// What a right reply is, for people to read.
  public var expectation: String {
    ProgramTest.isTest(key) ? "a program that passes its tests" : "'\(key)'"
  }

  /// Which reply of the run this is.
  public var id: SampleID { SampleID(index: index, sample: sample) }
}
