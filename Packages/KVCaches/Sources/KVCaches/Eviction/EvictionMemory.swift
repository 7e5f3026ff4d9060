import KVLayout
import Tensors

/// What an eviction remembers of one layer between compressions, besides the entries themselves.
struct EvictionMemory: Sendable {
  var queries: QueryWindow?
  var attention: AttentionNotes?
  var heads: HeadMemories?

  init(for eviction: Eviction, shape: KVShape, heads: Int, meter: KVMeter) throws(TensorError) {
    let needs = eviction.needs
    if needs.queryWindow > 0 {
      queries = try QueryWindow(
        tokens: needs.queryWindow, heads: heads, dimension: shape.headDimension, meter: meter)
    }
    attention = needs.attention.map {
      AttentionNotes($0, kvHeads: shape.kvHeads, meter: meter)
    }
  }
}

/// The queries of the last tokens of one layer, all heads, rotated.
struct QueryWindow: Sendable {
  /// Tokens it holds.
  let tokens: Int
  private let heads: Int
  private let dimension: Int
  /// `[tokens, heads, dimension]`, the token of position p at p mod tokens.
  private var ring: CountedFloats

  init(tokens: Int, heads: Int, dimension: Int, meter: KVMeter) throws(TensorError) {
    self.tokens = tokens
    self.heads = heads
    self.dimension = dimension
    ring = try CountedFloats(count: tokens * heads * dimension, meter: meter)
  }

  /// Takes the queries of `count` tokens `[count, heads, dimension]`, of which the first stands at
  /// `position`.
  mutating func take(
    _ queries: UnsafePointer<Float>, count: Int, position: Int
  ) throws(TensorError) {
    if !isKnownUniquelyReferenced(&ring) { ring = try ring.copy() }
    let width = heads * dimension
    ring.withFloats { ring in
      guard let base = ring.baseAddress else { return }
      for token in max(0, count - tokens)..<count {
        (base + (position + token) % tokens * width).update(
          from: queries + token * width, count: width)
      }
    }
  }

  /// The queries of the heads `range` in the last tokens before `position`, `[range.count, tokens,
  /// dimension]`.
  func queries(of range: Range<Int>, before position: Int) -> [Float] {
    ring.withFloats { ring in
      var result: [Float] = []
      result.reserveCapacity(range.count * tokens * dimension)
      for head in range {
        for token in 0..<tokens {
          let slot = (position + token) % tokens
          let start = (slot * heads + head) * dimension
          result.append(contentsOf: ring[start..<start + dimension])
        }
      }
      return result
    }
  }
}
