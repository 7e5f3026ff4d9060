import ModelLoader

/// Llama 2 and 3: no per-head norms; Llama 3.1 scales its rotary frequencies in three bands.
public struct Llama: StyledFamily {
  /// The values of `model_type` this family answers for.
  public static let modelTypes = ["llama"]
  /// What people call its models.
  public static let title = "Llama 2 and 3"
  let style: LlamaStyle

  /// Reads what a configuration says; see `ModelFamily`.
  public init(_ config: JSONObject) throws(CheckpointError) {
    style = try LlamaStyle(
      config, theta: 10_000,
      attentionBias: try config.boolIfPresent("attention_bias") ?? false ? .all : .none,
      feedForwardBias: try config.boolIfPresent("mlp_bias") ?? false)
  }
}
