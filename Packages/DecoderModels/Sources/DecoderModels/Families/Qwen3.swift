import ModelLoader

/// Dense Qwen3 (arXiv:2505.09388): per-head norms of queries and keys, no biases unless the config asks.
public enum Qwen3: ModelFamily {
  /// The values of `model_type` this family answers for.
  public static let modelTypes = ["qwen3"]

  /// Reads the sizes and switches of a model.
  public static func decoderConfig(_ config: JSONObject) throws(CheckpointError) -> DecoderConfig {
    try DecoderConfig(
      llamaStyle: config, theta: 10_000, epsilon: 1e-6,
      bias: try config.boolIfPresent("attention_bias") ?? false ? .all : .none,
      normalizesQueriesAndKeys: true)
  }
}
