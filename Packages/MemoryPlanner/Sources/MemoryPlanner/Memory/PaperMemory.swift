import KVLayout

/// The memory equations of arXiv:2510.10964. Its "GB" are GiB, its "2k tokens" 2000 tokens.
enum PaperMemory {
  /// Weights as Table 1 has them: the released checkpoint for 16 bits, else a GPTQ v1 checkpoint
  /// with its packed codes, scales (F16), zero points (stored though symmetric), group indices (one
  /// int32 an input), norms and embeddings.
  /// Of a scheme, which the paper has none of, what its files hold.
  static func storedWeights(_ shape: ModelShape, _ precision: WeightPrecision) -> Int {
    if precision.scheme != nil { return StoredWeights(shape, precision).bytes }
    guard let group = precision.groupSize else {
      let second = shape.shipsTiedHead && shape.tiesEmbeddings ? shape.embeddingParameters : 0
      return Saturating.product(2, Saturating.sum(shape.parameters, second))
    }
    let groups = shape.overLinears { Saturating.product($0.rows, $0.columns.pieces(of: group)) }
    return Saturating.sum(
      codes(shape.linearParameters, bits: precision.bits), Saturating.product(groups, 2),
      codes(groups, bits: precision.bits), shape.overLinears { Saturating.product(4, $0.columns) },
      unquantized(shape))
  }

  /// Weights by the equation of Appendix A: P_S = 16 and, as quantization is symmetric, P_Z = 0.
  /// Of a scheme what its files hold.
  static func printedWeights(_ shape: ModelShape, _ precision: WeightPrecision) -> Int {
    if precision.scheme != nil { return StoredWeights(shape, precision).bytes }
    guard let group = precision.groupSize else {
      return Saturating.sum(Saturating.product(2, shape.linearParameters), unquantized(shape))
    }
    return Saturating.sum(
      codes(shape.linearParameters, bits: precision.bits),
      Saturating.product(shape.linearParameters / group, 2), unquantized(shape))
  }

  private static func unquantized(_ shape: ModelShape) -> Int {
    Saturating.product(
      2,
      Saturating.sum(shape.biasParameters, shape.normParameters, shape.outerParameters))
  }

  private static func codes(_ count: Int, bits: Int) -> Int {
    Saturating.product(count, bits) / 8
  }

  /// KV caches by Appendix A: G x T x layers x heads x dimension x 2 x bytes, min(T, T_retain)
  /// tokens under eviction, and a 16-bit scale a group where values are quantized. The residual in
  /// 16 bits and the prompt are not counted. Layers with a window keep the tokens of it and evict
  /// nothing.
  static func cache(_ shape: ModelShape, _ policy: KVPolicy, _ load: Load) -> Int {
    let cache = shape.cacheShape
    let each = Saturating.product(cache.kvHeads, cache.headDimension)
    return (0..<cache.layers).filter(cache.attends).reduce(0) { sum, layer in
      let tokens = min(load.thinkBudget, cache.window(layer) ?? policy.eviction?.budget ?? .max)
      return Saturating.sum(sum, bytes(each, tokens: tokens, policy.layer(layer), load))
    }
  }

  /// Bytes of `tokens` tokens in all sequences, of which each adds `values` keys and as many
  /// values.
  private static func bytes(
    _ values: Int, tokens: Int, _ policy: KVPolicy, _ load: Load
  ) -> Int {
    var (bytes, older) = (0, tokens)
    for (index, tier) in tiers(policy, tokens: tokens).enumerated() {
      // The paper's equation has no residual; only what lies between it and the last tier is
      // counted apart.
      let held = tier.tokens.map { index == 0 ? 0 : min(older, $0) } ?? older
      older -= held
      let values = Saturating.product(load.sequences, held, values)
      bytes = Saturating.sum(
        bytes, self.bytes(values, tier.keys, group: policy.group),
        self.bytes(values, tier.values, group: policy.group))
    }
    return bytes
  }

  /// The tiers of a policy and, before the oldest, the kinds of thought that are told apart among
  /// `tokens` tokens.
  private static func tiers(_ policy: KVPolicy, tokens: Int) -> [KVTier] {
    guard let thoughts = policy.thoughts else { return policy.tiers }
    let younger = policy.tiers.dropFirst().reduce(0) { Saturating.sum($0, $1.tokens ?? 0) }
    let windows = max(0, tokens - younger) / thoughts.window
    let kinds = thoughts.kinds.map {
      KVTier(keys: $0.keys, values: $0.values, tokens: windows * ($0.tokens ?? 0))
    }
    return policy.tiers.dropLast() + kinds + policy.tiers.suffix(1)
  }

  private static func bytes(_ values: Int, _ format: KVFormat, group: Int) -> Int {
    let codes = Saturating.product(values, format.bits) / 8
    return format.isQuantized ? Saturating.sum(codes, Saturating.product(values / group, 2)) : codes
  }
}
