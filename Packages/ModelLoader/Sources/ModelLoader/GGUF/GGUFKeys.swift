import Foundation
import JSON

/// The metadata of a GGUF file made from a model folder's `config.json` and
/// `generation_config.json`: the inverse of `GGUFConfiguration`.
struct GGUFKeys {
  /// The architecture that is written.
  let kind: GGUFArchitecture
  /// Its name, with which its keys begin.
  var architecture: String { kind.name }
  /// What the rotary frequencies are divided by, where the file has a tensor for that; see
  /// `GGUFRotaryFactors`.
  let rotaryFactors: [Float]?
  /// Experts of a layer; 0 where there are none.
  let experts: Int
  private let config: JSONObject
  private let generation: JSONObject?

  /// - Throws: `.unsupported` for a family that is not written, `.value` naming a key.
  init(config: JSONObject, generation: JSONObject?) throws(CheckpointError) {
    self.config = config
    self.generation = generation
    let modelType = try config.string("model_type")
    guard let written = GGUFArchitecture.written(modelType: modelType) else {
      throw .unsupported(
        file: config.file,
        feature: "model_type \(modelType) in GGUF files (written are "
          + GGUFArchitecture.all.filter(\.isWritten).map(\.modelType).joined(separator: ", ") + ")")
    }
    kind = written
    for key in ["alibi", "use_sliding_window"] {
      guard try !(config.boolIfPresent(key) ?? false) else {
        throw .unsupported(file: config.file, feature: "\(key) in GGUF files")
      }
    }
    experts = kind.hasExperts ? try Self.experts(config) : 0
    rotaryFactors =
      kind.isFalcon ? nil : try Self.rotaryFactors(config)
  }

  /// The number of experts, where all layers have them and their weights are divided by their sum,
  /// as llama.cpp takes for granted.
  private static func experts(_ config: JSONObject) throws(CheckpointError) -> Int {
    let range = 1...Int(Int32.max)
    let dense = try config.integersIfPresent("mlp_only_layers", in: 0...Int(Int32.max)) ?? []
    guard dense.isEmpty, try config.integerIfPresent("decoder_sparse_step", in: range) ?? 1 == 1
    else {
      throw .unsupported(file: config.file, feature: "layers without experts in GGUF files")
    }
    guard try config.boolIfPresent("norm_topk_prob") ?? false else {
      throw .unsupported(
        file: config.file, feature: "norm_topk_prob = false in GGUF files")
    }
    return try config.integer(
      config.has("num_experts") ? "num_experts" : "num_local_experts", in: range)
  }

  /// Sets the keys of the model's sizes.
  ///
  /// - Throws: `.value` naming a key of `config.json`, `.unsupported` for a scaling that cannot be
  ///   written.
  func add(to entries: inout GGUFEntries) throws(CheckpointError) {
    let sizes = 1...Int(Int32.max)
    let hidden = try config.integer("hidden_size", in: sizes)
    let heads = try config.integer("num_attention_heads", in: sizes)
    let context = try config.integerIfPresent("max_position_embeddings", in: sizes) ?? 2048
    let head = try Self.headSize(config)
    func set(_ name: String, _ value: Int) { entries.set("\(architecture).\(name)", value) }
    func set(_ name: String, _ value: Double) {
      entries.set("\(architecture).\(name)", Float(value))
    }
    set("block_count", try config.integer("num_hidden_layers", in: sizes))
    set("context_length", context)
    set("embedding_length", hidden)
    set("attention.head_count", heads)
    set("rope.dimension_count", head)
    set("rope.freq_base", try Self.theta(config))
    set("vocab_size", try config.integer("vocab_size", in: sizes))
    if kind.isFalcon {
      let kvHeads = try falconKVHeads(heads: heads)
      set("attention.head_count_kv", kvHeads)
      set(
        "feed_forward_length",
        try config.integerIfPresent("ffn_hidden_size", in: sizes) ?? 4 * hidden)
      set(
        "attention.layer_norm_epsilon",
        try config.numberIfPresent("layer_norm_epsilon", in: 0...1) ?? 1e-5)
      entries.set("falcon.tensor_data_layout", "jploski")
      return
    }
    set(
      "attention.head_count_kv",
      try config.integerIfPresent("num_key_value_heads", in: sizes) ?? heads)
    set("attention.key_length", head)
    set("attention.value_length", head)
    set("feed_forward_length", try config.integer("intermediate_size", in: sizes))
    set("attention.layer_norm_rms_epsilon", try config.number("rms_norm_eps", in: 0...1))
    if experts > 0 {
      set("expert_count", experts)
      set("expert_used_count", try config.integer("num_experts_per_tok", in: sizes))
      set("expert_feed_forward_length", try config.integer("moe_intermediate_size", in: sizes))
    }
    try addScaling(to: &entries, context: context)
  }

  private func falconKVHeads(heads: Int) throws(CheckpointError) -> Int {
    if try config.boolIfPresent("new_decoder_architecture") ?? false {
      return try config.integerIfPresent("num_kv_heads", in: 1...Int(Int32.max)) ?? heads
    }
    return try config.boolIfPresent("multi_query") ?? true ? 1 : heads
  }

