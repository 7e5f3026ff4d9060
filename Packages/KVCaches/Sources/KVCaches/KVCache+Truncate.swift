import KVLayout

extension KVCache {
  /// Whether the cache can be cut back to its first `length` tokens: whether what they are stored as does not
  /// depend on those behind them. So it is where no page was rounded since, nothing was evicted, and all
  /// layers attend.
  public func canTruncate(to length: Int) -> Bool {
    guard length >= 0, length <= position else { return false }
    if length == position { return true }
    guard policy.eviction == nil, !shape.hasFixedStates else { return false }
    return tiers.areAlike(length, position)
  }

  /// The most tokens that can be appended so that `truncate(to:)` can take all of them back.
  public var tokensUntilFixed: Int {
    guard policy.eviction == nil, !shape.hasFixedStates else { return 0 }
    if !policy.isQuantized { return .max }
    let count = position
    // Pages are rounded at the latest when a residual and a page have come.
    let most = PageLayout.tokens + policy.residual
    return (1...most).first { !tiers.areAlike(count, count + $0) }.map { $0 - 1 } ?? most
  }

  /// Cuts the cache back to its first `length` tokens, as if those behind them had never been appended.
  ///
  /// - Returns: false, with nothing changed, where that cannot be; see `canTruncate(to:)`.
  public mutating func truncate(to length: Int) -> Bool {
    guard canTruncate(to: length) else { return false }
    if length == position { return true }
    for layer in layers.indices {
      layers[layer].staged = []
      let pages = length.pieces(of: PageLayout.tokens)
      layers[layer].pages.removeLast(layers[layer].pages.count - pages)
      layers[layer].count = length
      layers[layer].seen = length
    }
    if let prompt = promptLength, prompt > length { promptLength = nil }
    return true
  }
}
