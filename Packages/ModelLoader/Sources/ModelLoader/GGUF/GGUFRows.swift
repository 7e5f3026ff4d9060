/// Which rows of which matrices stand in another order in GGUF files than in model folders.
///
/// The queries and keys of architecture `llama` are stored for rotation of neighbours: within each
/// head, row `2i + j` is row `j D/2 + i` of the folder. The fused queries, keys and values of
/// Falcon are stored as all queries, all keys, all values. Source: ikawrakow/ik_llama.cpp,
/// convert_hf_to_gguf.py.
struct GGUFRows {
  private enum Kind { case asStored, interleavedHeads, fusedGroups }

  private let kind: Kind
  private let heads: Int
  private let kvHeads: Int

  init(_ config: JSONObject) throws(CheckpointError) {
    let range = 1...Int(Int32.max)
    heads = try config.integer("num_attention_heads", in: range)
    switch try config.string("model_type") {
    case "llama", "mistral":
      kind = .interleavedHeads
      kvHeads = try config.integer("num_key_value_heads", in: range)
    case "falcon":
      kind = .fusedGroups
      let isNew = try config.boolIfPresent("new_decoder_architecture") ?? false
      let isShared = try config.boolIfPresent("multi_query") ?? true
      kvHeads =
        isNew
        ? try config.integerIfPresent("num_kv_heads", in: range) ?? heads : isShared ? 1 : heads
    default:
      kind = .asStored
      kvHeads = heads
    }
  }

  /// The order of a tensor's rows, or nil when it is the folder's.
  ///
  /// - Throws: `.tensor` when there are not `count` rows of heads.
  func order(of name: String, count: Int, file: String) throws(CheckpointError) -> RowOrder? {
    let part = name.split(separator: ".").dropLast().last
    let groups: Int
    switch (kind, part) {
    case (.interleavedHeads, "attn_q"): groups = heads
    case (.interleavedHeads, "attn_k"): groups = kvHeads
    case (.fusedGroups, "attn_qkv"):
      guard heads % kvHeads == 0 else { return nil }
      groups = heads + 2 * kvHeads
    default: return nil
    }
    guard count % groups == 0, kind != .interleavedHeads || count / groups % 2 == 0 else {
      throw .tensor(file: file, tensor: name, reason: "\(count) rows for \(groups) heads")
    }
    let size = count / groups
    if kind == .interleavedHeads { return .interleaved(headSize: size) }
    return kvHeads == 1
      ? nil : .fusedGroups(headSize: size, queries: heads / kvHeads, groups: kvHeads)
  }
}
