import ModelLoader

/// What a configuration says of experts, by the keys of Qwen3-MoE and those that follow it.
struct Experts: Sendable {
  let count: Int
  /// Of a token.
  let chosen: Int
  let width: Int
  /// Width of the expert that sees all tokens, where there is one.
  let sharedWidth: Int?
  let normalizes: Bool
  private let denseLayers: Set<Int>
  private let step: Int

  /// Reads the keys.
  ///
  /// - Parameters:
  ///   - config: `config.json`, or the part of it that is about the text model.
  ///   - isShared: whether the family has an expert that sees all tokens.
  ///   - normalizes: whether the weights of a token's experts are divided by their sum; nil for
  ///     what `norm_topk_prob` says.
  ///   - normalizesByDefault: where that key is absent.
  /// - Throws: `CheckpointError.value` naming the key that is absent, out of range or
  ///   contradictory.
  init(
    _ config: JSONObject, isShared: Bool = false, normalizes: Bool? = nil,
    normalizesByDefault: Bool = false
  ) throws(CheckpointError) {
    // Newer files write the second name.
    let key = config.has("num_experts") ? "num_experts" : "num_local_experts"
    count = try config.integer(
      config.has(key) ? key : "num_experts", in: SaneLimits.heads)
    chosen = try config.integer("num_experts_per_tok", in: SaneLimits.heads)
    guard chosen <= count else {
      throw config.wrong("num_experts_per_tok", expected: "at most \(key) (\(count))")
    }
    width = try config.integer("moe_intermediate_size", in: SaneLimits.width)
    sharedWidth =
      isShared
      ? try config.integer("shared_expert_intermediate_size", in: SaneLimits.width) : nil
    let stated = try config.boolIfPresent("norm_topk_prob")
    self.normalizes = normalizes ?? stated ?? normalizesByDefault
    step = try config.integerIfPresent("decoder_sparse_step", in: SaneLimits.layers) ?? 1
    denseLayers = Set(
      try config.integersIfPresent("mlp_only_layers", in: 0...SaneLimits.layers.upperBound) ?? [])
  }

  /// Whether a layer has experts; the others have one dense feed-forward layer.
  func serve(_ layer: Int) -> Bool { !denseLayers.contains(layer) && (layer + 1) % step == 0 }

  /// The layer whose tensors begin with `prefix`, for a residual stream of this width. Experts are
  /// stored one by one, or all in one tensor for gate and up and one for down.
  ///
  /// - Throws: what `source` throws.
  func feedForward(
    _ prefix: String, hidden: Int, from source: any TensorSource
  ) throws(CheckpointError) -> MixtureOfExperts {
    let router = try source.linear(prefix + "gate", rows: count, columns: hidden)
    let fused = prefix + "experts.gate_up_proj"
    let isFused =
      source.contains(fused) && !source.contains(prefix + "experts.0.gate_proj.weight")
    var experts: [GatedFeedForward] = []
    for index in 0..<count {
      let own = prefix + "experts.\(index)."
      guard isFused else {
        experts.append(
          try GatedFeedForward(own, width: width, hidden: hidden, bias: false, from: source))
        continue
      }
      func part(
        _ name: String, of tensor: String, _ shape: [Int], _ rows: Range<Int>
      ) throws(CheckpointError) -> Linear {
        try source.linear(
          own + name, part: StackedMatrix(tensor: tensor, shape: shape, index: index, rows: rows))
      }
      let both = [count, 2 * width, hidden]
      experts.append(
        GatedFeedForward(
          gate: try part("gate_proj", of: fused, both, 0..<width),
          up: try part("up_proj", of: fused, both, width..<2 * width),
          down: try part(
            "down_proj", of: prefix + "experts.down_proj", [count, hidden, width], 0..<hidden)))
    }
    var shared: MixtureOfExperts.Shared?
    if let sharedWidth {
      shared = MixtureOfExperts.Shared(
        expert: try GatedFeedForward(
          prefix + "shared_expert.", width: sharedWidth, hidden: hidden, bias: false, from: source),
        gate: try source.linear(prefix + "shared_expert_gate", rows: 1, columns: hidden))
    }
    return MixtureOfExperts(
      router: router, experts: experts, shared: shared, chosen: chosen, normalizes: normalizes)
  }
}
