/// The layouts that the pages of a layer pass through as newer tokens come.
///
/// A page moves on when all of its tokens are older than its tier holds, so how it is stored
/// depends on its place and on the number of tokens alone. Where tokens leave full precision in
/// less than pages, a page on its way holds both.
public struct PageTiers: Sendable, Hashable {
  /// The layouts, from the most recent pages, which are not quantized, to the oldest.
  public let layouts: [PageLayout]
  /// The layout of pages of which some tokens have codes; nil where whole pages get them.
  public let between: PageLayout?
  /// The kinds of thought that pages of the oldest layout may have, from the densest attention to
  /// the sparsest.
  public let kinds: [ThoughtPages]
  private let policy: KVPolicy
  /// For each layout, how many tokens are more recent than those that reach it.
  private let starts: [Int]

  /// The layouts of the pages of a cache that is stored alike in all layers; of a policy with
  /// exceptions, of the layers that are none. Only of layers that see all tokens thoughts are told
  /// apart.
  public init(shape: KVShape, _ policy: KVPolicy, seesAll: Bool = true) {
    let thoughts = seesAll ? policy.thoughts?.kinds ?? [] : []
    kinds = thoughts.map {
      ThoughtPages(
        layout: PageLayout(shape: shape, policy, $0), pages: ($0.tokens ?? 0) / PageLayout.tokens)
    }
    layouts = policy.tiers.map { PageLayout(shape: shape, policy, $0) }
    var starts = [0]
    for tier in policy.tiers.dropLast() {
      starts.append(Saturating.sum(starts[starts.count - 1], tier.tokens ?? 0))
    }
    self.starts = starts
    self.policy = KVPolicy(tiers: policy.tiers, as: policy)
    let tiers = policy.tiers
    let isWhole = policy.rule == .blocks && policy.step == PageLayout.tokens
    between =
      tiers.count != 2 || isWhole
      ? nil : PageLayout(shape: shape, policy, tiers[0], next: tiers[1])
  }

  /// Of the first `tokens` tokens those with codes, for pages of which some have them. Where one
  /// half is not quantized it goes with the other.
  public func coded(of tokens: Int) -> CodedTokens {
    guard between != nil else { return .zero }
    let coded = policy.rule.coded(
      of: tokens, residual: policy.residual, step: policy.step)
    return CodedTokens(
      keys: policy.keys.isQuantized ? coded.keys : coded.values,
      values: policy.values.isQuantized ? coded.values : coded.keys)
  }

  /// How many tokens are more recent than those that reach the oldest layout.
  var oldestStart: Int { starts[starts.count - 1] }

  /// The most recent tokens that are never quantized.
  public var residual: Int { policy.residual }

  /// The layout of pages that still take tokens.
  public var exact: PageLayout { layouts[0] }

  /// Pages from the first on that have reached `tier` once `tokens` tokens are held.
  public func pages(in tier: Int, of tokens: Int) -> Int {
    if tier == 0 { return tokens.pieces(of: PageLayout.tokens) }
    guard between != nil else { return max(0, tokens - starts[tier]) / PageLayout.tokens }
    let coded = coded(of: tokens)
    return min(coded.keys, coded.values) / PageLayout.tokens
  }

  /// Pages, from the first, some of whose tokens have codes once `tokens` tokens are held.
  public func begunPages(of tokens: Int) -> Int {
    let coded = coded(of: tokens)
    return max(coded.keys, coded.values).pieces(of: PageLayout.tokens)
  }

  /// The tier of page `page` once `tokens` tokens are held.
  public func tier(of page: Int, tokens: Int) -> Int {
    layouts.indices.last { $0 > 0 && page < pages(in: $0, of: tokens) } ?? 0
  }

  /// The layout of page `page` once `tokens` tokens are held.
  public func layout(of page: Int, tokens: Int) -> PageLayout {
    let tier = tier(of: page, tokens: tokens)
    guard tier == 0, let between, page < begunPages(of: tokens) else { return layouts[tier] }
    return between
  }

  /// Whether what is held is stored the same way after some tokens and after others.
  public func areAlike(_ some: Int, _ others: Int) -> Bool {
    some == others
      || coded(of: some) == coded(of: others)
        && layouts.indices.dropFirst().allSatisfy {
          pages(in: $0, of: some) == pages(in: $0, of: others)
        }
  }

