import ModelLoader

/// Qwen2, Qwen2.5 and QwQ: as Qwen3 with biases on q, k and v and without the per-head norms.
public enum Qwen2: ModelFamily {
  /// The values of `model_type` this family answers for.
  public static let modelTypes = ["qwen2"]

  /// Reads the sizes and switches of a model.
  public static func decoderConfig(_ config: JSONObject) throws(CheckpointError) -> DecoderConfig {
    try DecoderConfig(
      llamaStyle: config, theta: 10_000, epsilon: 1e-6, bias: .queryKeyValue,
      normalizesQueriesAndKeys: false)
  }
}
