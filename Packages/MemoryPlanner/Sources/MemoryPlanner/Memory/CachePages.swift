/// The bytes of KV caches in the engine's memory.
///
/// A page holds up to 64 tokens of one layer. For each KV head it holds the keys, `[dimension rounded up to 2][64]`, then the values,
/// `[64][dimension rounded up to 16]`. Where they are quantized, keys have a scale and a zero point for each
/// group of tokens and component (per channel), values, and keys per token, for each token and group of components; the most
/// recent tokens stay in BF16.
public struct CachePages: Sendable, Hashable {
  /// Tokens of a page.
  public static let tokens = 64
  /// Bytes of a scale, and of a zero point.
  static let scaleBytes = 2

  /// Decoder layers.
  public let layers: Int
  /// KV heads of a layer.
  public let kvHeads: Int
  /// Width of a head.
  public let headDimension: Int
  /// Query heads of a layer.
  public let heads: Int

  /// Caches of these sizes; where the number of query heads is not said, each has a KV head of its own.
  public init(layers: Int, kvHeads: Int, headDimension: Int, heads: Int? = nil) {
    self.layers = layers
    self.kvHeads = kvHeads
    self.headDimension = headDimension
    self.heads = heads ?? kvHeads
  }

  /// The caches of a model.
  public init(_ shape: ModelShape) {
    self.init(
      layers: shape.layers, kvHeads: shape.kvHeads, headDimension: shape.headDimension,
      heads: shape.heads)
  }

  /// Bytes of one page of one layer.
  private func page(_ tier: KVPolicy.Tier, _ policy: KVPolicy) -> Int {
    Saturating.product(
      kvHeads,
      Saturating.sum(
        part(tier.keys, isKeys: true, policy), part(tier.values, isKeys: false, policy)))
  }

  /// Bytes of the keys or the values of one head in a page.
  private func part(_ format: KVPolicy.Format, isKeys: Bool, _ policy: KVPolicy) -> Int {
    let padded = headDimension.raised(toMultipleOf: 16)
    let width = isKeys && !format.isQuantized ? headDimension.raised(toMultipleOf: 2) : padded
    let entries = Saturating.product(Self.tokens, width, format.bits) / 8
    guard format.isQuantized else { return entries }
    let groups =
      isKeys && policy.keyAxis == .perChannel
      ? Saturating.product(padded, Self.tokens.pieces(of: policy.groupSize))
      : Saturating.product(Self.tokens, headDimension.pieces(of: policy.groupSize))
    let bytesPerGroup = policy.hasZeroPoints ? 2 * Self.scaleBytes : Self.scaleBytes
    return Saturating.sum(entries, Saturating.product(bytesPerGroup, groups))
  }

  /// Tokens that leave full precision together by the rule `blocks`: a group, or a page where that is less.
  static func tokensTogether(groupSize: Int) -> Int { min(groupSize, tokens) }

  /// Bytes of the pages of one sequence that holds `entries` tokens in every layer.
  public func sequence(entries: Int, _ policy: KVPolicy) -> Int {
    if policy.tiers.count == 2, policy.rule == .kivi || policy.groupSize < Self.tokens {
      return partlyCoded(entries: entries, policy)
    }
    var (bytes, start) = (0, 0)
    // A page moves on when all of its tokens are older than its tier holds.
    var pages = entries.pieces(of: Self.tokens)
    for tier in policy.tiers {
      start = Saturating.sum(start, tier.tokens ?? .max)
      let older = max(0, entries - start) / Self.tokens
      bytes = Saturating.sum(bytes, Saturating.product(pages - older, page(tier, policy)))
      pages = older
    }
    return Saturating.product(layers, bytes)
  }

  /// The same where tokens get codes in less than pages: a page on its way holds all tokens in full precision, and room for
  /// the codes of all.
  private func partlyCoded(entries: Int, _ policy: KVPolicy) -> Int {
    let (recent, last) = (policy.tiers[0], policy.tiers[1])
    let residual = recent.tokens ?? 0
    let old = max(0, entries - residual)
    let together = Self.tokensTogether(groupSize: policy.groupSize)
    let values = policy.rule == .kivi ? old : old / together * together
    let keys = policy.rule == .kivi ? entries / residual * residual : values
    let begun = (last.keys.isQuantized ? keys : values).pieces(of: Self.tokens)
    let full = (last.values.isQuantized ? values : keys) / Self.tokens
    func codes(_ format: KVPolicy.Format, isKeys: Bool) -> Int {
      format.isQuantized
        ? Saturating.product(kvHeads, part(format, isKeys: isKeys, policy)) : 0
    }
    let both = Saturating.sum(
      page(recent, policy), codes(last.keys, isKeys: true), codes(last.values, isKeys: false))
    return Saturating.product(
      layers,
      Saturating.sum(
        Saturating.product(full, page(last, policy)), Saturating.product(begun - full, both),
        Saturating.product(entries.pieces(of: Self.tokens) - begun, page(recent, policy))))
  }

  /// Bytes that an eviction keeps beside the pages of one sequence that holds `entries` tokens in every layer: the queries of
  /// the last tokens (F32), what each token was attended to (F32, rounded up to pages), and, once a compression has been, a
  /// place and a cosine for each key's last similar key.
  public func remembered(entries: Int, _ policy: KVPolicy, isCompressed: Bool) -> Int {
    guard let eviction = policy.eviction else { return 0 }
    let width = Saturating.product(heads, headDimension, 4)
    let queries = Saturating.product(eviction.queryWindow, width)
    let similar = isCompressed && eviction.keepsSimilarKeys ? min(entries, eviction.budget) : 0
    let attended = eviction.method == "h2o" ? entries.raised(toMultipleOf: Self.tokens) : 0
    let heads = Saturating.product(kvHeads, Saturating.sum(similar * 8, attended * 4))
    return Saturating.product(layers, Saturating.sum(queries, heads))
  }

  /// Bytes of the caches of `load` at their largest. The samples of a question share the pages that are full of prompt, and
  /// what is known of similar keys in it, until an eviction rewrites them.
  public func peak(_ load: Load, _ policy: KVPolicy) -> Int {
    func bytes(_ entries: Int, isCompressed: Bool) -> Int {
      Saturating.sum(
        sequence(entries: entries, policy),
        remembered(entries: entries, policy, isCompressed: isCompressed))
    }
    let kept = min(load.prompt, policy.eviction?.budget ?? .max)
    let isPromptCompressed = policy.eviction.map { load.prompt >= $0.budget } ?? false
    let end = Saturating.sum(kept, load.thinkBudget, load.answer)
    let most = policy.eviction.map { Saturating.sum($0.budget, $0.buffer) } ?? .max
    let own = Saturating.product(
      load.samples, bytes(min(end, most), isCompressed: isPromptCompressed || end > most))
    var shared = 0
    if end < most {
      let known = remembered(entries: kept, policy, isCompressed: isPromptCompressed)
      shared = Saturating.sum(
        sequence(entries: kept / Self.tokens * Self.tokens, policy),
        known - min(known, remembered(entries: kept, policy, isCompressed: false)))
    }
    let saved = Saturating.product(load.samples - 1, shared)
    let atPrompt = policy.eviction.map { eviction in
      let most = Saturating.sum(eviction.budget, eviction.promptBuffer)
      return bytes(min(load.prompt, most), isCompressed: load.prompt > most)
    }
    return Saturating.product(load.batch, max(own - min(own, saved), atPrompt ?? 0))
  }
}
