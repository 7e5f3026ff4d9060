import ModelLoader

/// OPT (arXiv:2205.01068): learned positions, layer norms before or after the parts, plain
/// feed-forward layers with ReLU; the 350M model has an embedding narrower than its residual
/// stream.
public struct OPT: ModelFamily {
  /// The values of `model_type` this family answers for.
  public static let modelTypes = ["opt"]
  /// What people call its models.
  public static let title = "OPT"

  /// The sizes that hold for all blocks.
  public let shape: DecoderShape
  private let embeddingSize: Int
  private let intermediateSize: Int
  private let isPreNorm: Bool
  private let hasLastNorm: Bool
  private let hasBias: Bool
  private let hasNormWeights: Bool
  private let activation: PlainFeedForward.Activation

  /// Not in the configuration: the default of PyTorch's layer norm.
  private static let epsilon: Float = 1e-5
  /// The first rows of the table of positions are not used.
  private static let positionOffset = 2
  private static let prefix = "model.decoder."

  /// Reads what a configuration says; see `ModelFamily`.
  public init(_ config: JSONObject) throws(CheckpointError) {
    let hidden = try config.integer("hidden_size", in: SaneLimits.width)
    let heads = try config.integer("num_attention_heads", in: SaneLimits.heads)
    guard hidden % heads == 0 else {
      throw config.wrong("hidden_size", expected: "a multiple of num_attention_heads (\(heads))")
    }
    shape = DecoderShape(
      hiddenSize: hidden,
      layers: try config.integer("num_hidden_layers", in: SaneLimits.layers),
      vocabularySize: try config.integer("vocab_size", in: SaneLimits.vocabulary),
      contextLength: try config.integer("max_position_embeddings", in: SaneLimits.context),
      heads: AttentionHeads(queries: heads, keyValues: heads, dimension: hidden / heads),
      rotary: nil, tiesEmbeddings: try config.boolIfPresent("tie_word_embeddings") ?? true)
    embeddingSize =
      try config.integerIfPresent("word_embed_proj_dim", in: SaneLimits.width) ?? hidden
    intermediateSize = try config.integer("ffn_dim", in: SaneLimits.width)
    isPreNorm = try config.boolIfPresent("do_layer_norm_before") ?? true
    let removesLastNorm = try config.boolIfPresent("_remove_final_layer_norm") ?? false
    hasLastNorm = isPreNorm && !removesLastNorm
    hasBias = try config.boolIfPresent("enable_bias") ?? true
    hasNormWeights = try config.boolIfPresent("layer_norm_elementwise_affine") ?? true
    activation = try PlainFeedForward.Activation(
      config, key: "activation_function", default: "relu")
  }

  /// See `ModelFamily`.
  public func prefix(ofLayer layer: Int) -> String { Self.prefix + "layers.\(layer)." }

  /// See `ModelFamily`.
  public func embedding(from source: any TensorSource) throws(CheckpointError) -> TokenEmbedding {
    let names = [Self.prefix + "embed_tokens"] + (shape.tiesEmbeddings ? ["lm_head"] : [])
    return TokenEmbedding(
      tokens: try source.tokenMatrix(
        firstOf: names, rows: shape.vocabularySize, columns: embeddingSize),
      positions: .init(
        table: try source.matrix(
          Self.prefix + "embed_positions", rows: shape.contextLength + Self.positionOffset,
          columns: shape.hiddenSize), offset: Self.positionOffset),
      projection: embeddingSize == shape.hiddenSize
        ? nil
        : try source.linear(
          Self.prefix + "project_in", rows: shape.hiddenSize, columns: embeddingSize))
  }

  /// See `ModelFamily`.
  public func block(
    _ layer: Int, from source: any TensorSource
  ) throws(CheckpointError) -> DecoderBlock {
    let (prefix, hidden) = (prefix(ofLayer: layer), shape.hiddenSize)
    func linear(_ name: String, _ rows: Int, _ columns: Int) throws(CheckpointError) -> Linear {
      try source.linear(prefix + name, rows: rows, columns: columns, bias: hasBias)
    }
    return DecoderBlock(
      isPreNorm ? .preNorm : .postNorm,
      norms: [
        try norm(prefix + "self_attn_layer_norm", from: source),
        try norm(prefix + "final_layer_norm", from: source),
      ],
      mixer: Attention(
        shape.heads,
        inputs: .separate(
          query: try linear("self_attn.q_proj", hidden, hidden),
          key: try linear("self_attn.k_proj", hidden, hidden),
          value: try linear("self_attn.v_proj", hidden, hidden)),
        output: try linear("self_attn.out_proj", hidden, hidden), position: .none),
      feedForward: PlainFeedForward(
        up: try linear("fc1", intermediateSize, hidden),
        down: try linear("fc2", hidden, intermediateSize), activation: activation))
  }

  /// See `ModelFamily`.
  public func head(from source: any TensorSource) throws(CheckpointError) -> OutputHead {
    OutputHead(
      norm: hasLastNorm ? try norm(Self.prefix + "final_layer_norm", from: source) : nil,
      projection: embeddingSize == shape.hiddenSize
        ? nil
        : try source.linear(
          Self.prefix + "project_out", rows: embeddingSize, columns: shape.hiddenSize),
      weights: shape.tiesEmbeddings
        ? nil
        : try source.tokenMatrix(
          firstOf: ["lm_head"], rows: shape.vocabularySize, columns: embeddingSize))
  }

  private func norm(_ name: String, from source: any TensorSource) throws(CheckpointError) -> Norm {
    hasNormWeights
      ? try source.layerNorm(name, shape.hiddenSize, epsilon: Self.epsilon)
      : Norm(
        layer: [Float](repeating: 1, count: shape.hiddenSize), bias: nil, epsilon: Self.epsilon)
  }
}

extension PlainFeedForward.Activation {
  /// What a configuration names.
  ///
  /// - Throws: `CheckpointError.value` for one that is not known.
  init(_ config: JSONObject, key: String, default name: String) throws(CheckpointError) {
    switch try config.stringIfPresent(key) ?? name {
    case "relu": self = .relu
    case "gelu": self = .gelu
    default: throw config.wrong(key, expected: "relu or gelu")
    }
  }
}
