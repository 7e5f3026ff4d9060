import KVLayout
import Tensors

/// How sparsely the last tokens of one layer attended, until their pages are ranked by it.
struct SparsityRing: Sendable {
  private let kvHeads: Int
  private let tokens: Int
  /// `[kvHeads, tokens]`, the token of position p at p mod tokens: of each the share of the tokens
  /// it saw to which it gave next to nothing, summed over the query heads that share the KV head.
  private var shares: CountedFloats

  init(kvHeads: Int, tokens: Int, meter: KVMeter) throws(TensorError) {
    self.kvHeads = kvHeads
    self.tokens = tokens
    shares = try CountedFloats(count: kvHeads * tokens, meter: meter)
  }

  /// Takes in what the tokens at `positions` attend to, which `reader` reads.
  mutating func take(
    _ reader: AttentionReader, positions: Range<Int>, on pool: ThreadPool
  ) throws(TensorError) {
    if !isKnownUniquelyReferenced(&shares) { shares = try shares.copy() }
    let size = tokens
    shares.withFloats {
      guard let base = $0.baseAddress else { return }
      let sums = DisjointMemory(base)
      for position in positions {
        for head in 0..<kvHeads { sums[head * size + position % size] = 0 }
      }
      reader.read(on: pool) { row in
        let place = row.kvHead * size + (positions.lowerBound + row.token) % size
        sums[place] += row.negligibleShare
      }
    }
  }

  /// What the tokens at `positions` have in all KV heads together.
  func sum(of positions: Range<Int>) -> Float {
    shares.withFloats { shares in
      positions.reduce(0) { sum, position in
        (0..<kvHeads).reduce(sum) { $0 + shares[$1 * tokens + position % tokens] }
      }
    }
  }
}

extension AttentionRow {
  /// The share of the tokens it sees to which it gives less than a hundredth of its largest weight.
  fileprivate var negligibleShare: Float {
    var count = 0
    for slot in 0..<visible where parts[slot] < ThoughtTiers.negligible { count += 1 }
    return Float(count) / Float(visible)
  }
}
