import KVLayout

extension KVCache {
  /// Whether the cache can be cut back to its first `length` tokens: whether what they are stored
  /// as does not depend on those behind them. So it is where no page was rounded since, nothing was
  /// evicted, all layers attend, and those with windows have let go of nothing that the next token
  /// would see.
  public func canTruncate(to length: Int) -> Bool {
    guard length >= 0, length <= position else { return false }
    if length == position { return true }
    guard isTruncatable else { return false }
    for layer in layers.indices {
      guard let window = shape.window(layer) else { continue }
      let first = max(0, length + 1 - window) / PageLayout.tokens
      if first < layers[layer].pages.startIndex { return false }
    }
    return tiers.areAlike(length, position)
  }

  /// Whether tokens can be taken back at all but by keeping a copy: what is stored does not change
  /// by what was attended to, and all layers attend.
  public var isTruncatable: Bool { !policy.watchesAttention && !shape.hasFixedStates }

  /// The most tokens that can be appended so that `truncate(to:)` can take all of them back.
  public var tokensUntilFixed: Int {
    guard isTruncatable else { return 0 }
    if !policy.isQuantized {
      // What a window moves away from is let go of a page later than it could be.
      return shape.windows.contains { $0 > 0 } ? PageLayout.tokens : .max
    }
    let count = position
    // Pages are rounded at the latest when a residual and a page have come; windows leave a page.
    let hasWindows = shape.windows.contains { $0 > 0 }
    let most = PageLayout.tokens + (hasWindows ? 0 : tiers.residual)
    return (1...most).first { !tiers.areAlike(count, count + $0) }.map { $0 - 1 } ?? most
  }

  /// Cuts the cache back to its first `length` tokens, as if those behind them had never been
  /// appended.
  ///
  /// - Returns: false, with nothing changed, where that cannot be; see `canTruncate(to:)`.
  public mutating func truncate(to length: Int) -> Bool {
    guard canTruncate(to: length) else { return false }
    if length == position { return true }
    for layer in layers.indices {
      layers[layer].staged = []
      let pages = length.pieces(of: PageLayout.tokens)
      layers[layer].pages.remove(from: pages)
      layers[layer].count = length
      layers[layer].seen = length
    }
    if let prompt = promptLength, prompt > length { promptLength = nil }
    return true
  }
}
