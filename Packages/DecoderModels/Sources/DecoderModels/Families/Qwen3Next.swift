import ModelLoader

/// Qwen3-Next (80B-A3B): the blocks of Qwen3.5 with experts, whose linear attention has its
/// projections grouped by key head.
public struct Qwen3Next: StyledFamily {
  /// The values of `model_type` this family answers for.
  public static let modelTypes = ["qwen3_next"]
  /// What people call its models.
  public static let title = "Qwen3-Next (80B-A3B)"
  let style: QwenHybrid
  private let experts: Experts
  /// Of the layers without experts, where there are any.
  private let intermediateSize: Int

  /// Reads what a configuration says; see `ModelFamily`.
  public init(_ config: JSONObject) throws(CheckpointError) {
    style = try QwenHybrid(config, deltaInputs: .grouped)
    experts = try Experts(config, isShared: true, normalizesByDefault: true)
    intermediateSize = try config.integer("intermediate_size", in: SaneLimits.width)
  }

  func feedForward(
    _ layer: Int, _ prefix: String, from source: any TensorSource
  ) throws(CheckpointError) -> any FeedForward {
    let hidden = shape.hiddenSize
    guard experts.serve(layer) else {
      return try GatedFeedForward(prefix, width: intermediateSize, hidden: hidden, from: source)
    }
    return try experts.feedForward(prefix, hidden: hidden, from: source)
  }
}
