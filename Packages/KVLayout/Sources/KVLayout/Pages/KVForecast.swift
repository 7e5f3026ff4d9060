/// The bytes that the cache of one sequence holds and may come to hold: for planners, and for those
/// who start nothing that cannot finish.
///
/// Sizes come from outside, so sums stop at the largest number instead of overflowing.
public struct KVForecast: Sendable, Hashable {
  private let shape: KVShape
  private let policy: KVPolicy
  private let heads: Int
  /// The layers that attend.
  private let groups: [Group]
  /// Layers that hold all tokens, or what an eviction keeps of them.
  private let fullLayers: Int

  /// Layers that are stored alike.
  private struct Group: Hashable {
    let tiers: PageTiers
    /// Tokens that a query sees; nil for all.
    let window: Int?
    var layers = 0
  }

  /// A forecast for caches of `shape`; `heads` is the number of query heads of a layer.
  public init(shape: KVShape, policy: KVPolicy, heads: Int) {
    self.shape = shape
    self.policy = policy
    self.heads = heads
    fullLayers = shape.fullLayers
    let tiers = LayerTiers(shape: shape, policy)
    groups = (0..<shape.layers).filter { shape.attends($0) }.reduce(into: []) { groups, layer in
      let group = Group(tiers: tiers[layer], window: shape.window(layer))
      if let place = groups.firstIndex(where: {
        ($0.tiers, $0.window) == (group.tiers, group.window)
      }) {
        groups[place].layers += 1
      } else {
        groups.append(Group(tiers: group.tiers, window: group.window, layers: 1))
      }
    }
  }

  /// The most tokens of a sequence that are appended in one step.
  @inlinable public static var stepTokens: Int { 256 }

  /// Whether pages full of prompt stay shared by all who start with it. An eviction writes them anew,
  /// and where thoughts are told apart it counts where the prompt ends.
  public var sharesPrompts: Bool { !policy.watchesAttention }

  // MARK: What is held

  /// Bytes of the pages and fixed states of a sequence that holds `entries` tokens in every layer,
  /// or what its windows leave of them, between two steps. Of the tokens behind the first `prompt`
  /// the kinds of thought count; nil where none are thought.
  public func heldBytes(entries: Int, prompt: Int? = nil) -> Int {
    let pages = overLayers { tiers, window in
      let first = window.map { KVShape.pagesBehind(window: $0, tokens: entries) } ?? 0
      return tiers.byteCount(tokens: entries, from: first, prompt: prompt)
    }
    return Saturating.sum(pages, shape.fixedBytes)
  }

  /// Bytes that an eviction keeps beside the pages of a sequence that holds `entries` tokens in
  /// every layer: the queries of the last tokens (F32), what each token was attended to (F32,
  /// rounded up to pages), and, once a compression has been, what the method remembers of the
  /// tokens kept. Where thoughts are told apart, how sparsely the last tokens attended.
  public func rememberedBytes(entries: Int, isCompressed: Bool) -> Int {
    guard let eviction = policy.eviction else {
      return overLayers { tiers, _ in tiers.rememberedBytes(kvHeads: shape.kvHeads) }
    }
    let remembered = isCompressed ? rememberedBytes(entries: entries, eviction) : 0
    return inFullLayers(
      Saturating.sum(queryBytes(eviction), attentionBytes(entries: entries, eviction), remembered))
  }

  private func queryBytes(_ eviction: Eviction) -> Int {
    Saturating.product(eviction.needs.queryWindow, heads, shape.headDimension, floatBytes)
  }

  private func attentionBytes(entries: Int, _ eviction: Eviction) -> Int {
    guard let record = eviction.needs.attention else { return 0 }
    let padded = entries.raised(toMultipleOf: PageLayout.tokens)
    return Saturating.product(shape.kvHeads, record.width, padded, floatBytes)
  }

  private func rememberedBytes(entries: Int, _ eviction: Eviction) -> Int {
    Saturating.product(
      shape.kvHeads, min(entries, eviction.budget), eviction.needs.rememberedBytesPerToken)
  }

  /// Bytes by which the memory of all caches may exceed the pages in it, since it is taken slab by
  /// slab, of pages of one size.
  public var slackBytes: Int { Self.slackBytes(layouts) }

  /// The same of caches of other policies beside those of this one: of the pages that have none of
  /// its layouts.
  public func slackBytes(of others: some Sequence<KVForecast>) -> Int {
    Self.slackBytes(Set(others.flatMap(\.layouts)).subtracting(layouts))
  }

