import ModelLoader

/// Qwen3 with experts (arXiv:2505.09388): as the dense one, but for the feed-forward layers of all
/// layers or of some.
public struct Qwen3MoE: StyledFamily {
  /// The values of `model_type` this family answers for.
  public static let modelTypes = ["qwen3_moe"]
  /// What people call its models.
  public static let title = "Qwen3 with experts (30B-A3B, 235B-A22B)"
  let style: LlamaStyle

  /// Reads what a configuration says; see `ModelFamily`.
  public init(_ config: JSONObject) throws(CheckpointError) {
    style = try LlamaStyle(
      config, theta: 10_000,
      attentionBias: try config.boolIfPresent("attention_bias") ?? false ? .all : .none,
      normalizesHeads: true, experts: Experts(config), window: .qwenMoE)
  }
}
