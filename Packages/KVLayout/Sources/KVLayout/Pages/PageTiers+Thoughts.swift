/// How many pages, of every few of them, have one kind of thought, and how they are stored.
public struct ThoughtPages: Sendable, Hashable {
  /// Their layout.
  public let layout: PageLayout
  /// How many they are.
  public let pages: Int
}

/// Kinds of thought: the pages that were ranked, by their place and the number of tokens alone.
extension PageTiers {
  /// Pages that are ranked together.
  private var rankedTogether: Int { kinds.reduce(0) { $0 + $1.pages } }

  /// The pages that have been given their kinds once `tokens` tokens are held, of which the first
  /// `prompt` are no thought; none where that is not known.
  public func rankedPages(of tokens: Int, prompt: Int?) -> Range<Int> {
    guard !kinds.isEmpty, let prompt else { return 0..<0 }
    let first = prompt.pieces(of: PageLayout.tokens)
    let old = max(0, pages(in: layouts.count - 1, of: tokens) - first)
    return first..<first + old / rankedTogether * rankedTogether
  }

  /// Tokens whose attention has to be remembered until their pages are ranked.
  public var tokensUnranked: Int {
    kinds.isEmpty ? 0 : oldestStart + rankedTogether * PageLayout.tokens
  }

  /// Tokens that may be appended at once, so that pages are ranked behind the last of them at the
  /// earliest.
  func tokensUntilKinds(of tokens: Int, prompt: Int?) -> Int {
    guard !kinds.isEmpty, prompt != nil else { return .max }
    let next = rankedPages(of: tokens, prompt: prompt).upperBound + rankedTogether
    return next * PageLayout.tokens + oldestStart - tokens
  }

  /// The number of tokens, at most `tokens`, at which pages were ranked last; 0 for never.
  func lastKinds(of tokens: Int, prompt: Int?) -> Int {
    let ranked = rankedPages(of: tokens, prompt: prompt)
    return ranked.isEmpty ? 0 : ranked.upperBound * PageLayout.tokens + oldestStart
  }

  /// The layout of each of the pages that were ranked together, by their places from the densest
  /// attention to the sparsest.
  public var layoutsByDensity: [PageLayout] {
    kinds.flatMap { [PageLayout](repeating: $0.layout, count: $0.pages) }
  }

  /// Bytes by which the pages that were given their kinds are smaller.
  func savedByKinds(tokens: Int, prompt: Int?) -> Int {
    let ranked = rankedPages(of: tokens, prompt: prompt).count
    guard ranked > 0, let oldest = layouts.last else { return 0 }
    let saved = kinds.reduce(0) {
      $0 + $1.pages * (oldest.byteCount - $1.layout.byteCount)
    }
    return Saturating.product(ranked / rankedTogether, saved)
  }

  /// Bytes that are remembered of the attention of one layer's tokens until they are ranked: a
  /// number for each KV head, F32.
  func rememberedBytes(kvHeads: Int) -> Int { Saturating.product(4, kvHeads, tokensUnranked) }
}
