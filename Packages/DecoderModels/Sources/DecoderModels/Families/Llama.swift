import ModelLoader

/// Llama 2 and 3: no per-head norms; Llama 3.1 scales its rotary frequencies in three bands.
public enum Llama: ModelFamily {
  /// The values of `model_type` this family answers for.
  public static let modelTypes = ["llama"]

  /// Reads the sizes and switches of a model.
  public static func decoderConfig(_ config: JSONObject) throws(CheckpointError) -> DecoderConfig {
    if try config.boolIfPresent("mlp_bias") ?? false {
      throw .unsupported(file: config.file, feature: "mlp_bias")
    }
    return try DecoderConfig(
      llamaStyle: config, theta: 10_000, epsilon: 1e-6,
      bias: try config.boolIfPresent("attention_bias") ?? false ? .all : .none,
      normalizesQueriesAndKeys: false)
  }
}