  private var layouts: Set<PageLayout> { Set(groups.flatMap(\.tiers.allLayouts)) }

  private static func slackBytes(_ layouts: Set<PageLayout>) -> Int {
    layouts.reduce(0) { Saturating.sum($0, $1.slabBytes) }
  }

  /// The most bytes that a sequence of `tokens` tokens, of which the first `prompt` are the prompt,
  /// holds between two steps at its end, with what is remembered beside its pages.
  public func endBytes(tokens: Int, prompt: Int) -> Int {
    guard let eviction = policy.eviction else {
      return Saturating.sum(
        heldBytes(entries: tokens, prompt: prompt),
        rememberedBytes(entries: tokens, isCompressed: false))
    }
    let entries = entriesAfterPrompt(tokens: tokens, prompt: prompt, eviction)
    return Saturating.sum(
      heldBytes(entries: entries),
      rememberedBytes(entries: entries, isCompressed: tokens >= eviction.budget))
  }

  // MARK: What may come to be held

  /// The most bytes of pages that a sequence holds, between two steps, while it grows to `entries`
  /// tokens in every layer.
  public func pageBytes(entries: Int) -> Int {
    Saturating.sum(mostBytes(entries, step: 0), shape.fixedBytes)
  }

  /// The most bytes of the pages of all layers, which need not all have their most at once, in
  /// steps of at most `step` tokens.
  private func mostBytes(_ tokens: Int, prompt: Int? = nil, step: Int = stepTokens) -> Int {
    Saturating.sum(mostFullBytes(tokens, prompt: prompt), mostWindowBytes(tokens, step: step))
  }

  private func mostFullBytes(_ tokens: Int, prompt: Int? = nil) -> Int {
    overLayers { tiers, window in window == nil ? tiers.mostBytes(tokens, prompt: prompt) : 0 }
  }

  private func mostWindowBytes(_ tokens: Int, step: Int = stepTokens) -> Int {
    overLayers { tiers, window in
      window.map { tiers.mostBytes(tokens, window: $0, step: step) } ?? 0
    }
  }

  /// Bytes of those pages of `entries` tokens that stay as they are, whatever follows; those that a
  /// window moves away from do not.
  public func fullPageBytes(entries: Int) -> Int {
    overLayers { tiers, window in window == nil ? tiers.lastingBytes(entries) : 0 }
  }

  /// The most bytes that pages of one layer take beside those that it is left with after a step.
  private func stagedBytes(tokens: Int) -> Int {
    overOneLayer { $0.stagedBytes(tokens, step: Self.stepTokens) }
  }

  /// The most bytes a sequence holds at any time.
  ///
  /// - Parameters:
  ///   - tokens: tokens that are appended in all, the prompt included.
  ///   - prompt: tokens of the prompt.
  /// - Returns: bytes; what really is held at the peak where everything is kept, an upper bound
  ///   elsewhere.
  public func peakBytes(tokens: Int, prompt: Int) -> Int {
    guard let eviction = policy.eviction else {
      return Saturating.sum(
        mostBytes(tokens, prompt: prompt), shape.fixedBytes, stagedBytes(tokens: tokens),
        rememberedBytes(entries: tokens, isCompressed: false))
    }
    let inPrompt = min(prompt, Saturating.sum(eviction.budget, eviction.promptBuffer))
    return Saturating.sum(
      evictingBytes(
        entries: max(inPrompt, entriesAfterPrompt(tokens: tokens, prompt: prompt, eviction)),
        eviction), mostWindowBytes(tokens))
  }

  /// The most bytes a text holds once its prompt, of which it shares what was kept, is through.
  private func replyBytes(tokens: Int, prompt: Int, _ eviction: Eviction) -> Int {
    let entries = entriesAfterPrompt(tokens: tokens, prompt: prompt, eviction)
    let kept = min(prompt, eviction.budget)
    guard eviction.compresses(prompt: prompt, reply: tokens - prompt) else {
      // Pages that are full of prompt stay as they are.
      return Saturating.sum(
        mostFullBytes(entries) - fullPageBytes(entries: kept), shape.fixedBytes,
        stagedBytes(tokens: entries), attentionBytes(entries: entries, eviction),
        rememberedBytes(entries: entries, isCompressed: true), mostWindowBytes(tokens))
    }
    let inFront = min(kept, eviction.tokensInFront(prompt: prompt))
    return Saturating.sum(evictingBytes(entries: entries, eviction), mostWindowBytes(tokens))
      - fullPageBytes(entries: inFront)
  }