  /// The object that says how the frequencies are scaled, under its old or its new name.
  private static func ropeParameters(_ config: JSONObject) throws(CheckpointError) -> JSONObject? {
    let new = try config.objectIfPresent("rope_parameters")
    let old = try config.objectIfPresent("rope_scaling")
    return new ?? old
  }

  private static func ropeType(_ object: JSONObject?) throws(CheckpointError) -> String {
    guard let object else { return "default" }
    let (new, old) = (
      try object.stringIfPresent("rope_type"), try object.stringIfPresent("type")
    )
    return new ?? old ?? "default"
  }

  private static func theta(_ config: JSONObject) throws(CheckpointError) -> Double {
    let range = 1...1e12
    let nested = try config.objectIfPresent("rope_parameters")?.numberIfPresent(
      "rope_theta", in: range)
    let outer = try config.numberIfPresent("rope_theta", in: range)
    return nested ?? outer ?? 10_000
  }

  private static func headSize(_ config: JSONObject) throws(CheckpointError) -> Int {
    let sizes = 1...Int(Int32.max)
    if let size = try config.integerIfPresent("head_dim", in: sizes) { return size }
    return try config.integer("hidden_size", in: sizes)
      / config.integer("num_attention_heads", in: sizes)
  }

  private func addScaling(
    to entries: inout GGUFEntries, context: Int
  ) throws(CheckpointError) {
    guard let object = try Self.ropeParameters(config) else { return }
    let kind = try Self.ropeType(object)
    let prefix = architecture + ".rope.scaling."
    let positive = Double.leastNonzeroMagnitude...1e12
    switch kind {
    case "default", "llama3", "longrope": return
    case "linear":
      entries.set(prefix + "type", kind)
      entries.set(prefix + "factor", Float(try object.number("factor", in: 1...1e6)))
    case "yarn":
      let factor = try object.number("factor", in: 1...1e6)
      entries.set(prefix + "type", kind)
      entries.set(prefix + "factor", Float(factor))
      let original = try object.numberIfPresent("original_max_position_embeddings", in: positive)
      entries.set(prefix + "original_context_length", Int(original ?? Double(context)))
      for (key, name) in [("beta_fast", "yarn_beta_fast"), ("beta_slow", "yarn_beta_slow")] {
        if let value = try object.numberIfPresent(key, in: positive) {
          entries.set(prefix + name, Float(value))
        }
      }
      if let own = try object.numberIfPresent("attention_factor", in: positive) {
        entries.set(prefix + "attn_factor", Float(own / (0.1 * Foundation.log(factor) + 1)))
      }
      for key in ["mscale", "mscale_all_dim", "truncate"] where object.has(key) {
        throw .unsupported(file: config.file, feature: "\(key) of YaRN in GGUF files")
      }
    default:
      throw .unsupported(file: config.file, feature: "rope_scaling of type \(kind) in GGUF files")
    }
  }

  private static func rotaryFactors(_ config: JSONObject) throws(CheckpointError) -> [Float]? {
    guard let object = try ropeParameters(config) else { return nil }
    let positive = Double.leastNonzeroMagnitude...1e12
    switch try ropeType(object) {
    case "llama3":
      return try GGUFRotaryFactors.ofBands(
        factor: try object.number("factor", in: 1...1e6),
        low: try object.number("low_freq_factor", in: positive),
        high: try object.number("high_freq_factor", in: positive),
        context: try object.number("original_max_position_embeddings", in: positive),
        dimension: headSize(config), theta: theta(config)
      ).map { Float($0) }
    case "longrope":
      let long = try object.arrayIfPresent("long_factor") ?? []
      guard try object.arrayIfPresent("short_factor") ?? [] == long,
        try object.numberIfPresent("attention_factor", in: positive) == 1
      else {
        throw .unsupported(
          file: config.file, feature: "rope_scaling of type longrope in GGUF files")
      }
      return long.compactMap { $0.double.map { Float($0) } }
    default: return nil
    }
  }

  // MARK: generation_config.json

  /// The tokens that end a text: by `generation_config.json`, else by `config.json`.
  func endTokens() throws(CheckpointError) -> [Int] {
    try SpecialTokenIDs([generation, config].compactMap(\.self)).ends
  }

  /// Sets how the authors draw tokens.
  func addSampling(to entries: inout GGUFEntries) throws(CheckpointError) {
    guard let generation, try generation.boolIfPresent("do_sample") ?? true else { return }
    let range = 0.0...1e9
    for (key, name) in [("temperature", "temp"), ("top_p", "top_p"), ("min_p", "min_p")] {
      if let value = try generation.numberIfPresent(key, in: range) {
        entries.set("general.sampling." + name, Float(value))
      }
    }
    if let count = try generation.integerIfPresent("top_k", in: 0...Int(Int32.max)) {
      entries.set("general.sampling.top_k", count)
    }
    if let penalty = try generation.numberIfPresent("repetition_penalty", in: range), penalty != 1 {
      entries.set("general.sampling.penalty_repeat", Float(penalty))
    }
  }
}
