import ModelLoader

/// Dense Qwen3.5 and 3.6: three blocks of linear attention, then one that attends. Of checkpoints that see images the text model
/// is read; the vision tower and the heads that predict several tokens (`mtp.`) are not.
public struct Qwen35: ModelFamily {
  /// The values of `model_type` this family answers for.
  public static let modelTypes = ["qwen3_5", "qwen3_5_text"]
  private let style: QwenHybrid
  private let intermediateSize: Int

  /// Reads what a configuration says; see `ModelFamily`.
  public init(_ config: JSONObject) throws(CheckpointError) {
    style = try QwenHybrid(config, deltaInputs: .separate)
    let text = try config.objectIfPresent("text_config") ?? config
    intermediateSize = try text.integer("intermediate_size", in: SaneLimits.width)
  }

  /// See `ModelFamily`.
  public var shape: DecoderShape { style.shape }
  /// See `ModelFamily`.
  public func prefix(ofLayer layer: Int) -> String { style.prefix(ofLayer: layer) }
  /// See `ModelFamily`.
  public func embedding(from source: any TensorSource) throws(CheckpointError) -> TokenEmbedding {
    try style.embedding(from: source)
  }
  /// See `ModelFamily`.
  public func block(
    _ layer: Int, from source: any TensorSource
  ) throws(CheckpointError) -> DecoderBlock {
    try style.block(
      layer, from: source,
      feedForward: GatedFeedForward(
        style.prefix(ofLayer: layer) + "mlp.", width: intermediateSize,
        hidden: shape.hiddenSize, from: source))
  }
  /// See `ModelFamily`.
  public func head(from source: any TensorSource) throws(CheckpointError) -> OutputHead {
    try style.head(from: source)
  }
}
