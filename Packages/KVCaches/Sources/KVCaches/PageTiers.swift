/// The layouts that the pages of a layer pass through as newer tokens come.
///
/// A page moves on when all of its tokens are older than its tier holds, so how it is stored depends on its place and on
/// the number of tokens alone. Where tokens leave full precision in less than pages, a page on its way holds both.
struct PageTiers: Hashable {
  /// From the most recent pages, which are not quantized, to the oldest.
  let layouts: [PageLayout]
  /// The layout of pages of which some tokens have codes; nil where whole pages get them.
  let between: PageLayout?
  private let configuration: KVConfiguration
  /// For each layout, how many tokens are more recent than those that reach it.
  private let starts: [Int]

  init(shape: KVShape, _ configuration: KVConfiguration) {
    layouts = configuration.tiers.map { PageLayout(shape: shape, configuration, $0) }
    var starts = [0]
    for tier in configuration.tiers.dropLast() {
      starts.append(starts[starts.count - 1] + (tier.tokens ?? 0))
    }
    self.starts = starts
    self.configuration = configuration
    let tiers = configuration.tiers
    let isWhole = configuration.rule == .blocks && configuration.step == KVPage.tokens
    between =
      tiers.count != 2 || isWhole
      ? nil : PageLayout(shape: shape, configuration, tiers[0], next: tiers[1])
  }

  /// Of the first `tokens` tokens those with codes, for pages of which some have them. Where one half is not quantized it
  /// goes with the other.
  func coded(of tokens: Int) -> CodedTokens {
    guard between != nil else { return .zero }
    let coded = configuration.rule.coded(
      of: tokens, residual: configuration.residual, step: configuration.step)
    return CodedTokens(
      keys: configuration.keys.isQuantized ? coded.keys : coded.values,
      values: configuration.values.isQuantized ? coded.values : coded.keys)
  }

  /// The layout of pages that still take tokens.
  var exact: PageLayout { layouts[0] }

  /// Pages from the first on that have reached `tier` once `tokens` tokens are held.
  func pages(in tier: Int, of tokens: Int) -> Int {
    if tier == 0 { return tokens.pieces(of: KVPage.tokens) }
    guard between != nil else { return max(0, tokens - starts[tier]) / KVPage.tokens }
    let coded = coded(of: tokens)
    return min(coded.keys, coded.values) / KVPage.tokens
  }

  /// Pages, from the first, some of whose tokens have codes once `tokens` tokens are held.
  func begunPages(of tokens: Int) -> Int {
    let coded = coded(of: tokens)
    return max(coded.keys, coded.values).pieces(of: KVPage.tokens)
  }

  /// The tier of page `page` once `tokens` tokens are held.
  func tier(of page: Int, tokens: Int) -> Int {
    layouts.indices.last { $0 > 0 && page < pages(in: $0, of: tokens) } ?? 0
  }

  /// The layout of page `page` once `tokens` tokens are held.
  func layout(of page: Int, tokens: Int) -> PageLayout {
    let tier = tier(of: page, tokens: tokens)
    guard tier == 0, let between, page < begunPages(of: tokens) else { return layouts[tier] }
    return between
  }

  /// Whether what is held is stored the same way after some tokens and after others.
  func areAlike(_ some: Int, _ others: Int) -> Bool {
    some == others
      || coded(of: some) == coded(of: others)
        && layouts.indices.dropFirst().allSatisfy {
          pages(in: $0, of: some) == pages(in: $0, of: others)
        }
  }

  /// Bytes of all pages of one layer that holds `tokens` tokens.
  func byteCount(tokens: Int) -> Int {
    let bytes = layouts.indices.reduce(0) { sum, tier in
      let older = tier + 1 < layouts.count ? pages(in: tier + 1, of: tokens) : 0
      return sum + (pages(in: tier, of: tokens) - older) * layouts[tier].byteCount
    }
    guard let between else { return bytes }
    return bytes
      + (begunPages(of: tokens) - pages(in: 1, of: tokens))
      * (between.byteCount - exact.byteCount)
  }
}

extension Int {
  /// Pieces of `size` that hold this many.
  func pieces(of size: Int) -> Int { (self + size - 1) / size }
}
