import Foundation
import MemoryPlanner

/// What a study measured of one configuration on one benchmark.
public struct StudyPoint: Sendable, Hashable, Codable {
  /// The benchmark.
  public let benchmark: String
  /// What it asks.
  public let task: TaskKind
  /// The model.
  public let model: String
  /// Its parameters.
  public let parameters: Int
  /// Bits of its weights.
  public let bits: Int
  /// Its KV policy in text form.
  public let kv: String
  /// T: tokens of thought.
  public let thinkBudget: Int
  /// G: samples that vote.
  public let samples: Int
  /// Share of right answers, 0 to 1; with several samples that of their majority.
  public internal(set) var accuracy: Double
  /// Its standard error over problems; nil for a single problem.
  public let standardError: Double?
  /// Replies the accuracy is computed from.
  public let replies: Int
  /// Bytes of the weights in memory.
  public let weightsBytes: Int
  /// Bytes of the caches of all G samples, as measured for one and charged for each.
  public let kvBytes: Int
  /// Seconds from the start of a reply to its end, on average, at the study's concurrency.
  public let seconds: Double
  /// Tokens generated for a reply, on average.
  public let tokens: Double
  /// How weights met activations; nil in results from before it was kept, when it was exact.
  public var numerics: String?
  /// The scheme of weights and activations; nil where weights alone were quantized, or nothing.
  public var scheme: String?
  /// Bits in which the output head was held, likewise; "16" is as it is stored.
  public var headBits: String?

  enum CodingKeys: String, CodingKey {
    case benchmark, task, model, parameters, kv, samples, accuracy, replies, seconds, tokens
    case bits = "weight_bits"
    case thinkBudget = "think_budget"
    case standardError = "standard_error"
    case weightsBytes = "weights_bytes"
    case kvBytes = "kv_bytes"
    case numerics, scheme
    case headBits = "head_bits"
  }

  /// Weights and caches, in bytes.
  public var totalBytes: Int { weightsBytes + kvBytes }

  /// The point as something measured, for the planner.
  func measurement(
    of study: String, rule: String? = nil, saved: Double? = nil
  ) -> MeasuredAccuracy {
    MeasuredAccuracy(
      model: model, bits: bits, scheme: scheme, kv: kv, thinkBudget: thinkBudget,
      samples: samples, rule: rule, saved: saved, task: task, accuracy: accuracy,
      standardError: standardError, study: "\(study), \(benchmark)", benchmark: benchmark)
  }

  /// Whether everything can be true, so that nothing computed from it can overflow.
  var isPlausible: Bool {
    let sizes = [parameters, thinkBudget, replies, weightsBytes, kvBytes]
    return sizes.allSatisfy { (0...1 << 60).contains($0) } && (1...1000).contains(samples)
      && (0...1).contains(accuracy) && (standardError ?? 0) >= 0 && seconds >= 0 && tokens >= 0
      && seconds.isFinite && tokens.isFinite && (standardError ?? 0).isFinite
  }
}

/// Everything that a study measured.
public struct StudyResults: Sendable, Hashable, Codable {
  /// Grows when the format changes.
  static let currentFormat = 1

  /// The format of the file.
  public let format: Int
  /// The study's name.
  public let study: String
  /// Its title.
  public let title: String
  /// Replies generated together.
  public let concurrency: Int
  /// Scenarios the study has.
  public let scenarios: Int
  /// What was measured, in the order of the study.
  public let points: [StudyPoint]

  /// What rules that end votes and thoughts early would have saved; nil where the study has none.
  public var rules: [StudyRuleOutcome]?

  /// The paper's findings with their intervals, worked out from the scores of single problems, which are not in this
  /// file; nil in results from before they were kept.
  public var findings: [StudyFinding]?

  /// Whether every scenario was measured.
  public var isComplete: Bool { points.count == scenarios }

  /// Keeps what was measured.
  public init(
    study: String, title: String, concurrency: Int, scenarios: Int, points: [StudyPoint]
  ) {
    format = Self.currentFormat
    self.study = study
    self.title = title
    self.concurrency = concurrency
    self.scenarios = scenarios
    self.points = points
  }

  /// Reads a file that `write(to:)` made.
  ///
  /// - Throws: ``EvaluationError/file(path:reason:)`` for anything else.
  public init(contentsOf url: URL) throws(EvaluationError) {
    let bytes = try WholeFile.read(url, atMost: 1 << 28)
    let results: StudyResults
    do { results = try JSONDecoder().decode(StudyResults.self, from: bytes) } catch {
      throw .file(path: url.path, reason: "holds no results of a study")
    }
    guard results.format == Self.currentFormat,
      (results.points + (results.rules ?? []).map(\.point)).allSatisfy(\.isPlausible)
    else {
      throw .file(
        path: url.path, reason: "holds results of another format, or figures that cannot be")
    }
    self = results
  }

  /// Writes the results; the file appears whole or not at all.
  ///
  /// - Throws: ``EvaluationError/file(path:reason:)``.
  public func write(to url: URL) throws(EvaluationError) { try WholeFile.write(self, to: url) }

  /// The results as measurements for the planner.
  public var measurements: [MeasuredAccuracy] {
    points.map { $0.measurement(of: study) } + (rules ?? []).map { $0.measurement(of: study) }
  }
}
