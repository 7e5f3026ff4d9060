import ModelLoader

/// Dense Qwen3.5 and 3.6: three blocks of linear attention, then one that attends. Of checkpoints
/// that see images the text model is read; the vision tower and the heads that predict several
/// tokens (`mtp.`) are not.
public struct Qwen35: StyledFamily {
  /// The values of `model_type` this family answers for.
  public static let modelTypes = ["qwen3_5", "qwen3_5_text"]
  /// What people call its models.
  public static let title = "Qwen3.5 and 3.6 (dense; text alone)"
  let style: QwenHybrid
  private let intermediateSize: Int

  /// Reads what a configuration says; see `ModelFamily`.
  public init(_ config: JSONObject) throws(CheckpointError) {
    style = try QwenHybrid(config, deltaInputs: .separate)
    intermediateSize = try config.textModel().integer("intermediate_size", in: SaneLimits.width)
  }

  func feedForward(
    _ layer: Int, _ prefix: String, from source: any TensorSource
  ) throws(CheckpointError) -> any FeedForward {
    try GatedFeedForward(
      prefix, width: intermediateSize, hidden: shape.hiddenSize, from: source)
  }
}
