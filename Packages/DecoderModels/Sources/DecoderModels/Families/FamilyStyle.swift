import ModelLoader

/// What several families share: pre-norm blocks under the usual names of tensors. A style says
/// which norms and mixers they have; a `StyledFamily` what stands behind the mixer.
protocol FamilyStyle: Sendable {
  /// The sizes that hold for all blocks.
  var shape: DecoderShape { get }
  /// What the names of all tensors but the head's begin with.
  var prefix: String { get }

  /// The norm of `count` numbers that is stored under `name`.
  func norm(_ name: String, _ count: Int, from source: any TensorSource) throws(CheckpointError)
    -> Norm

  /// What mixes the tokens in a layer, whose tensors begin with `prefix`.
  func mixer(
    _ layer: Int, _ prefix: String, from source: any TensorSource
  ) throws(CheckpointError) -> any Mixer
}

/// A family whose blocks follow a style, but for the feed-forward layers.
protocol StyledFamily: ModelFamily {
  associatedtype Style: FamilyStyle
  var style: Style { get }

  /// The feed-forward layer of a layer, whose tensors begin with `prefix`.
  func feedForward(
    _ layer: Int, _ prefix: String, from source: any TensorSource
  ) throws(CheckpointError) -> any FeedForward
}

extension StyledFamily {
  /// See `ModelFamily`.
  public var shape: DecoderShape { style.shape }

  /// See `ModelFamily`.
  public func prefix(ofLayer layer: Int) -> String { "\(style.prefix)layers.\(layer)." }

  /// See `ModelFamily`. Either name serves for a matrix that is both embedding and head.
  public func embedding(from source: any TensorSource) throws(CheckpointError) -> TokenEmbedding {
    let names = [style.prefix + "embed_tokens"] + (shape.tiesEmbeddings ? ["lm_head"] : [])
    return TokenEmbedding(
      tokens: try source.tokenMatrix(
        firstOf: names, rows: shape.vocabularySize, columns: shape.hiddenSize))
  }

  /// See `ModelFamily`.
  public func block(
    _ layer: Int, from source: any TensorSource
  ) throws(CheckpointError) -> DecoderBlock {
    let prefix = prefix(ofLayer: layer)
    return DecoderBlock(
      .preNorm,
      norms: [
        try style.norm(prefix + "input_layernorm", shape.hiddenSize, from: source),
        try style.norm(prefix + "post_attention_layernorm", shape.hiddenSize, from: source),
      ],
      mixer: try style.mixer(layer, prefix, from: source),
      feedForward: try feedForward(layer, prefix + "mlp.", from: source))
  }

  /// See `ModelFamily`.
  public func head(from source: any TensorSource) throws(CheckpointError) -> OutputHead {
    OutputHead(
      norm: try style.norm(style.prefix + "norm", shape.hiddenSize, from: source),
      weights: shape.tiesEmbeddings
        ? nil
        : try source.tokenMatrix(
          firstOf: ["lm_head"], rows: shape.vocabularySize, columns: shape.hiddenSize))
  }
}
