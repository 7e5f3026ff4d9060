import DecoderModels
import Evaluation
import KVCaches
import ModelLoader
import Tokenizer

/// What decides the replies of a model besides the questions and the sampler, as scenarios record
/// it: the same for a benchmark in this process and for a server that it asks.
public enum EngineFacts {
  /// Whether replies think for exactly their budget; it is the benchmark's to say.
  public static let forced = "forced"

  /// The facts of a model.
  ///
  /// - Parameters:
  ///   - checkpoint: the model; all of it is read for its digest.
  ///   - precision: how it is computed.
  ///   - kv: what its caches keep.
  ///   - forced: whether every reply thinks for exactly its thinking budget.
  ///   - confidenceWindow: tokens in a row over which replies say how sure the model was, if they do.
  /// - Returns: the facts by name.
  /// - Throws: `CheckpointError`, `ModelError` or `TokenizerError`: what is wrong with its files.
  public static func of(
    _ checkpoint: Checkpoint, _ precision: ComputePrecision, kv: KVPolicy, forced: Bool = false,
    confidenceWindow: Int? = nil
  ) throws -> [String: String] {
    var engine = [
      "model": checkpoint.modelName,
      "weights": try DecoderSource(checkpoint, families: Known.families).formatName(),
      "weights digest": try checkpoint.digest(),
      "kv": kv.description,
      "template digest": try templateDigest(checkpoint),
      "program": Program.version, Self.forced: word(forced),
    ]
    // Said only where it is not exact, so that journals written before the flag was there can go
    // on.
    let (numerics, headBits) = (precision.numerics, precision.headBits)
    if numerics != .exact { engine["numerics"] = numerics.rawValue }
    if headBits != .stored { engine["head bits"] = headBits.rawValue }
    if let confidenceWindow { engine["confidence"] = "\(confidenceWindow)" }
    return engine
  }

  /// The facts where the caches keep something else.
  public static func of(_ facts: [String: String], kv: KVPolicy) -> [String: String] {
    facts.merging(["kv": kv.description]) { $1 }
  }

  /// Yes or no.
  public static func word(_ flag: Bool) -> String { flag ? "yes" : "no" }

  /// The digest of the chat template, or `none` where the model has none.
  private static func templateDigest(_ checkpoint: Checkpoint) throws -> String {
    do {
      return Scenario.digest(of: try ChatTemplate.load(files: checkpoint.modelFiles).source)
    } catch TokenizerError.noChatTemplate {
      return "none"
    }
  }
}
