import ModelLoader

/// Falcon (arXiv:2311.16867): queries, keys and values from one layer; attention and feed-forward
/// side by side with one norm (7B, 11B) or two (40B, 180B), or one after the other with ALiBi (RW).
public struct Falcon: ModelFamily {
  /// The values of `model_type` this family answers for.
  public static let modelTypes = ["falcon"]
  /// What people call its models.
  public static let title = "Falcon (7B, 40B, RW)"

  /// The sizes that hold for all blocks.
  public let shape: DecoderShape
  private let intermediateSize: Int
  private let epsilon: Float
  private let hasBias: Bool
  private let hasALiBi: Bool
  private let activation: PlainFeedForward.Activation
  /// How the parts are put together, and the names of the norms.
  private let arrangement: DecoderBlock.Arrangement
  private let norms: [String]

  /// Reads what a configuration says; see `ModelFamily`.
  public init(_ config: JSONObject) throws(CheckpointError) {
    func either(
      _ keys: [String], in range: ClosedRange<Int>
    ) throws(CheckpointError) -> Int? {
      for key in keys {
        if let value = try config.integerIfPresent(key, in: range) { return value }
      }
      return nil
    }
    let hidden = try config.integer("hidden_size", in: SaneLimits.width)
    let headKey = config.has("num_attention_heads") ? "num_attention_heads" : "n_head"
    let heads = try config.integer(headKey, in: SaneLimits.heads)
    guard hidden % heads == 0 else {
      throw config.wrong("hidden_size", expected: "a multiple of \(headKey) (\(heads))")
    }
    let isNew = try config.boolIfPresent("new_decoder_architecture") ?? false
    let isMultiQuery = try config.boolIfPresent("multi_query") ?? true
    let isParallel = try config.boolIfPresent("parallel_attn") ?? true
    let kvHeads =
      isNew
      ? try either(["num_kv_heads", "n_head_kv"], in: SaneLimits.heads) ?? heads
      : isMultiQuery ? 1 : heads
    guard heads % kvHeads == 0 else {
      throw config.wrong("num_kv_heads", expected: "a divisor of \(headKey) (\(heads))")
    }
    hasALiBi = try config.boolIfPresent("alibi") ?? false
    let dimension = hidden / heads
    guard hasALiBi || dimension % 2 == 0 else {
      throw config.wrong("hidden_size", expected: "heads of an even width")
    }
    let layerKey = config.has("num_hidden_layers") ? "num_hidden_layers" : "n_layer"
    let context = try either(["max_position_embeddings"], in: SaneLimits.context) ?? 2048
    shape = DecoderShape(
      hiddenSize: hidden, layers: try config.integer(layerKey, in: SaneLimits.layers),
      vocabularySize: try config.integer("vocab_size", in: SaneLimits.vocabulary),
      contextLength: context,
      heads: AttentionHeads(queries: heads, keyValues: kvHeads, dimension: dimension),
      rotary: hasALiBi
        ? nil
        : try RotaryConfig(
          config: config, dimension: dimension, defaultTheta: 10_000, contextLength: context),
      tiesEmbeddings: try config.boolIfPresent("tie_word_embeddings") ?? true)
    intermediateSize =
      try config.integerIfPresent("ffn_hidden_size", in: SaneLimits.width) ?? 4 * hidden
    epsilon = Float(
      try config.numberIfPresent("layer_norm_epsilon", in: SaneLimits.epsilon) ?? 1e-5)
    hasBias = try config.boolIfPresent("bias") ?? false
    activation = try PlainFeedForward.Activation(config, key: "activation", default: "gelu")
    let parallelNorms =
      try config.integerIfPresent("num_ln_in_parallel_attn", in: 1...2) ?? (isNew ? 2 : 1)
    if isNew && parallelNorms == 2 {
      (arrangement, norms) = (.parallel, ["ln_attn", "ln_mlp"])
    } else if isNew || isParallel {
      (arrangement, norms) = (.parallel, ["input_layernorm"])
    } else {
      (arrangement, norms) = (.preNorm, ["input_layernorm", "post_attention_layernorm"])
    }
    if try config.boolIfPresent("apply_residual_connection_post_layernorm") ?? false {
      throw .unsupported(
        file: config.file, feature: "apply_residual_connection_post_layernorm")
    }
  }

  /// See `ModelFamily`.
  public func prefix(ofLayer layer: Int) -> String { "transformer.h.\(layer)." }

  /// See `ModelFamily`.
  public func embedding(from source: any TensorSource) throws(CheckpointError) -> TokenEmbedding {
    let names = ["transformer.word_embeddings"] + (shape.tiesEmbeddings ? ["lm_head"] : [])
    return TokenEmbedding(
      tokens: try source.tokenMatrix(
        firstOf: names, rows: shape.vocabularySize, columns: shape.hiddenSize))
  }

  /// See `ModelFamily`.
  public func block(
    _ layer: Int, from source: any TensorSource
  ) throws(CheckpointError) -> DecoderBlock {
    let (prefix, hidden, heads) = (prefix(ofLayer: layer), shape.hiddenSize, shape.heads)
    func linear(_ name: String, _ rows: Int, _ columns: Int) throws(CheckpointError) -> Linear {
      try source.linear(prefix + name, rows: rows, columns: columns, bias: hasBias)
    }
    var norms: [Norm] = []
    for name in self.norms {
      norms.append(try source.layerNorm(prefix + name, hidden, epsilon: epsilon))
    }
    return DecoderBlock(
      arrangement, norms: norms,
      mixer: Attention(
        heads,
        inputs: .fused(
          try linear(
            "self_attention.query_key_value", heads.queryWidth + 2 * heads.keyWidth, hidden)),
        output: try linear("self_attention.dense", hidden, heads.queryWidth),
        position: hasALiBi ? .alibi : shape.rotary.map { .rotary($0) } ?? .none),
      feedForward: PlainFeedForward(
        up: try linear("mlp.dense_h_to_4h", intermediateSize, hidden),
        down: try linear("mlp.dense_4h_to_h", hidden, intermediateSize), activation: activation))
  }

  /// See `ModelFamily`.
  public func head(from source: any TensorSource) throws(CheckpointError) -> OutputHead {
    OutputHead(
      norm: try source.layerNorm("transformer.ln_f", shape.hiddenSize, epsilon: epsilon),
      weights: shape.tiesEmbeddings
        ? nil
        : try source.tokenMatrix(
          firstOf: ["lm_head"], rows: shape.vocabularySize, columns: shape.hiddenSize))
  }
}
