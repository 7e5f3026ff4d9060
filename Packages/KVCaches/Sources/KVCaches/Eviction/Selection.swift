import KVLayout

/// Choosing the tokens that stay, as slots of the cache.
enum Selection {
  /// The first `sinks` and the last `budget` - `sinks` of `count` slots; all where there are no
  /// more than `budget`.
  static func streaming(count: Int, budget: Int, sinks: Int) -> [Int] {
    guard count > budget else { return Array(0..<count) }
    return Array(0..<sinks) + Array(count - budget + sinks..<count)
  }

  /// The slots of the `budget` - `recent` highest scores, then the `recent` slots that follow the
  /// scored ones.
  ///
  /// There is one score for each slot before the recent ones; of equal scores the earlier slot
  /// comes first.
  static func highest(
    _ scores: [Float], budget: Int, recent: Int, order: Eviction.Order
  ) -> [Int] {
    precondition(scores.count < Int(UInt32.max), "slots are numbered in 32 bits")
    // One integer orders by falling score, then by slot.
    var ranks = scores.enumerated().map { slot, score in
      UInt64(~score.orderedBits) << 32 | UInt64(slot)
    }
    ranks.sort()
    var chosen = ranks.prefix(max(0, budget - recent)).map { Int($0 & 0xffff_ffff) }
    if order == .position { chosen.sort() }
    return chosen + Array(scores.count..<scores.count + recent)
  }
}

extension Float {
  /// Bits whose order as integers is that of the numbers.
  fileprivate var orderedBits: UInt32 {
    bitPattern & 0x8000_0000 == 0 ? bitPattern | 0x8000_0000 : ~bitPattern
  }
}
