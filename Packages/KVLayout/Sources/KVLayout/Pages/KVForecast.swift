/// The bytes that the cache of one sequence holds and may come to hold: for planners, and for those
/// who start nothing that cannot finish.
///
/// Sizes come from outside, so sums stop at the largest number instead of overflowing.
public struct KVForecast: Sendable, Hashable {
  private let shape: KVShape
  private let policy: KVPolicy
  private let heads: Int
  private let tiers: PageTiers
  /// Layers that hold all tokens, or what an eviction keeps of them.
  private let fullLayers: Int
  /// The other layers that attend, by their windows.
  private let layersByWindow: [Int: Int]

  /// A forecast for caches of `shape`; `heads` is the number of query heads of a layer.
  public init(shape: KVShape, policy: KVPolicy, heads: Int) {
    self.shape = shape
    self.policy = policy
    self.heads = heads
    tiers = PageTiers(shape: shape, policy)
    fullLayers = shape.fullLayers
    layersByWindow = shape.layersByWindow
  }

  /// The most tokens of a sequence that are appended in one step.
  @inlinable public static var stepTokens: Int { 256 }

  /// Whether pages full of prompt stay shared by all who start with it; an eviction writes them
  /// anew.
  public var sharesPrompts: Bool { policy.eviction == nil }

  // MARK: What is held

  /// Bytes of the pages and fixed states of a sequence that holds `entries` tokens in every layer,
  /// or what its windows leave of them, between two steps.
  public func heldBytes(entries: Int) -> Int {
    let windows = overWindows { window in
      tiers.byteCount(
        tokens: entries, from: KVShape.pagesBehind(window: window, tokens: entries))
    }
    return Saturating.sum(
      inFullLayers(tiers.byteCount(tokens: entries)), windows, shape.fixedBytes)
  }

  /// The most bytes of the layers with windows while a sequence grows to `tokens` tokens, in steps
  /// of at most `step` tokens in which nothing is let go of.
  private func windowBytes(tokens: Int, step: Int) -> Int {
    overWindows { window in
      let first = KVShape.pagesBehind(window: window, tokens: tokens - min(tokens, step))
      let pages = tokens.pieces(of: PageLayout.tokens)
      guard first > 0 else { return mostBytes(tokens) }
      // How pages are spread over the tiers changes as tokens come; no page takes more than the
      // largest.
      let largest = (tiers.layouts + [tiers.between].compactMap(\.self)).map(\.byteCount).max() ?? 0
      return min(mostBytes(tokens), Saturating.product(pages - first + 1, largest))
    }
  }

  /// Bytes that an eviction keeps beside the pages of a sequence that holds `entries` tokens in
  /// every layer: the queries of the last tokens (F32), what each token was attended to (F32,
  /// rounded up to pages), and, once a compression has been, what the method remembers of the
  /// tokens kept.
  public func rememberedBytes(entries: Int, isCompressed: Bool) -> Int {
    guard let eviction = policy.eviction else { return 0 }
    let remembered = isCompressed ? rememberedBytes(entries: entries, eviction) : 0
    return inFullLayers(
      Saturating.sum(queryBytes(eviction), attentionBytes(entries: entries, eviction), remembered))
  }

  private func queryBytes(_ eviction: Eviction) -> Int {
    Saturating.product(eviction.needs.queryWindow, heads, shape.headDimension, floatBytes)
  }

  private func attentionBytes(entries: Int, _ eviction: Eviction) -> Int {
    guard eviction.needs.gathersAttention else { return 0 }
    let padded = entries.raised(toMultipleOf: PageLayout.tokens)
    return Saturating.product(shape.kvHeads, padded, floatBytes)
  }

  private func rememberedBytes(entries: Int, _ eviction: Eviction) -> Int {
    Saturating.product(
      shape.kvHeads, min(entries, eviction.budget), eviction.needs.rememberedBytesPerToken)
  }

  /// Bytes by which the memory of all caches may exceed the pages in it, since it is taken slab by
  /// slab, of pages of one size.
  public var slackBytes: Int {
    (tiers.layouts + [tiers.between].compactMap { $0 }).reduce(0) {
      Saturating.sum($0, $1.slabBytes)
    }
  }

  // MARK: What may come to be held

  /// The most bytes of pages that a sequence holds, between two steps, while it grows to `entries`
  /// tokens in every layer.
  public func pageBytes(entries: Int) -> Int {
    Saturating.sum(
      inFullLayers(mostBytes(entries)), windowBytes(tokens: entries, step: 0), shape.fixedBytes)
  }

  /// The most bytes of the pages of one layer while it grows to `entries` tokens and lets go of
  /// none.
  private func mostBytes(_ entries: Int) -> Int {
    // One token before pages are rounded there is one more that is not.
    var ends = [entries...entries, entries - 1...entries - 1]
    if tiers.between != nil {
      // Tokens leave full precision within a page of the end or, where keys do so a residual at a
      // time, of the last times.
      let residual = policy.rule == .kivi ? policy.residual : PageLayout.tokens
      let last = entries / residual * residual
      ends = [entries, last, last - residual].map { $0 - PageLayout.tokens...$0 }
    }
    return ends.joined().map { tiers.byteCount(tokens: max(0, $0)) }.max() ?? 0
  }

