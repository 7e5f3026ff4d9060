import ModelLoader

/// What the hybrids of Qwen share: pre-norm blocks whose norms hold how far they are from 1; linear
/// attention in most of them, in the others attention with a gate behind it and rotary positions in
/// a part of each head.
struct QwenHybrid: FamilyStyle {
  /// How a file holds the layers before the recurrence of a `GatedDeltaNet`.
  enum DeltaInputs: Sendable {
    case separate
    case grouped
  }

  let shape: DecoderShape
  let epsilon: Float
  private let delta: DeltaHeads
  private let deltaInputs: DeltaInputs
  private let hasAttentionBias: Bool
  let prefix: String

  /// Reads the keys that the families share.
  ///
  /// - Parameters:
  ///   - config: `config.json`, whose `text_config` holds them where the model sees images too.
  ///   - deltaInputs: how its files hold the layers before the recurrence.
  /// - Throws: `CheckpointError.value` naming the key that is absent, out of range or
  ///   contradictory.
  init(_ config: JSONObject, deltaInputs: DeltaInputs) throws(CheckpointError) {
    let text = try config.textModel()
    prefix = config.has("text_config") ? "model.language_model." : "model."
    self.deltaInputs = deltaInputs
    let activation = try text.stringIfPresent("hidden_act") ?? "silu"
    guard activation == "silu" || activation == "swish" else {
      throw text.wrong("hidden_act", expected: "silu")
    }
    if try text.boolIfPresent("use_sliding_window") ?? false {
      throw .unsupported(file: text.file, feature: "use_sliding_window")
    }
    let heads = try text.attentionHeads(defaultDimension: 256)
    let layers = try text.integer("num_hidden_layers", in: SaneLimits.layers)
    let attends = try text.attendingLayers(of: layers)
    let delta = try DeltaHeads(text)
    let context =
      try text.integerIfPresent("max_position_embeddings", in: SaneLimits.context) ?? 32_768
    let outerTie = try config.boolIfPresent("tie_word_embeddings")
    let innerTie = try text.boolIfPresent("tie_word_embeddings")
    shape = DecoderShape(
      hiddenSize: try text.integer("hidden_size", in: SaneLimits.width), layers: layers,
      vocabularySize: try text.integer("vocab_size", in: SaneLimits.vocabulary),
      contextLength: context, heads: heads,
      rotary: try RotaryConfig(
        config: text, dimension: heads.dimension, defaultTheta: 10_000, partialFactor: 0.25,
        contextLength: context),
      tiesEmbeddings: outerTie ?? innerTie ?? false,
      fixedFloats: attends.map { $0 ? 0 : delta.stateFloats })
    epsilon = Float(try text.numberIfPresent("rms_norm_eps", in: SaneLimits.epsilon) ?? 1e-6)
    hasAttentionBias = try text.boolIfPresent("attention_bias") ?? false
    self.delta = delta
  }

  func mixer(
    _ layer: Int, _ prefix: String, from source: any TensorSource
  ) throws(CheckpointError) -> any Mixer {
    shape.cacheShape.attends(layer)
      ? try attention(prefix + "self_attn.", from: source)
      : try deltaNet(prefix + "linear_attn.", from: source)
  }

  /// Files hold how far the weights are from 1.
  func norm(
    _ name: String, _ count: Int, from source: any TensorSource
  ) throws(CheckpointError) -> Norm {
    try source.rmsNorm(name, count, epsilon: epsilon, offset: 1)
  }

  private func attention(
    _ prefix: String, from source: any TensorSource
  ) throws(CheckpointError) -> any Mixer {
    let (heads, hidden) = (shape.heads, shape.hiddenSize)
    func linear(_ name: String, _ rows: Int, _ columns: Int) throws(CheckpointError) -> Linear {
      try source.linear(prefix + name, rows: rows, columns: columns, bias: hasAttentionBias)
    }
    return Attention(
      heads,
      inputs: .separate(
        query: try linear("q_proj", 2 * heads.queryWidth, hidden),
        key: try linear("k_proj", heads.keyWidth, hidden),
        value: try linear("v_proj", heads.keyWidth, hidden)),
      output: try linear("o_proj", hidden, heads.queryWidth),
      queryNorm: try norm(prefix + "q_norm", heads.dimension, from: source),
      keyNorm: try norm(prefix + "k_norm", heads.dimension, from: source),
      position: shape.rotary.map { .rotary($0) } ?? .none, isGated: true)
  }

