import Foundation
import JSON
import Tensors

/// The `config.json` and `generation_config.json` of a model folder, made from a GGUF file's
/// metadata and tensors.
struct GGUFConfiguration {
  let metadata: GGUFMetadata
  let architecture: GGUFArchitecture
  let tensors: [String: GGUFHeader.Entry]
  private let rotaryFactors: GGUFRotaryFactors?

  /// Heads, their widths and experts: beyond that their products would not fit a number.
  static let headRange = 1...1 << 20

  init(
    _ metadata: GGUFMetadata, _ architecture: GGUFArchitecture,
    tensors: [String: GGUFHeader.Entry], rotaryFactors: GGUFRotaryFactors?
  ) {
    self.metadata = metadata
    self.rotaryFactors = rotaryFactors
    self.tensors = tensors
    self.architecture = architecture
  }

  // MARK: config.json

  /// The members of `config.json`.
  ///
  /// - Throws: `CheckpointError.value` naming the key; `.unsupported`.
  func config() throws(CheckpointError) -> OrderedObject<JSONValue> {
    try refuseUnknown()
    let hidden = try size("embedding_length")
    var members: OrderedObject<JSONValue> = [
      "hidden_size": .integer(hidden), "num_hidden_layers": .integer(try layers()),
      "num_attention_heads": .integer(try heads("attention.head_count")),
      "max_position_embeddings": .integer(try size("context_length")),
      "vocab_size": .integer(try vocabularySize()), "torch_dtype": .string(elementType),
      "tie_word_embeddings": .bool(tensors["output.weight"] == nil),
      "rope_theta": .number(try number("rope.freq_base") ?? 10_000),
    ]
    if let id = try tokenID("bos_token_id") { members["bos_token_id"] = .integer(id) }
    if let id = try tokenID("eos_token_id") { members["eos_token_id"] = .integer(id) }
    switch architecture.style {
    case .falcon: try addFalcon(to: &members)
    case .llama: try addLlamaStyle(to: &members, hidden: hidden)
    case .hybrid:
      try addLlamaStyle(to: &members, hidden: hidden)
      try addLinearAttention(to: &members)
    }
    if architecture.hasExperts { try addExperts(to: &members) }
    return members
  }

  private func addLlamaStyle(
    to members: inout OrderedObject<JSONValue>, hidden: Int
  ) throws(CheckpointError) {
    let heads = try heads("attention.head_count")
    let dimension = try sizeIfPresent("attention.key_length") ?? hidden / max(heads, 1)
    guard try sizeIfPresent("attention.value_length") ?? dimension == dimension else {
      throw metadata.wrong(key("attention.value_length"), expected: "\(dimension), as keys have")
    }
    let rotated = try sizeIfPresent("rope.dimension_count") ?? dimension
    guard architecture.isHybrid ? rotated <= dimension : rotated == dimension else {
      throw metadata.wrong(key("rope.dimension_count"), expected: "\(dimension), a whole head")
    }
    if rotated < dimension {
      let part = Double(rotated) / Double(dimension)
      // Read as a number of values again, it must not lose one to rounding.
      members["partial_rotary_factor"] = .number(
        Int(Double(dimension) * part) == rotated ? part : part.nextUp)
    }
    members["model_type"] = .string(architecture.modelType)
    members["architectures"] = .array([.string(architecture.className)])
    members["num_key_value_heads"] = .integer(
      metadata.values[key("attention.head_count_kv")] == nil
        ? heads : try self.heads("attention.head_count_kv"))
    members["head_dim"] = .integer(dimension)
    // Where all layers have experts, a file need not say it.
    if !architecture.hasExperts || metadata.values[key("feed_forward_length")] != nil {
      members["intermediate_size"] = .integer(try self.heads("feed_forward_length"))
    }
    members["hidden_act"] = .string("silu")
    guard let epsilon = try number("attention.layer_norm_rms_epsilon") else {
      throw metadata.wrong(key("attention.layer_norm_rms_epsilon"), expected: "a number")
    }
    // A float of 32 bits is written as the shortest decimal that gives it again: 1e-06.
    members["rms_norm_eps"] = .number(Double("\(Float(epsilon))") ?? epsilon)
    let hasBias = tensors.keys.contains { $0.hasSuffix(".attn_q.bias") }
    if architecture.name != "qwen2" { members["attention_bias"] = .bool(hasBias) }
    if let window = try metadata.integerIfPresent(
      key("attention.sliding_window"), in: 0...Int(Int32.max)), window > 0
    {
      members["sliding_window"] = .integer(window)
      members["use_sliding_window"] = .bool(true)
      // The family of that architecture whose layers see a window.
      if architecture.name == "llama" {
        guard !hasBias else {
          throw .unsupported(
            file: metadata.file,
            feature: "\(key("attention.sliding_window")) = \(window) beside biases of attention")
        }
        members["model_type"] = .string("mistral")
        members["architectures"] = .array([.string("MistralForCausalLM")])
      }
    }
    if let scaling = try ropeScaling(rotated) { members["rope_scaling"] = scaling }
  }