  /// Bytes of those pages of `entries` tokens that stay as they are, whatever follows; those that a
  /// window moves away from do not.
  public func fullPageBytes(entries: Int) -> Int {
    let last = tiers.layouts.count - 1
    let pages = last == 0 ? entries / PageLayout.tokens : tiers.pages(in: last, of: entries)
    return inFullLayers(Saturating.product(pages, tiers.layouts[last].byteCount))
  }

  /// Bytes of the pages of one layer that were rounded in a step, which its first tokens still
  /// attend to.
  private func stagedBytes(tokens: Int) -> Int {
    let most = min(tokens, Self.stepTokens) / PageLayout.tokens + 1
    if let between = tiers.between {
      return Saturating.product(min(tiers.begunPages(of: tokens), most), between.byteCount)
    }
    return tiers.layouts.indices.dropLast().reduce(0) { sum, tier in
      let arrived = min(tiers.pages(in: tier + 1, of: tokens), most)
      return Saturating.sum(sum, Saturating.product(arrived, tiers.layouts[tier].byteCount))
    }
  }

  /// The most bytes a sequence holds at any time.
  ///
  /// - Parameters:
  ///   - tokens: tokens that are appended in all, the prompt included.
  ///   - prompt: tokens of the prompt.
  /// - Returns: bytes; what really is held at the peak where everything is kept, an upper bound
  ///   elsewhere.
  public func peakBytes(tokens: Int, prompt: Int) -> Int {
    let windows = windowBytes(tokens: tokens, step: Self.stepTokens)
    guard let eviction = policy.eviction else {
      return Saturating.sum(
        inFullLayers(mostBytes(tokens)), windows, shape.fixedBytes, stagedBytes(tokens: tokens))
    }
    let inPrompt = min(prompt, Saturating.sum(eviction.budget, eviction.promptBuffer))
    return Saturating.sum(
      evictingBytes(
        entries: max(inPrompt, entriesAfterPrompt(tokens: tokens, prompt: prompt, eviction)),
        eviction), windows)
  }

  /// The most tokens a layer holds once the prompt is through.
  private func entriesAfterPrompt(tokens: Int, prompt: Int, _ eviction: Eviction) -> Int {
    let kept = min(prompt, eviction.budget)
    return min(
      Saturating.sum(kept, max(0, tokens - prompt)),
      Saturating.sum(eviction.budget, eviction.buffer))
  }

  /// The most bytes of the layers that evict, and of the fixed states.
  private func evictingBytes(entries: Int, _ eviction: Eviction) -> Int {
    // A compression fills new pages of one layer while the old ones are still there, and a branch
    // may do so in every layer at its turn.
    let kept = min(entries, eviction.budget)
    let beside = Saturating.sum(
      mostBytes(kept), attentionBytes(entries: entries, eviction),
      rememberedBytes(entries: kept, eviction))
    return Saturating.sum(
      inFullLayers(mostBytes(entries)), shape.fixedBytes, stagedBytes(tokens: entries), beside,
      rememberedBytes(entries: entries, isCompressed: true))
  }

  // MARK: What a text is charged with

  /// What a text is charged with: no more than this is held for it at any time.
  public struct Charge: Sendable, Hashable {
    /// Bytes of its own.
    public var own: Int
    /// Bytes that it shares with the others of its prompt.
    public var shared: Int

    /// Both.
    public var total: Int { Saturating.sum(own, shared) }
  }

  /// What a text is charged with.
  ///
  /// - Parameters:
  ///   - prompt: tokens of the prompt.
  ///   - reply: most tokens of the reply, the last of which is never run.
  ///   - isShared: whether several start with the prompt, which is then run once and kept for those
  ///     who still wait for it.
  /// - Returns: bytes of its own, and bytes that it shares.
  public func charge(prompt: Int, reply: Int, isShared: Bool) -> Charge {
    let tokens = Saturating.sum(prompt, max(reply, 1) - 1)
    guard isShared else {
      return Charge(own: peakBytes(tokens: tokens, prompt: prompt), shared: 0)
    }
    if let eviction = policy.eviction {
      let entries = entriesAfterPrompt(tokens: tokens, prompt: prompt, eviction)
      return Charge(
        own: Saturating.sum(
          evictingBytes(entries: entries, eviction),
          windowBytes(tokens: tokens, step: Self.stepTokens)),
        shared: peakBytes(tokens: prompt, prompt: prompt))
    }
    // The prompt's last page is copied by everyone who writes to it, and kept for those who still
    // wait.
    let own = peakBytes(tokens: tokens, prompt: prompt) - fullPageBytes(entries: prompt)
    return Charge(own: own, shared: pageBytes(entries: prompt))
  }

  /// Bytes of a branch that leaves a text after `start` tokens and grows to `end`.
  public func branchBytes(start: Int, end: Int, prompt: Int) -> Int {
    sharesPrompts
      ? pageBytes(entries: end) - fullPageBytes(entries: start)
      : peakBytes(tokens: end, prompt: prompt)
  }

  private var floatBytes: Int { 4 }

  private func inFullLayers(_ bytes: Int) -> Int { Saturating.product(fullLayers, bytes) }

  private func overWindows(_ bytes: (_ window: Int) -> Int) -> Int {
    layersByWindow.reduce(0) { Saturating.sum($0, Saturating.product($1.value, bytes($1.key))) }
  }
}
