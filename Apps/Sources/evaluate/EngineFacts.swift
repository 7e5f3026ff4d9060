import AppSupport
import DecoderModels
import Evaluation
import KVLayout
import ModelLoader
import TextGeneration
import Tokenizer

/// What decides the replies of a model in this process besides the benchmark and the sampler, for
/// the scenario of a run.
enum EngineFacts {
  /// The facts by name.
  ///
  /// - Throws: what is wrong with the model's files, naming them.
  static func of(
    _ checkpoint: Checkpoint, _ precision: ComputePrecision, kv: KVPolicy, isForced: Bool,
    confidenceWindow: Int? = nil
  ) throws -> [String: String] {
    var engine = [
      "model": checkpoint.modelName,
      "weights": try DecoderSource(checkpoint, families: Known.families).formatName(),
      "weights digest": try checkpoint.digest(),
      "kv": kv.description,
      "template digest": try templateDigest(checkpoint),
      "program": Program.version, "forced": isForced ? "yes" : "no",
    ]
    // Said only where it is not exact, so that journals written before the flag was there can go
    // on.
    let (numerics, headBits) = (precision.numerics, precision.headBits)
    if numerics != .exact { engine["numerics"] = numerics.rawValue }
    if headBits != .stored { engine["head bits"] = headBits.rawValue }
    if let confidenceWindow { engine["confidence"] = "\(confidenceWindow)" }
    return engine
  }

  /// The digest of the chat template, or `none` where the model has none.
  private static func templateDigest(_ checkpoint: Checkpoint) throws -> String {
    do {
      return Scenario.digest(of: try ChatTemplate.load(files: checkpoint.modelFiles).source)
    } catch TokenizerError.noChatTemplate {
      return "none"
    }
  }
}

extension SamplingFlags {
  /// How replies to a benchmark are drawn: flags before the benchmark's own settings before the
  /// model's.
  ///
  /// - Throws: `GenerationError.invalidOption`, or `CheckpointError.value` for a bad file.
  func options(for benchmark: Benchmark, _ checkpoint: Checkpoint) throws -> SamplingOptions {
    let own = benchmark.definition.sampling
    var flags = self
    if !greedy {
      flags.temperature = flags.temperature ?? own.temperature.map { Float($0) }
      flags.topP = flags.topP ?? own.topP.map { Float($0) }
      flags.topK = flags.topK ?? own.topK
      flags.minP = flags.minP ?? own.minP.map { Float($0) }
    }
    return try flags.optionsInForce(for: checkpoint)
  }
}
