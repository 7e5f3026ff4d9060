/// The layouts that the pages of a layer pass through as newer tokens come.
///
/// A page moves on when all of its tokens are older than its tier holds, so how it is stored depends on its place and on
/// the number of tokens alone.
struct PageTiers: Hashable {
  /// From the most recent pages, which are not quantized, to the oldest.
  let layouts: [PageLayout]
  /// For each layout, how many tokens are more recent than those that reach it.
  private let starts: [Int]

  init(shape: KVShape, _ configuration: KVConfiguration) {
    layouts = configuration.tiers.map { PageLayout(shape: shape, configuration, $0) }
    var starts = [0]
    for tier in configuration.tiers.dropLast() {
      starts.append(starts[starts.count - 1] + (tier.tokens ?? 0))
    }
    self.starts = starts
  }

  /// The layout of pages that still take tokens.
  var exact: PageLayout { layouts[0] }

  /// Pages from the first on that have reached `tier` once `tokens` tokens are held.
  func pages(in tier: Int, of tokens: Int) -> Int {
    tier == 0 ? tokens.pieces(of: KVPage.tokens) : max(0, tokens - starts[tier]) / KVPage.tokens
  }

  /// The tier of page `page` once `tokens` tokens are held.
  func tier(of page: Int, tokens: Int) -> Int {
    layouts.indices.last { $0 > 0 && page < pages(in: $0, of: tokens) } ?? 0
  }

  /// Bytes of all pages of one layer that holds `tokens` tokens.
  func byteCount(tokens: Int) -> Int {
    layouts.indices.reduce(0) { sum, tier in
      let older = tier + 1 < layouts.count ? pages(in: tier + 1, of: tokens) : 0
      return sum + (pages(in: tier, of: tokens) - older) * layouts[tier].byteCount
    }
  }
}

extension Int {
  /// Pieces of `size` that hold this many.
  func pieces(of size: Int) -> Int { (self + size - 1) / size }
}
