/// What a tensor of a GGUF file is called in a model folder of the same family.
///
/// Source: PyPI gguf, tensor_mapping.py; ikawrakow/ik_llama.cpp, convert_hf_to_gguf.py.
struct GGUFNames {
  /// Tensors that stand for themselves.
  private let whole: [String: String]
  /// The parts of a block, behind `blk.N.`.
  private let parts: [String: String]
  /// The name of block N, without the number.
  private let block: String

  /// The names of an architecture; nil for one that is not known.
  init?(architecture: String, hasTwoNorms: Bool) {
    switch architecture {
    case "llama", "qwen2", "qwen3":
      self = .llamaStyle
    case "falcon":
      self = .falcon(hasTwoNorms: hasTwoNorms)
    default: return nil
    }
  }

  private init(whole: [String: String], block: String, parts: [String: String]) {
    self.whole = whole
    self.block = block
    self.parts = parts
  }

  private static let llamaStyle = GGUFNames(
    whole: [
      "token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head",
    ],
    block: "model.layers",
    parts: [
      "attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm",
      "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
      "attn_output": "self_attn.o_proj", "attn_q_norm": "self_attn.q_norm",
      "attn_k_norm": "self_attn.k_norm", "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj",
      "ffn_down": "mlp.down_proj",
    ])

  /// Falcon's small models have one norm for both halves of a block, the large ones one each.
  private static func falcon(hasTwoNorms: Bool) -> GGUFNames {
    var parts = [
      "attn_norm": "input_layernorm", "attn_qkv": "self_attention.query_key_value",
      "attn_output": "self_attention.dense", "ffn_up": "mlp.dense_h_to_4h",
      "ffn_down": "mlp.dense_4h_to_h",
    ]
    if hasTwoNorms {
      parts["attn_norm"] = "ln_mlp"
      parts["attn_norm_2"] = "ln_attn"
    }
    return GGUFNames(
      whole: [
        "token_embd": "transformer.word_embeddings", "output_norm": "transformer.ln_f",
        "output": "lm_head",
      ],
      block: "transformer.h", parts: parts)
  }

  /// Tensors that say nothing which the configuration does not say.
  static func isRedundant(_ name: String) -> Bool {
    name.hasSuffix(".attn_rot_embd") || name.hasSuffix(".attn.rot_embd") || name == "rope.freqs"
      || name == GGUFRotaryFactors.tensorName
  }

  /// The name in a model folder; nil for a tensor that has no place there.
  func hubName(of name: String) -> String? {
    guard let dot = name.lastIndex(of: ".") else { return nil }
    let (stem, suffix) = (name[..<dot], name[dot...])
    guard suffix == ".weight" || suffix == ".bias" else { return nil }
    if let known = whole[String(stem)] { return known + suffix }
    let fields = stem.split(separator: ".", omittingEmptySubsequences: false)
    guard fields.count == 3, fields[0] == "blk", let number = Int(fields[1]), number >= 0,
      String(number) == fields[1], let part = parts[String(fields[2])]
    else { return nil }
    return "\(block).\(number).\(part)\(suffix)"
  }

  /// The name in a GGUF file of a tensor of a model folder; nil for one that has no place there.
  func name(ofHub name: String) -> String? {
    guard let dot = name.lastIndex(of: ".") else { return nil }
    let (stem, suffix) = (String(name[..<dot]), name[dot...])
    guard suffix == ".weight" || suffix == ".bias" else { return nil }
    if let known = whole.first(where: { $0.value == stem }) { return known.key + suffix }
    guard stem.hasPrefix(block + ".") else { return nil }
    let rest = stem.dropFirst(block.count + 1)
    guard let end = rest.firstIndex(of: "."), let number = Int(rest[..<end]),
      let part = parts.first(where: { $0.value == rest[rest.index(after: end)...] })
    else { return nil }
    return "blk.\(number).\(part.key)\(suffix)"
  }
}