  /// Bytes of all pages, from page `first` on, of one layer that holds `tokens` tokens, of which the
  /// first `prompt` are no thought; nil for all of them.
  public func byteCount(tokens: Int, from first: Int = 0, prompt: Int? = nil) -> Int {
    byteCountOfTiers(tokens: tokens, from: first) - savedByKinds(tokens: tokens, prompt: prompt)
  }

  private func byteCountOfTiers(tokens: Int, from first: Int) -> Int {
    let bytes = layouts.indices.reduce(0) { sum, tier in
      let older = tier + 1 < layouts.count ? pages(in: tier + 1, of: tokens) : 0
      let pages = max(0, pages(in: tier, of: tokens) - max(older, first))
      return Saturating.sum(sum, Saturating.product(pages, layouts[tier].byteCount))
    }
    guard let between else { return bytes }
    let onTheirWay = max(0, begunPages(of: tokens) - max(pages(in: 1, of: tokens), first))
    return Saturating.sum(
      bytes, Saturating.product(onTheirWay, between.byteCount - exact.byteCount))
  }

  // MARK: What one layer may come to hold

  /// The most bytes of the pages of one layer while it grows to `tokens` tokens, of which the first
  /// `prompt` are no thought, and lets go of none.
  func mostBytes(_ tokens: Int, prompt: Int? = nil) -> Int {
    // One token before pages are rounded, or given their kinds, there is one more that is not.
    let last = lastKinds(of: tokens, prompt: prompt)
    var ends = [tokens, tokens - 1, last - 1].map { $0...$0 }
    if between != nil {
      // Tokens leave full precision within a page of the end or, where keys do so a residual at a
      // time, of the last times.
      let residual = policy.rule == .kivi ? policy.residual : PageLayout.tokens
      let last = tokens / residual * residual
      ends = [tokens, last, last - residual].map { $0 - PageLayout.tokens...$0 }
    }
    return ends.joined().map { byteCount(tokens: max(0, $0), prompt: prompt) }.max() ?? 0
  }

  /// The most bytes of a layer that sees a window, while it grows to `tokens` tokens, in steps of
  /// at most `step` tokens in which nothing is let go of.
  func mostBytes(_ tokens: Int, window: Int, step: Int) -> Int {
    let first = KVShape.pagesBehind(window: window, tokens: tokens - min(tokens, step))
    let pages = tokens.pieces(of: PageLayout.tokens)
    guard first > 0 else { return mostBytes(tokens) }
    // How pages are spread over the tiers changes as tokens come; no page takes more than the
    // largest.
    let largest = allLayouts.map(\.byteCount).max() ?? 0
    return min(mostBytes(tokens), Saturating.product(pages - first + 1, largest))
  }

  /// Bytes of those pages of `tokens` tokens that stay as they are, whatever follows.
  func lastingBytes(_ tokens: Int) -> Int {
    let last = layouts.count - 1
    let pages = last == 0 ? tokens / PageLayout.tokens : pages(in: last, of: tokens)
    return Saturating.product(pages, layouts[last].byteCount)
  }

  /// Bytes of the pages that were rounded in a step of `step` tokens, which its first tokens still
  /// attend to; and of a page that is being given its kind.
  func stagedBytes(_ tokens: Int, step: Int) -> Int {
    Saturating.sum(
      stagedBytesOfTiers(tokens, step: step), kinds.map(\.layout.byteCount).max() ?? 0)
  }

  private func stagedBytesOfTiers(_ tokens: Int, step: Int) -> Int {
    let most = min(tokens, step) / PageLayout.tokens + 1
    if let between {
      return Saturating.product(min(begunPages(of: tokens), most), between.byteCount)
    }
    return layouts.indices.dropLast().reduce(0) { sum, tier in
      let arrived = min(pages(in: tier + 1, of: tokens), most)
      return Saturating.sum(sum, Saturating.product(arrived, layouts[tier].byteCount))
    }
  }

  /// Every layout that a page may have.
  var allLayouts: [PageLayout] { layouts + [between].compactMap(\.self) + kinds.map(\.layout) }
}
