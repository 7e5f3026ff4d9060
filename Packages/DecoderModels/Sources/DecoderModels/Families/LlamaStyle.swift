import ModelLoader

/// What Llama, Qwen and Mistral share: keys of the configuration, names of tensors, pre-norm blocks
/// of grouped-query attention with rotary positions and a gated feed-forward layer.
struct LlamaStyle: FamilyStyle {
  /// Which attention layers have a bias.
  enum AttentionBias: Sendable {
    case none
    case queryKeyValue
    /// q, k, v and o.
    case all
  }

  let shape: DecoderShape
  let prefix = "model."
  let intermediateSize: Int
  let epsilon: Float
  let attentionBias: AttentionBias
  let feedForwardBias: Bool
  let normalizesHeads: Bool
  let experts: Experts?

  /// Reads the keys that the families share.
  ///
  /// - Parameters:
  ///   - config: `config.json`.
  ///   - theta: base of the rotary frequencies where the file names none.
  ///   - attentionBias: which attention layers have a bias.
  ///   - feedForwardBias: whether the feed-forward layers have biases.
  ///   - normalizesHeads: whether queries and keys are normalized per head.
  ///   - experts: what stands in place of the feed-forward layers, in all layers or some.
  ///   - window: which keys say that layers see a window; nil where the family has none.
  /// - Throws: `CheckpointError.value` naming the key that is absent, out of range or
  ///   contradictory.
  init(
    _ config: JSONObject, theta: Double, attentionBias: AttentionBias = .none,
    feedForwardBias: Bool = false, normalizesHeads: Bool = false, experts: Experts? = nil,
    window: SlidingWindow? = nil
  ) throws(CheckpointError) {
    let heads = try config.attentionHeads()
    guard heads.dimension % 2 == 0 else {
      throw config.wrong("head_dim", expected: "an even number, at least 2")
    }
    let activation = try config.stringIfPresent("hidden_act") ?? "silu"
    guard activation == "silu" || activation == "swish" else {
      throw config.wrong("hidden_act", expected: "silu")
    }
    let context = try config.integer("max_position_embeddings", in: SaneLimits.context)
    let layers = try config.integer("num_hidden_layers", in: SaneLimits.layers)
    shape = DecoderShape(
      hiddenSize: try config.integer("hidden_size", in: SaneLimits.width), layers: layers,
      vocabularySize: try config.integer("vocab_size", in: SaneLimits.vocabulary),
      contextLength: context, heads: heads,
      rotary: try RotaryConfig(
        config: config, dimension: heads.dimension, defaultTheta: theta, contextLength: context),
      tiesEmbeddings: try config.boolIfPresent("tie_word_embeddings") ?? false,
      windows: try SlidingWindow.windows(config, layers: layers, context: context, by: window))
    intermediateSize = try config.integer("intermediate_size", in: SaneLimits.width)
    epsilon = Float(try config.numberIfPresent("rms_norm_eps", in: SaneLimits.epsilon) ?? 1e-6)
    self.attentionBias = attentionBias
    self.feedForwardBias = feedForwardBias
    self.normalizesHeads = normalizesHeads
    self.experts = experts
  }

  func norm(
    _ name: String, _ count: Int, from source: any TensorSource
  ) throws(CheckpointError) -> Norm {
    try source.rmsNorm(name, count, epsilon: epsilon)
  }

  func mixer(
    _ layer: Int, _ prefix: String, from source: any TensorSource
  ) throws(CheckpointError) -> any Mixer {
    let prefix = prefix + "self_attn."
    let (heads, hidden) = (shape.heads, shape.hiddenSize)
    let bias = attentionBias != .none
    func headNorm(_ name: String) throws(CheckpointError) -> Norm? {
      normalizesHeads ? try norm(prefix + name, heads.dimension, from: source) : nil
    }
    return Attention(
      heads,
      inputs: .separate(
        query: try source.linear(
          prefix + "q_proj", rows: heads.queryWidth, columns: hidden, bias: bias),
        key: try source.linear(
          prefix + "k_proj", rows: heads.keyWidth, columns: hidden, bias: bias),
        value: try source.linear(
          prefix + "v_proj", rows: heads.keyWidth, columns: hidden, bias: bias)),
      output: try source.linear(
        prefix + "o_proj", rows: hidden, columns: heads.queryWidth, bias: attentionBias == .all),
      queryNorm: try headNorm("q_norm"), keyNorm: try headNorm("k_norm"),
      position: shape.rotary.map { .rotary($0) } ?? .none,
      window: shape.cacheShape.window(layer))
  }

  func feedForward(
    _ layer: Int, _ prefix: String, from source: any TensorSource
  ) throws(CheckpointError) -> any FeedForward {
    if let experts, experts.serve(layer) {
      return try experts.feedForward(prefix, hidden: shape.hiddenSize, from: source)
    }
    return try GatedFeedForward(
      prefix, width: intermediateSize, hidden: shape.hiddenSize, bias: feedForwardBias,
      from: source)
  }
}

extension StyledFamily where Style == LlamaStyle {
  func feedForward(
    _ layer: Int, _ prefix: String, from source: any TensorSource
  ) throws(CheckpointError) -> any FeedForward {
    try style.feedForward(layer, prefix, from: source)
  }
}

extension GatedFeedForward {
  /// The layer whose tensors begin with `prefix`, by their usual names.
  ///
  /// - Throws: what `source` throws.
  init(
    _ prefix: String, width: Int, hidden: Int, bias: Bool = false, from source: any TensorSource
  ) throws(CheckpointError) {
    self.init(
      gate: try source.linear(prefix + "gate_proj", rows: width, columns: hidden, bias: bias),
      up: try source.linear(prefix + "up_proj", rows: width, columns: hidden, bias: bias),
      down: try source.linear(prefix + "down_proj", rows: hidden, columns: width, bias: bias))
  }
}

extension JSONObject {
  /// Query and KV heads and their width, by the usual keys; without `head_dim` the width is
  /// `defaultDimension`, or else what the heads share of the hidden size.
  ///
  /// - Throws: `CheckpointError.value` naming the key that is absent, out of range or
  ///   contradictory.
  func attentionHeads(
    defaultDimension: Int? = nil
  ) throws(CheckpointError) -> AttentionHeads {
    let heads = try integer("num_attention_heads", in: SaneLimits.heads)
    let kvHeads = try integerIfPresent("num_key_value_heads", in: SaneLimits.heads) ?? heads
    guard heads % kvHeads == 0 else {
      throw wrong(
        "num_attention_heads", expected: "a multiple of num_key_value_heads (\(kvHeads))")
    }
    let hidden = try integer("hidden_size", in: SaneLimits.width)
    let dimension = try integerIfPresent("head_dim", in: SaneLimits.width) ?? defaultDimension
    guard dimension != nil || hidden >= heads else {
      throw wrong("head_dim", expected: "a width, as hidden_size is \(hidden)")
    }
    return AttentionHeads(
      queries: heads, keyValues: kvHeads, dimension: dimension ?? hidden / heads)
  }
}