  /// The most bytes of a prompt that is through, as others start with it.
  private func keptBytes(prompt: Int, _ eviction: Eviction) -> Int {
    let kept = min(prompt, eviction.budget)
    return Saturating.sum(
      mostFullBytes(kept), shape.fixedBytes, rememberedBytes(entries: kept, isCompressed: true),
      mostWindowBytes(prompt))
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
      overOneLayer { $0.mostBytes(kept) }, attentionBytes(entries: entries, eviction),
      rememberedBytes(entries: kept, eviction))
    return Saturating.sum(
      mostFullBytes(entries), shape.fixedBytes, stagedBytes(tokens: entries), beside,
      rememberedBytes(entries: entries, isCompressed: true))
  }

  // MARK: What a text is charged with

  /// What a text is charged with: no more than this is held for it at any time.
  public struct Charge: Sendable, Hashable {
    /// Bytes of its own.
    public var own: Int
    /// Bytes that it shares with the others of its prompt, once that is through.
    public var shared: Int
    /// Bytes of the prompt that they share while it is run, which may be more.
    public var prompt: Int

    /// The most bytes of so many texts of the prompt: of the first one while it runs the prompt, or
    /// of all later.
    public func bytes(ofTexts texts: Int) -> Int {
      max(Saturating.sum(prompt, own), Saturating.sum(shared, Saturating.product(texts, own)))
    }
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
      return Charge(own: peakBytes(tokens: tokens, prompt: prompt), shared: 0, prompt: 0)
    }
    if let eviction = policy.eviction {
      let shared = keptBytes(prompt: prompt, eviction)
      return Charge(
        own: replyBytes(tokens: tokens, prompt: prompt, eviction), shared: shared,
        prompt: max(shared, peakBytes(tokens: prompt, prompt: prompt)))
    }
    // The prompt's last page is copied by everyone who writes to it, and kept for those who still
    // wait.
    let own = peakBytes(tokens: tokens, prompt: prompt) - fullPageBytes(entries: prompt)
    let shared = Saturating.sum(
      pageBytes(entries: prompt), rememberedBytes(entries: prompt, isCompressed: false))
    return Charge(own: own, shared: shared, prompt: shared)
  }

  /// Bytes that a copy of a sequence of up to `tokens` tokens takes beside it, while a page of
  /// tokens or fewer are appended and nothing is evicted: the pages written meanwhile, the fixed
  /// states, and what an eviction remembers.
  public func copyBytes(tokens: Int) -> Int {
    // In each layer the newest page or two are written, and in each format one may be rounded.
    let pages = overLayers { tiers, _ in
      let sizes = tiers.allLayouts.map(\.byteCount)
      return Saturating.product(sizes.count + 1, sizes.max() ?? 0)
    }
    return Saturating.sum(
      pages, shape.fixedBytes, rememberedBytes(entries: tokens, isCompressed: true))
  }

  /// Bytes of a branch that leaves a text after `start` tokens and grows to `end`.
  public func branchBytes(start: Int, end: Int, prompt: Int) -> Int {
    if sharesPrompts { return pageBytes(entries: end) - fullPageBytes(entries: start) }
    if let eviction = policy.eviction {
      // Either side may come to rewrite what they share.
      let entries = entriesAfterPrompt(tokens: end, prompt: prompt, eviction)
      return Saturating.sum(evictingBytes(entries: entries, eviction), mostWindowBytes(end))
    }
    // Both sides may come to tell apart thoughts that they share; a prompt stays as it is.
    return peakBytes(tokens: end, prompt: prompt) - fullPageBytes(entries: min(start, prompt))
  }

  private var floatBytes: Int { 4 }

  private func inFullLayers(_ bytes: Int) -> Int { Saturating.product(fullLayers, bytes) }

  /// The sum over the layers that attend.
  private func overLayers(_ bytes: (_ tiers: PageTiers, _ window: Int?) -> Int) -> Int {
    groups.reduce(0) {
      Saturating.sum($0, Saturating.product($1.layers, bytes($1.tiers, $1.window)))
    }
  }

  /// The most of any layer that holds all tokens, or what an eviction keeps of them; where there is
  /// none, of any layer.
  private func overOneLayer(_ bytes: (_ tiers: PageTiers) -> Int) -> Int {
    groups.map { bytes($0.tiers) }.max() ?? 0
  }
}
