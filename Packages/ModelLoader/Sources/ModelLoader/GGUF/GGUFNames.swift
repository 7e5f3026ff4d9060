/// What a tensor of a GGUF file is called in a model folder of the same family.
///
/// Source: PyPI gguf, tensor_mapping.py; ikawrakow/ik_llama.cpp, convert_hf_to_gguf.py.
struct GGUFNames {
  /// Tensors that stand for themselves.
  private let whole: [String: String]
  /// The parts of a block, behind `blk.N.`.
  private var parts: [String: String]
  /// Parts of a block whose names have no ending in a folder; here with theirs.
  private var bare: [String: String] = [:]
  /// Parts of a block that hold a matrix, or two, of each expert, and what these are in a folder.
  private var stacks: [String: [String]] = [:]
  /// The name of block N, without the number.
  private let block: String

  /// The names of an architecture.
  init(_ architecture: GGUFArchitecture, hasTwoNorms: Bool) {
    switch architecture.style {
    case .llama: self = .llamaStyle
    case .falcon: self = .falcon(hasTwoNorms: hasTwoNorms)
    case .hybrid:
      self = .llamaStyle
      parts.merge(Self.hybridParts) { _, new in new }
      bare = Self.hybridBare
    }
    if architecture.hasExperts {
      parts.merge(Self.expertParts) { _, new in new }
      stacks = Self.expertStacks
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

  /// Linear attention, and the norm behind either kind of attention.
  private static let hybridParts = [
    "attn_qkv": "linear_attn.in_proj_qkv", "attn_gate": "linear_attn.in_proj_z",
    "ssm_beta": "linear_attn.in_proj_b", "ssm_alpha": "linear_attn.in_proj_a",
    "ssm_conv1d": "linear_attn.conv1d", "ssm_norm": "linear_attn.norm",
    "ssm_out": "linear_attn.out_proj", "post_attention_norm": "post_attention_layernorm",
  ]
  private static let hybridBare = [
    "ssm_a": "linear_attn.A_log", "ssm_dt.bias": "linear_attn.dt_bias",
  ]

  /// The router, and the expert that sees all tokens.
  private static let expertParts = [
    "ffn_gate_inp": "mlp.gate", "ffn_gate_inp_shexp": "mlp.shared_expert_gate",
    "ffn_gate_shexp": "mlp.shared_expert.gate_proj", "ffn_up_shexp": "mlp.shared_expert.up_proj",
    "ffn_down_shexp": "mlp.shared_expert.down_proj",
  ]
  private static let expertStacks = [
    "ffn_gate_exps": ["gate_proj"], "ffn_up_exps": ["up_proj"], "ffn_down_exps": ["down_proj"],
    "ffn_gate_up_exps": ["gate_proj", "up_proj"],
  ]

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

  /// The block and the part that a name stands for, as in `blk.3.attn_q.weight`; nil for a tensor
  /// of no block.
  static func place(of name: String) -> (block: Int, part: String, ending: String)? {
    let fields = name.split(separator: ".", omittingEmptySubsequences: false)
    guard fields.count >= 3, fields[0] == "blk", let number = Int(fields[1]), number >= 0,
      String(number) == fields[1]
    else { return nil }
    return (number, String(fields[2]), fields.dropFirst(3).map { "." + $0 }.joined())
  }

  /// What the names of a block's tensors begin with in a model folder.
  func prefix(ofBlock number: Int) -> String { "\(block).\(number)." }

  /// The name in a model folder; nil for a tensor that has no place there.
  func hubName(of name: String) -> String? {
    if let (number, part, ending) = Self.place(of: name) {
      if let whole = bare[part + ending] { return prefix(ofBlock: number) + whole }
      guard ending == ".weight" || ending == ".bias", let part = parts[part] else { return nil }
      return prefix(ofBlock: number) + part + ending
    }
    guard let dot = name.lastIndex(of: "."), ["weight", "bias"].contains(name[dot...].dropFirst()),
      let known = whole[String(name[..<dot])]
    else { return nil }
    return known + name[dot...]
  }

  /// What a tensor holds of each expert, by the names of a folder; nil for one that is no stack of
  /// matrices.
  func stack(of name: String) -> (prefix: String, parts: [String])? {
    guard let (number, part, ending) = Self.place(of: name), ending == ".weight",
      let parts = stacks[part]
    else { return nil }
    return (prefix(ofBlock: number) + "mlp.experts.", parts)
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

  /// The tensor of a GGUF file that a matrix of an expert is part of, and which expert it is of; nil
  /// for other tensors.
  func stack(ofHub name: String) -> (name: String, expert: Int)? {
    guard name.hasPrefix(block + "."), name.hasSuffix(".weight") else { return nil }
    let fields = name.dropFirst(block.count + 1).split(separator: ".")
    guard fields.count == 6, fields[1] == "mlp", fields[2] == "experts",
      let number = Int(fields[0]), let expert = Int(fields[3]),
      let part = stacks.first(where: { $0.value == [String(fields[4])] })
    else { return nil }
    return ("blk.\(number).\(part.key).weight", expert)
  }
}
