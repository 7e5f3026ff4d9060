import JSON

/// The keys of experts and of linear attention.
///
/// Source: ggml-org/llama.cpp, conversion/qwen.py, src/models/qwen3moe.cpp and qwen35.cpp.
extension GGUFConfiguration {
  /// Adds what `config.json` says of experts.
  ///
  /// - Throws: `.value` naming the key; `.unsupported` for a router of another kind.
  func addExperts(to members: inout OrderedObject<JSONValue>) throws(CheckpointError) {
    func count(_ name: String) throws(CheckpointError) -> Int {
      try metadata.integer(key(name), in: Self.headRange)
    }
    members["num_experts"] = .integer(try count("expert_count"))
    members["num_experts_per_tok"] = .integer(try count("expert_used_count"))
    members["moe_intermediate_size"] = .integer(try heads("expert_feed_forward_length"))
    // Files that do not say it are of models that do.
    let normalizes = try metadata.boolIfPresent(key("expert_weights_norm")) ?? true
    members["norm_topk_prob"] = .bool(normalizes)
    try refuse("expert_weights_norm", unless: normalizes || !architecture.isHybrid)
    let gating = try metadata.integerIfPresent(key("expert_gating_func"), in: 0...Int(Int32.max))
    try refuse("expert_gating_func", unless: [nil, 0, Self.softmax].contains(gating))
    let scale = try number("expert_weights_scale")
    try refuse("expert_weights_scale", unless: [nil, 0, 1].contains(scale))
    if architecture.isHybrid {
      let shared = "expert_shared_feed_forward_length"
      members["shared_expert_intermediate_size"] = .integer(
        try heads(metadata.values[key(shared)] == nil ? "feed_forward_length" : shared))
    } else {
      // A width that no layer has.
      members["intermediate_size"] = members["intermediate_size"] ?? members["hidden_size"]
      members["mlp_only_layers"] = .array(layersWithoutExperts.map { .integer($0) })
    }
  }

  /// `softmax` over all experts, as `expert_gating_func` numbers it.
  private static let softmax = 1

  private func refuse(_ name: String, unless isKnown: Bool) throws(CheckpointError) {
    guard !isKnown else { return }
    let value = metadata.values[key(name)]?.summary ?? "nothing"
    throw .unsupported(file: metadata.file, feature: "\(key(name)) = \(value)")
  }

  /// Blocks with one feed-forward layer and no router.
  private var layersWithoutExperts: [Int] {
    tensors.keys.compactMap { name -> Int? in
      guard let place = GGUFNames.place(of: name), place.part == "ffn_gate",
        tensors["blk.\(place.block).ffn_gate_inp.weight"] == nil
      else { return nil }
      return place.block
    }.sorted()
  }

  /// Adds what `config.json` says of linear attention and of the blocks that have it.
  ///
  /// - Throws: `.value` naming the key.
  func addLinearAttention(to members: inout OrderedObject<JSONValue>) throws(CheckpointError) {
    func count(_ name: String) throws(CheckpointError) -> Int {
      try metadata.integer(key("ssm." + name), in: Self.headRange)
    }
    let (values, inner) = (try count("time_step_rank"), try count("inner_size"))
    guard inner % values == 0 else {
      throw metadata.wrong(
        key("ssm.inner_size"), expected: "a multiple of the \(values) heads of ssm.time_step_rank")
    }
    members["linear_num_key_heads"] = .integer(try count("group_count"))
    members["linear_num_value_heads"] = .integer(values)
    members["linear_key_head_dim"] = .integer(try count("state_size"))
    members["linear_value_head_dim"] = .integer(inner / values)
    members["linear_conv_kernel_dim"] = .integer(try count("conv_kernel"))
    members["layer_types"] = .array(
      try recurrentLayers().map { .string($0 ? "linear_attention" : "full_attention") })
  }

  /// Of each layer, whether it has linear attention: as listed, else all but each
  /// `full_attention_interval`th.
  private func recurrentLayers() throws(CheckpointError) -> [Bool] {
    let layers = try layers()
    guard layers <= tensors.count else {
      throw metadata.wrong(
        key("block_count"), expected: "at most \(tensors.count), as the file has tensors")
    }
    if let listed = try metadata.integersIfPresent(key("attention.recurrent_layers")) {
      guard listed.count >= layers else {
        throw metadata.wrong(
          key("attention.recurrent_layers"), expected: "one for each of \(layers) layers")
      }
      return listed.prefix(layers).map { $0 != 0 }
    }
    let interval = try sizeIfPresent("full_attention_interval") ?? 4
    return (1...layers).map { $0 % interval != 0 }
  }
}
