import ModelLoader

/// Maps the `config.json` of one family of models to the decoder; one small file per family.
public protocol ModelFamily: Sendable {
  /// The values of `model_type` this family answers for.
  static var modelTypes: [String] { get }

  /// Reads the sizes and switches of a model.
  ///
  /// - Throws: `CheckpointError.value` naming the key that is absent, out of range or contradictory.
  static func decoderConfig(_ config: JSONObject) throws(CheckpointError) -> DecoderConfig
}

/// The families known here.
public enum ModelFamilies {
  /// All families, in the order their names are listed in messages.
  public static let all: [any ModelFamily.Type] = [Qwen3.self, Qwen2.self, Llama.self]

  /// The decoder's configuration for the model in `config`.
  ///
  /// - Throws: `ModelError.unknownFamily`, or `CheckpointError` naming a key.
  public static func decoderConfig(_ config: JSONObject) throws -> DecoderConfig {
    let type = try config.string("model_type")
    for family in all where family.modelTypes.contains(type) {
      return try family.decoderConfig(config)
    }
    throw ModelError.unknownFamily(
      file: config.file, found: type, known: all.flatMap { $0.modelTypes })
  }
}

/// The largest values that are believed; anything beyond is a damaged file, not a model.
enum SaneLimits {
  static let width = 1...1_048_576
  static let heads = 1...65_536
  static let layers = 1...4_096
  static let vocabulary = 1...16_777_216
  static let context = 1...1_073_741_824
  static let epsilon = 0.0...1.0
}

extension DecoderConfig {
  /// The keys that Qwen and Llama share.
  ///
  /// - Parameters:
  ///   - config: `config.json`.
  ///   - theta: base of the rotary frequencies where the file names none.
  ///   - epsilon: the norms' epsilon where the file names none.
  ///   - bias: which attention projections carry a bias.
  ///   - normalizesQueriesAndKeys: whether queries and keys are normalised per head.
  /// - Throws: `CheckpointError.value` naming the key that is absent, out of range or contradictory.
  init(
    llamaStyle config: JSONObject, theta: Double, epsilon: Double, bias: AttentionBias,
    normalizesQueriesAndKeys: Bool
  ) throws(CheckpointError) {
    let heads = try config.integer("num_attention_heads", in: SaneLimits.heads)
    let kvHeads =
      try config.integerIfPresent("num_key_value_heads", in: SaneLimits.heads) ?? heads
    guard heads % kvHeads == 0 else {
      throw config.wrong(
        "num_attention_heads", expected: "a multiple of num_key_value_heads (\(kvHeads))")
    }
    let hidden = try config.integer("hidden_size", in: SaneLimits.width)
    let dimension =
      try config.integerIfPresent("head_dim", in: SaneLimits.width) ?? (hidden / heads)
    guard dimension > 0, dimension % 2 == 0 else {
      throw config.wrong("head_dim", expected: "an even number, at least 2")
    }
    let activation = try config.stringIfPresent("hidden_act") ?? "silu"
    guard activation == "silu" || activation == "swish" else {
      throw config.wrong("hidden_act", expected: "silu")
    }
    if try config.boolIfPresent("use_sliding_window") ?? false {
      throw .unsupported(file: config.file, feature: "use_sliding_window")
    }
    if let types = try config.stringsIfPresent("layer_types"),
      let other = types.first(where: { $0 != "full_attention" })
    {
      throw .unsupported(file: config.file, feature: "layer type \(other)")
    }
    let context = try config.integer("max_position_embeddings", in: SaneLimits.context)
    self.init(
      hiddenSize: hidden,
      intermediateSize: try config.integer("intermediate_size", in: SaneLimits.width),
      layers: try config.integer("num_hidden_layers", in: SaneLimits.layers),
      heads: heads, kvHeads: kvHeads, headDimension: dimension,
      vocabularySize: try config.integer("vocab_size", in: SaneLimits.vocabulary),
      contextLength: context,
      normEpsilon: Float(
        try config.numberIfPresent("rms_norm_eps", in: SaneLimits.epsilon) ?? epsilon),
      rotary: try RotaryConfig(
        config: config, dimension: dimension, defaultTheta: theta, contextLength: context),
      normalizesQueriesAndKeys: normalizesQueriesAndKeys, attentionBias: bias,
      tiesEmbeddings: try config.boolIfPresent("tie_word_embeddings") ?? false)
  }
}