  private func addFalcon(to members: inout OrderedObject<JSONValue>) throws(CheckpointError) {
    guard rotaryFactors == nil else {
      throw .unsupported(
        file: metadata.file,
        feature: "tensor \(GGUFRotaryFactors.tensorName) in a model of architecture falcon")
    }
    let kvHeads = try sizeIfPresent("attention.head_count_kv") ?? 1
    let isNew = tensors["blk.0.attn_norm_2.weight"] != nil || kvHeads > 1
    members["model_type"] = .string("falcon")
    members["architectures"] = .array([.string("FalconForCausalLM")])
    members["num_kv_heads"] = .integer(kvHeads)
    members["multi_query"] = .bool(kvHeads == 1)
    members["new_decoder_architecture"] = .bool(isNew)
    if isNew {
      members["num_ln_in_parallel_attn"] = .integer(
        tensors["blk.0.attn_norm_2.weight"] == nil ? 1 : 2)
    }
    members["parallel_attn"] = .bool(true)
    members["bias"] = .bool(tensors["blk.0.attn_qkv.bias"] != nil)
    members["alibi"] = .bool(false)
    members["activation"] = .string("gelu")
    if let width = try sizeIfPresent("feed_forward_length") {
      members["ffn_hidden_size"] = .integer(width)
    }
    let epsilon = try number("attention.layer_norm_epsilon") ?? 1e-5
    members["layer_norm_epsilon"] = .number(Double("\(Float(epsilon))") ?? epsilon)
  }

  /// What changes results and is not read here must not be passed over.
  private func refuseUnknown() throws(CheckpointError) {
    let ofExperts = architecture.hasExperts ? [] : ["expert_count"]
    let ofDrafts = architecture.isHybrid ? [] : ["nextn_predict_layers"]
    let ofAll = [
      "attention.logit_softcapping", "attn_logit_softcapping", "final_logit_softcapping",
      "attention.scale", "residual_scale", "embedding_scale", "logit_scale",
      "attention.clamp_kqv", "attention.max_alibi_bias", "expert_group_count",
      "expert_group_used_count",
    ]
    for name in ofExperts + ofDrafts + ofAll {
      switch metadata.values[key(name)] {
      case nil, .integer(0)?, .number(0)?, .bool(false)?: break
      case let value?:
        throw .unsupported(file: metadata.file, feature: "\(key(name)) = \(value.summary)")
      }
    }
  }

  private func ropeScaling(_ dimension: Int) throws(CheckpointError) -> JSONValue? {
    let type = try metadata.stringIfPresent(key("rope.scaling.type")) ?? "none"
    if let rotaryFactors {
      guard type == "none" else {
        throw .unsupported(
          file: metadata.file,
          feature:
            "\(key("rope.scaling.type")) \(type) beside the tensor \(GGUFRotaryFactors.tensorName)")
      }
      return try rotaryFactors.scaling(
        dimension: dimension, theta: try number("rope.freq_base") ?? 10_000,
        context: try size("context_length"), file: metadata.file)
    }
    if type == "none" {
      if let factor = try number("rope.scale_linear"), factor != 1 {
        return .object(["rope_type": .string("linear"), "factor": .number(factor)])
      }
      return nil
    }
    var members: OrderedObject<JSONValue> = ["rope_type": .string(type)]
    guard let factor = try number("rope.scaling.factor") else {
      throw metadata.wrong(key("rope.scaling.factor"), expected: "a number")
    }
    members["factor"] = .number(factor)
    if let context = try number("rope.scaling.original_context_length"), context > 0 {
      members["original_max_position_embeddings"] = .number(context)
    }
    for (name, member) in [("yarn_beta_fast", "beta_fast"), ("yarn_beta_slow", "beta_slow")] {
      if let value = try number("rope.scaling." + name) { members[member] = .number(value) }
    }
    // There it is a factor beside that of YaRN, here it stands for both.
    if type == "yarn", let own = try number("rope.scaling.attn_factor"), own != 1 {
      members["attention_factor"] = .number(own * (0.1 * log(factor) + 1))
    }
    return .object(members)
  }

