import ModelLoader

/// Qwen2, Qwen2.5 and QwQ: as Qwen3 with biases on q, k and v and without the per-head norms.
public struct Qwen2: StyledFamily {
  /// The values of `model_type` this family answers for.
  public static let modelTypes = ["qwen2"]
  /// What people call its models.
  public static let title = "Qwen2, Qwen2.5 and QwQ"
  let style: LlamaStyle

  /// Reads what a configuration says; see `ModelFamily`.
  public init(_ config: JSONObject) throws(CheckpointError) {
    style = try LlamaStyle(config, theta: 10_000, attentionBias: .queryKeyValue, window: .qwen)
  }
}
