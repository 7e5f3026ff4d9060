import ModelLoader

/// Dense Qwen3 (arXiv:2505.09388): per-head norms of queries and keys, no biases unless the config
/// asks.
public struct Qwen3: StyledFamily {
  /// The values of `model_type` this family answers for.
  public static let modelTypes = ["qwen3"]
  /// What people call its models.
  public static let title = "Qwen3"
  let style: LlamaStyle

  /// Reads what a configuration says; see `ModelFamily`.
  public init(_ config: JSONObject) throws(CheckpointError) {
    style = try LlamaStyle(
      config, theta: 10_000,
      attentionBias: try config.boolIfPresent("attention_bias") ?? false ? .all : .none,
      normalizesHeads: true, window: .qwen)
  }
}
