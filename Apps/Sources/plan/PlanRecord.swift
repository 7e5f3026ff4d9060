import AppSupport
import Foundation
import MemoryPlanner

/// One configuration of the plan as programs read it.
struct PlanRecord: Encodable {
  /// What the cache keeps, and how.
  struct Cache: Encodable {
    let format: String
    let policy: String
  }

  /// What may propose its tokens, and what that is expected to bring.
  struct Draft: Encodable {
    let model: String
    let weightBits: Int
    let bytes: Int
    let proposals: Int
    let acceptRate: Double
    let acceptRateSource: String
    let secondsPerAnswer: Double

    enum CodingKeys: String, CodingKey {
      case model, bytes, proposals
      case weightBits = "weight_bits"
      case acceptRate = "accept_rate"
      case acceptRateSource = "accept_rate_source"
      case secondsPerAnswer = "seconds_per_answer"
    }

    init(_ draft: DraftAdvice) {
      model = draft.model.name
      weightBits = draft.precision.bits
      bytes = draft.bytes
      proposals = draft.length
      acceptRate = draft.acceptRate.value
      acceptRateSource = draft.acceptRate.source
      secondsPerAnswer = draft.seconds
    }
  }

  let model: String
  let parameters: Int
  let weightBits: Int
  let scheme: String?
  let groupSize: Int?
  let kv: Cache
  let thinkBudget: Int
  let samples: Int
  let stop: String?
  let tokensSaved: Double?
  let batch: Int
  let weightsBytes: Int
  let kvBytes: Int
  let totalBytes: Int
  let expectedAccuracy: Double?
  let accuracyLow: Double?
  let accuracyHigh: Double?
  let accuracyOrigin: String?
  let benchmark: String?
  let secondsPerAnswer: Double?
  let draft: Draft?
  let source: String
  let reason: String
  let command: String

  enum CodingKeys: String, CodingKey {
    case model, parameters, scheme, kv, samples, stop, batch, source, reason, command, benchmark,
      draft
    case weightBits = "weight_bits"
    case tokensSaved = "tokens_saved"
    case groupSize = "group_size"
    case thinkBudget = "think_budget"
    case weightsBytes = "weights_bytes"
    case kvBytes = "kv_bytes"
    case totalBytes = "total_bytes"
    case expectedAccuracy = "expected_accuracy"
    case accuracyLow = "accuracy_low"
    case accuracyHigh = "accuracy_high"
    case accuracyOrigin = "accuracy_origin"
    case secondsPerAnswer = "seconds_per_answer"
  }

  init(_ row: PlannedRow) {
    let (advice, configuration) = (row.advice, row.advice.configuration)
    let policy = configuration.kv
    model = configuration.model.name
    parameters = configuration.model.parameters
    weightBits = configuration.precision.bits
    scheme = configuration.precision.scheme?.rawValue
    groupSize = configuration.precision.groupSize
    kv = Cache(
      format: policy.format, policy: policy.eviction.map { "\($0)" } ?? "full")
    thinkBudget = configuration.load.thinkBudget
    samples = configuration.load.samples
    stop = configuration.thoughtRule ?? configuration.voteRule
    tokensSaved = advice.savings.first?.saved
    batch = configuration.load.batch
    weightsBytes = advice.memory.weights
    kvBytes = advice.memory.kv
    totalBytes = advice.memory.total
    expectedAccuracy = advice.expected?.value
    accuracyLow = advice.expected?.range.lowerBound
    accuracyHigh = advice.expected?.range.upperBound
    accuracyOrigin = advice.expected?.origin.rawValue
    benchmark = advice.expected?.benchmark
    secondsPerAnswer = advice.seconds
    source = advice.source
    reason = advice.reason
    draft = row.draft.map { Draft($0) }
    command = ReadyCommand.text(row)
  }

  /// Absent values are null, so that every object has the same keys.
  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(model, forKey: .model)
    try container.encode(parameters, forKey: .parameters)
    try container.encode(weightBits, forKey: .weightBits)
    try container.encode(scheme, forKey: .scheme)
    try container.encode(groupSize, forKey: .groupSize)
    try container.encode(kv, forKey: .kv)
    try container.encode(thinkBudget, forKey: .thinkBudget)
    try container.encode(samples, forKey: .samples)
    try container.encode(stop, forKey: .stop)
    try container.encode(tokensSaved, forKey: .tokensSaved)
    try container.encode(batch, forKey: .batch)
    try container.encode(weightsBytes, forKey: .weightsBytes)
    try container.encode(kvBytes, forKey: .kvBytes)
    try container.encode(totalBytes, forKey: .totalBytes)
    try container.encode(expectedAccuracy, forKey: .expectedAccuracy)
    try container.encode(accuracyLow, forKey: .accuracyLow)
    try container.encode(accuracyHigh, forKey: .accuracyHigh)
    try container.encode(accuracyOrigin, forKey: .accuracyOrigin)
    try container.encode(benchmark, forKey: .benchmark)
    try container.encode(secondsPerAnswer, forKey: .secondsPerAnswer)
    try container.encode(draft, forKey: .draft)
    try container.encode(source, forKey: .source)
    try container.encode(reason, forKey: .reason)
    try container.encode(command, forKey: .command)
  }

  /// Prints an array.
  static func print(_ rows: [PlannedRow]) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let bytes = try encoder.encode(rows.map(PlanRecord.init))
    Console.write(String(decoding: bytes, as: UTF8.self) + "\n")
  }
}