  // MARK: generation_config.json

  /// The members of `generation_config.json`: what ends a text, and how the authors draw tokens.
  func generationConfig() throws(CheckpointError) -> OrderedObject<JSONValue> {
    var members: OrderedObject<JSONValue> = [:]
    var ends: [JSONValue] = []
    for name in ["eos_token_id", "eot_token_id", "eom_token_id"] {
      if let id = try tokenID(name), !ends.contains(.integer(id)) { ends.append(.integer(id)) }
    }
    if !ends.isEmpty { members["eos_token_id"] = .array(ends) }
    if let id = try tokenID("bos_token_id") { members["bos_token_id"] = .integer(id) }
    let names = [
      "temp": "temperature", "top_k": "top_k", "top_p": "top_p", "min_p": "min_p",
      "penalty_repeat": "repetition_penalty",
    ]
    for (name, member) in names {
      guard let value = try metadata.numberIfPresent("general.sampling." + name) else { continue }
      let isInteger = name == "top_k" && value == value.rounded() && abs(value) < 1e9
      members[member] =
        isInteger ? .integer(Int(value)) : .number(Double("\(Float(value))") ?? value)
      members["do_sample"] = .bool(true)
    }
    return members
  }

  // MARK: Values

  func key(_ name: String) -> String { architecture.name + "." + name }

  /// Blocks that make logits, without those behind them that draft tokens.
  func layers() throws(CheckpointError) -> Int {
    let count = try size("block_count")
    let drafting = try metadata.integerIfPresent(
      key("nextn_predict_layers"), in: 0...Int(Int32.max))
    guard count > drafting ?? 0 else {
      throw metadata.wrong(
        key("block_count"), expected: "more than the \(drafting ?? 0) that draft tokens")
    }
    return count - (drafting ?? 0)
  }

  func size(_ name: String) throws(CheckpointError) -> Int {
    try metadata.integer(key(name), in: 1...Int(Int32.max))
  }

  func sizeIfPresent(_ name: String) throws(CheckpointError) -> Int? {
    try metadata.integerIfPresent(key(name), in: 1...Int(Int32.max))
  }

  /// A size that may be given for each layer, where all have to be alike.
  func heads(_ name: String) throws(CheckpointError) -> Int {
    guard case .integers(var values)? = metadata.values[key(name)] else { return try size(name) }
    // Layers of linear attention have no such heads.
    if architecture.isHybrid { values.removeAll { $0 == 0 } }
    guard let first = values.first, first > 0, first <= Int(Int32.max),
      values.allSatisfy({ $0 == first })
    else { throw metadata.wrong(key(name), expected: "the same for every layer") }
    return first
  }

  func number(_ name: String) throws(CheckpointError) -> Double? {
    try metadata.numberIfPresent(key(name))
  }

  private func tokenID(_ name: String) throws(CheckpointError) -> Int? {
    // Absent ids are written as 0 or as all ones.
    let value = try metadata.integerIfPresent("tokenizer.ggml." + name, in: 0...Int(UInt32.max))
    return value.flatMap { $0 <= Int(Int32.max) ? $0 : nil }
  }

  private func vocabularySize() throws(CheckpointError) -> Int {
    guard let embedding = tensors["token_embd.weight"] else {
      throw .noTensor(directory: metadata.file, tensor: "token_embd.weight")
    }
    guard embedding.shape.count == 2 else {
      throw .shape(tensor: embedding.name, expected: [0, 0], found: embedding.shape)
    }
    return embedding.shape[0]
  }

  /// The element type of what is not quantized, for a writer of the model.
  private var elementType: String {
    let types = Set(tensors.values.lazy.filter { $0.shape.count > 1 }.map(\.type))
    if types.contains(.plain(.bf16)) { return "bfloat16" }
    return types == [.plain(.f32)] ? "float32" : "float16"
  }
}
