import AppSupport
import DecoderModels
import Evaluation
import Foundation
import KVCaches
import ModelLoader

/// What a benchmark is run on: a model in this process, or one behind endpoints.
protocol BenchmarkSubject {
  /// The model's name.
  var name: String { get }

  /// A benchmark as the model reads it.
  func benchmark(_ found: FoundBenchmark) throws -> Benchmark

  /// How tokens are drawn; what nobody said is the model's own, as far as it is known.
  func sampling(_ flags: SamplingFlags) throws -> Sampling

  /// Who answers, as the flags say it.
  func source() throws -> ReplySource

  /// Who answered in journals that were begun in another way; nil where there is no other.
  func earlierSource() throws -> ReplySource?
}

/// Who answers, and what decides that.
struct ReplySource {
  /// The flags that ask for it.
  let name: String
  /// What scenarios record of it.
  let facts: [String: String]
  /// Gets ready to answer.
  let responder: () throws -> any RatedResponder
}

/// A responder that knows how many tokens came a second.
protocol RatedResponder: Responder {
  /// Nil where nothing came.
  var rate: Double? { get }
  /// What was proposed and accepted; nil where nothing was to be.
  var speculation: String? { get }
}

extension EngineResponder: RatedResponder {}
extension EndpointResponder: RatedResponder {
  var speculation: String? { nil }
}

/// A model in this process.
struct ModelSubject: BenchmarkSubject {
  let checkpoint: Checkpoint
  let model: ModelFlags
  let memory: MemoryFlags
  let batch: Int
  let force: Bool
  let speculation: SpeculationFlags
  let confidenceWindow: Int?

  var name: String { checkpoint.modelName }

  func benchmark(_ found: FoundBenchmark) throws -> Benchmark {
    try found.benchmark(for: checkpoint)
  }

  func sampling(_ flags: SamplingFlags) throws -> Sampling {
    Sampling(try flags.optionsInForce(for: checkpoint))
  }

  func source() throws -> ReplySource { try source(model.precision(of: checkpoint)) }

  /// Journals from before there was a default for each format of weights.
  func earlierSource() throws -> ReplySource? {
    let earlier = model.precision(standard: .exact)
    return try earlier == model.precision(of: checkpoint) ? nil : source(earlier)
  }

  private func source(_ precision: ComputePrecision) throws -> ReplySource {
    ReplySource(
      name:
        "--numerics \(precision.numerics.rawValue) --head-bits \(precision.headBits.rawValue)",
      facts: try EngineFacts.of(
        checkpoint, precision, kv: model.kvPolicy(), forced: force,
        confidenceWindow: confidenceWindow)
    ) {
      let loaded = try LoadedModel(model, checkpoint, precision: precision)
      Console.note(
        "model: \(Text.bytes(loaded.decoder.weightBytes)) (\(loaded.storage)) loaded in "
          + String(format: "%.2f s", loaded.loadSeconds))
      // Scenarios say all that there is to say of sampling.
      return try EngineResponder(
        loaded, kv: model.kvPolicy(), sampling: .greedy, memory: memory, batch: batch,
        force: force, proposer: speculation.proposer(for: loaded, model),
        confidenceWindow: confidenceWindow)
    }
  }
}

/// A model behind endpoints.
struct EndpointSubject: BenchmarkSubject {
  let endpoint: EndpointModel
  let concurrency: Int
  let flags: EndpointFlags

  var name: String { endpoint.name }

  func benchmark(_ found: FoundBenchmark) throws -> Benchmark {
    guard let benchmark = found.items else {
      throw UserError("\(found.definition.name) scores a text; endpoints are asked questions")
    }
    return benchmark
  }

  func sampling(_ flags: SamplingFlags) throws -> Sampling {
    if endpoint.dialect == .bitbudget {
      return Sampling(try flags.options(generationConfig: endpoint.generationConfig))
    }
    return try flags.said()
  }

  func source() throws -> ReplySource {
    ReplySource(name: "--endpoint", facts: endpoint.facts) {
      EndpointResponder(
        endpoint, concurrency: concurrency, attempts: flags.attempts ?? 5,
        patience: flags.place.patience)
    }
  }

  func earlierSource() -> ReplySource? { nil }
}
