import KVLayout
import Kernels

/// Queries of a few tokens while they look at one page after another, as the attention kernel takes
/// them: KV head after KV head, and the tokens of each.
struct RunningAttention {
  private let kvHeads: Int
  private let tokens: Int
  /// Query heads that share a KV head.
  private let heads: Int
  private let dimension: Int
  /// `[KV heads][tokens][heads][dimension]`.
  let queries: UnsafeMutablePointer<Float>
  /// Of each query its weighted values, the highest score and the sum of the weights; see
  /// `bb_kernel_table.attend`.
  let state: UnsafeMutablePointer<Float>

  private var padded: Int { dimension.roundedUp(toMultipleOf: 16) }
  private var stateWidth: Int { padded + 16 }

  /// Calls `body` with queries that have seen nothing yet, and are still to be taken.
  static func with(
    kvHeads: Int, tokens: Int, heads: Int, dimension: Int, _ body: (Self) -> Void
  ) {
    withRoom(kvHeads: kvHeads, tokens: tokens, heads: heads, dimension: dimension) { all in
      let queries = kvHeads * tokens * heads
      all.state.initialize(repeating: 0, count: queries * all.stateWidth)
      for query in 0..<queries { all.state[query * all.stateWidth + all.padded] = -.infinity }
      body(all)
    }
  }

  private static func withRoom(
    kvHeads: Int, tokens: Int, heads: Int, dimension: Int, _ body: (Self) -> Void
  ) {
    let queries = kvHeads * tokens * heads
    let stateWidth = dimension.roundedUp(toMultipleOf: 16) + 16
    withUnsafeTemporaryAllocation(of: Float.self, capacity: queries * (dimension + stateWidth)) {
      guard let state = $0.baseAddress else { return }
      body(
        Self(
          kvHeads: kvHeads, tokens: tokens, heads: heads, dimension: dimension,
          queries: state + queries * stateWidth, state: state))
    }
  }

  /// Takes the queries `[KV heads, heads, dimension]` of a token.
  func take(_ source: UnsafePointer<Float>, token: Int) {
    let width = heads * dimension
    for kvHead in 0..<kvHeads {
      (queries + (kvHead * tokens + token) * width).update(
        from: source + kvHead * width, count: width)
    }
  }

  func rotateQueries() {
    KVRotation.apply(queries, rows: kvHeads * tokens * heads, dimension: dimension)
  }

  /// Writes what a token attended to, `[KV heads, heads, dimension]`, back from its rotation where
  /// values are kept so.
  func give(_ target: UnsafeMutablePointer<Float>, token: Int, isRotated: Bool) {
    let divide = bb_kernels().pointee.divide
    for kvHead in 0..<kvHeads {
      for head in 0..<heads {
        let values = state + ((kvHead * tokens + token) * heads + head) * stateWidth
        divide(values, values[padded + 1], dimension, target + (kvHead * heads + head) * dimension)
      }
    }
    if isRotated { KVRotation.apply(target, rows: kvHeads * heads, dimension: dimension) }
  }

  /// Calls `body` with some of the tokens, which look further.
  func withTokens(_ some: Range<Int>, _ body: (Self) -> Void) {
    let (queryWidth, width) = (heads * dimension, heads * stateWidth)
    guard kvHeads > 1 && some.count < tokens else {
      return body(
        Self(
          kvHeads: kvHeads, tokens: some.count, heads: heads, dimension: dimension,
          queries: queries + some.lowerBound * queryWidth, state: state + some.lowerBound * width))
    }
    Self.withRoom(kvHeads: kvHeads, tokens: some.count, heads: heads, dimension: dimension) {
      part in
      for kvHead in 0..<kvHeads {
        let (from, to) = (kvHead * tokens + some.lowerBound, kvHead * some.count)
        (part.queries + to * queryWidth)
          .update(from: queries + from * queryWidth, count: some.count * queryWidth)
        (part.state + to * width).update(from: state + from * width, count: some.count * width)
      }
      body(part)
      for kvHead in 0..<kvHeads {
        (state + (kvHead * tokens + some.lowerBound) * width)
          .update(from: part.state + kvHead * some.count * width, count: some.count * width)
      }
    }
  }
}
