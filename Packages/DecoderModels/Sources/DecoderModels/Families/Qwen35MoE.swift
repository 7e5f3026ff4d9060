import ModelLoader

/// Qwen3.5 and 3.6 with experts: as the dense ones, but for the feed-forward layers, of whose
/// experts one sees all tokens. The weights of the others are always divided by their sum.
public struct Qwen35MoE: StyledFamily {
  /// The values of `model_type` this family answers for.
  public static let modelTypes = ["qwen3_5_moe", "qwen3_5_moe_text"]
  /// What people call its models.
  public static let title = "Qwen3.5 and 3.6 with experts (35B-A3B; text alone)"
  let style: QwenHybrid
  private let experts: Experts

  /// Reads what a configuration says; see `ModelFamily`.
  public init(_ config: JSONObject) throws(CheckpointError) {
    style = try QwenHybrid(config, deltaInputs: .separate)
    experts = try Experts(config.textModel(), isShared: true, normalizes: true)
  }

  func feedForward(
    _ layer: Int, _ prefix: String, from source: any TensorSource
  ) throws(CheckpointError) -> any FeedForward {
    try experts.feedForward(prefix, hidden: shape.hiddenSize, from: source)
  }
}
