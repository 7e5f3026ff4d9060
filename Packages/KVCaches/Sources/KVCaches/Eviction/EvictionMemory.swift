import KVLayout
import Tensors

/// What an eviction remembers of one layer between compressions, besides the entries themselves.
struct EvictionMemory: Sendable {
  var queries: QueryWindow?
  var attention: AttentionMass?
  var heads: HeadMemories?

  init(for eviction: Eviction, shape: KVShape, heads: Int, meter: KVMeter) throws(TensorError) {
    let needs = eviction.needs
    if needs.queryWindow > 0 {
      queries = try QueryWindow(
        tokens: needs.queryWindow, heads: heads, dimension: shape.headDimension, meter: meter)
    }
    if needs.gathersAttention {
      attention = AttentionMass(kvHeads: shape.kvHeads, meter: meter)
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

/// The attention that every token a layer holds has gathered since it was seen, summed over the
/// queries of the query heads that share a KV head.
struct AttentionMass: Sendable {
  private let kvHeads: Int
  private let meter: KVMeter
  /// `[kvHeads, capacity]`.
  private var sums: CountedFloats?
  private var capacity: Int { (sums?.count ?? 0) / kvHeads }

  init(kvHeads: Int, meter: KVMeter) {
    self.kvHeads = kvHeads
    self.meter = meter
  }

  /// Makes room for `count` tokens and lets `add` add to the sums of each KV head.
  mutating func update(
    count: Int, on pool: ThreadPool, cost: Int,
    add: @Sendable (_ kvHead: Int, _ sums: UnsafeMutablePointer<Float>) -> Void
  ) throws(TensorError) {
    let sums = try sums(for: count)
    let stride = capacity
    sums.withFloats { sums in
      guard let base = sums.baseAddress else { return }
      let sums = DisjointMemory(base)
      pool.split(kvHeads, cost: cost) { heads in
        for head in heads { add(head, sums + head * stride) }
      }
    }
  }

  /// The sums of the first `count` tokens of one KV head.
  func sums(of kvHead: Int, count: Int) -> [Float] {
    sums?.withFloats { Array($0[kvHead * capacity..<kvHead * capacity + count]) } ?? []
  }

  /// Keeps the sums of `slots`, a list for each KV head.
  mutating func keep(_ slots: [[Int]]) throws(TensorError) {
    let stride = (slots.first?.count ?? 0).roundedUp(toMultipleOf: PageLayout.tokens)
    let kept = try CountedFloats(count: kvHeads * stride, meter: meter)
    kept.withFloats { target in
      for head in slots.indices {
        let old = sums(of: head, count: capacity)
        for (slot, from) in slots[head].enumerated() { target[head * stride + slot] = old[from] }
      }
    }
    sums = kept
  }

  /// The sums, held by nobody else, with capacity for `count` tokens; new ones are zero.
  private mutating func sums(for count: Int) throws(TensorError) -> CountedFloats {
    let (old, new) = (capacity, max(capacity, count.roundedUp(toMultipleOf: PageLayout.tokens)))
    let isOurs = isKnownUniquelyReferenced(&sums)
    if let sums, isOurs, old == new { return sums }
    let grown = try CountedFloats(count: kvHeads * new, meter: meter)
    sums?.withFloats { source in
      grown.withFloats { target in
        for head in 0..<kvHeads {
          for slot in 0..<old { target[head * new + slot] = source[head * old + slot] }
        }
      }
    }
    sums = grown
    return grown
  }
}