  private func deltaNet(
    _ prefix: String, from source: any TensorSource
  ) throws(CheckpointError) -> any Mixer {
    let hidden = shape.hiddenSize
    func linear(_ name: String, _ rows: Int) throws(CheckpointError) -> Linear {
      try source.linear(prefix + name, rows: rows, columns: hidden)
    }
    let inputs: GatedDeltaNet.Inputs =
      switch deltaInputs {
      case .separate:
        .separate(
          mixed: try linear("in_proj_qkv", delta.channels),
          gate: try linear("in_proj_z", delta.valueWidth),
          strength: try linear("in_proj_b", delta.values),
          decay: try linear("in_proj_a", delta.values))
      case .grouped:
        .grouped(
          mixed: try linear("in_proj_qkvz", delta.channels + delta.valueWidth),
          strengthAndDecay: try linear("in_proj_ba", 2 * delta.values))
      }
    return GatedDeltaNet(
      delta, inputs: inputs,
      convolution: try source.floats(
        prefix + "conv1d.weight", shape: [delta.channels, 1, delta.taps]),
      logRates: try source.vector(prefix + "A_log", count: delta.values),
      biases: try source.vector(prefix + "dt_bias", count: delta.values),
      norm: try source.rmsNorm(prefix + "norm", delta.valueDimension, epsilon: epsilon),
      output: try source.linear(prefix + "out_proj", rows: hidden, columns: delta.valueWidth))
  }
}

extension DeltaHeads {
  /// Reads the sizes of the linear attention.
  ///
  /// - Throws: `CheckpointError.value` naming the key that is out of range or contradictory.
  fileprivate init(_ config: JSONObject) throws(CheckpointError) {
    let keys = try config.integer("linear_num_key_heads", in: SaneLimits.heads)
    let values = try config.integer("linear_num_value_heads", in: SaneLimits.heads)
    guard values % keys == 0 else {
      throw config.wrong(
        "linear_num_value_heads", expected: "a multiple of linear_num_key_heads (\(keys))")
    }
    self.init(
      keys: keys, values: values,
      keyDimension: try config.integer("linear_key_head_dim", in: SaneLimits.headDimension),
      valueDimension: try config.integer("linear_value_head_dim", in: SaneLimits.headDimension),
      taps: try config.integerIfPresent("linear_conv_kernel_dim", in: 1...Self.mostTaps) ?? 4)
    guard SaneLimits.width.contains(channels) else {
      throw config.wrong(
        "linear_num_value_heads",
        expected: "heads whose widths add up to at most \(SaneLimits.width.upperBound)")
    }
  }
}

extension JSONObject {
  /// What a configuration says of the text model, which of one that sees images is a part of it.
  ///
  /// - Throws: `CheckpointError.value` where that part is no object.
  func textModel() throws(CheckpointError) -> JSONObject {
    try objectIfPresent("text_config") ?? self
  }

  /// Which layers attend to all tokens: those that `layer_types` says, or every
  /// `full_attention_interval`th.
  ///
  /// - Throws: `CheckpointError.value` where not every layer has a type, or none attends;
  ///   `.unsupported` for another type.
  fileprivate func attendingLayers(of layers: Int) throws(CheckpointError) -> [Bool] {
    guard let types = try stringsIfPresent("layer_types") else {
      let interval = try integerIfPresent("full_attention_interval", in: 1...layers) ?? 4
      guard interval <= layers else {
        throw wrong("num_hidden_layers", expected: "at least the interval of \(interval) layers")
      }
      return (1...layers).map { $0 % interval == 0 }
    }
    guard types.count == layers else {
      throw wrong("layer_types", expected: "\(layers) types, one for each layer")
    }
    let known = ["full_attention": true, "linear_attention": false]
    if let other = types.first(where: { known[$0] == nil }) {
      throw .unsupported(file: file, feature: "layer type \(other)")
    }
    guard types.contains("full_attention") else {
      throw wrong("layer_types", expected: "at least one full_attention")
    }
    return types.map { known[$0] == true }
  }
}
