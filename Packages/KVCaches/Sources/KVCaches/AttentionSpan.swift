import Kernels
import Tensors

/// What a few consecutive tokens attend to in one layer of a cache: the pages, looked up once, so that the threads which
/// compute touch nothing but bytes. Valid while the cache is neither written nor released.
public struct AttentionSpan {
  /// Tokens that attend.
  public let tokens: Int
  private let dimension: Int
  private let rotation: KVRotation?
  /// What all of them find in the same form, though the later ones see more of its end.
  private let common: [bb_kv_piece]
  /// What each finds behind that; empty where nobody finds anything.
  private let rest: [[bb_kv_piece]]

  /// The last of the `tokens` attends to the first `visible` tokens of `layer`, the one before to one less, and so on.
  public init(_ cache: KVCache, layer: Int, visible: Int, tokens: Int) {
    self.tokens = tokens
    dimension = cache.shape.headDimension
    rotation = cache.configuration.rotation
    let least = visible - tokens + 1
    let first = cache.pages(of: layer, visible: least)
    let last = tokens == 1 ? first : cache.pages(of: layer, visible: visible)
    let count = visible.pieces(of: KVPage.tokens)
    let shared =
      (0..<count).first { first[$0] !== last[$0] || first[$0].layout.codes != nil } ?? count
    var pieces: [bb_kv_piece] = []
    pieces.reserveCapacity(shared)
    for index in 0..<shared {
      let start = index * KVPage.tokens
      first[index].appendPieces(
        count: min(KVPage.tokens, visible - start), least: least - start, coded: .zero, to: &pieces)
    }
    common = pieces
    guard shared < count else {
      rest = []
      return
    }
    rest = (least...visible).map { seen in
      let pages =
        seen == least ? first : seen == visible ? last : cache.pages(of: layer, visible: seen)
      let coded = cache.tiers.coded(of: seen)
      var pieces: [bb_kv_piece] = []
      for index in shared..<max(shared, seen.pieces(of: KVPage.tokens)) {
        pages[index].appendPieces(
          count: min(KVPage.tokens, seen - index * KVPage.tokens), coded: coded.inPage(index),
          to: &pieces)
      }
      return pieces
    }
  }

  /// Attention of the query heads that share a KV head, at every token of the span.
  ///
  /// Pages are visited in order with a running softmax, so the result of a query depends on nothing but the entries themselves.
  ///
  /// - Parameters:
  ///   - queries: `[tokens][heads, dimension]`, the query heads that share `kvHead`; token after token `stride` floats apart.
  ///   - stride: floats from one token's first query to the next one's.
  ///   - heads: number of query heads.
  ///   - kvHead: the KV head they share.
  ///   - scale: factor of the scores, usually dimension^-1/2.
  ///   - numerics: other than `exact`, queries and weights are rounded to BF16 where a page holds BF16.
  ///   - output: as `queries`, overwritten.
  public func attend(
    queries: UnsafePointer<Float>, stride: Int, heads: Int, kvHead: Int, scale: Float,
    numerics: Numerics = .exact, output: UnsafeMutablePointer<Float>
  ) {
    let padded = dimension.roundedUp(toMultipleOf: 16)
    let (row, width) = (padded + 16, heads * dimension)
    let kernel = bb_kernels().pointee.attend
    let products = numerics == .exact ? nil : bb_kernels().pointee.multiply_pairs
    withUnsafeTemporaryAllocation(of: Float.self, capacity: tokens * (heads * row + width)) {
      guard let state = $0.baseAddress else { return }
      $0.initialize(repeating: 0)
      let gathered = state + tokens * heads * row
      for query in 0..<tokens * heads { state[query * row + padded] = -.infinity }
      for token in 0..<tokens {
        (gathered + token * width).update(from: queries + token * stride, count: width)
      }
      if rotation?.hasKeys == true {
        KVRotation.apply(gathered, rows: tokens * heads, dimension: dimension)
      }
      kernel?(
        gathered, tokens, heads, dimension, common, common.count, kvHead, scale, products,
        state)
      for (token, pieces) in rest.enumerated() {
        kernel?(
          gathered + token * width, 1, heads, dimension, pieces, pieces.count, kvHead, scale,
          products, state + token * heads * row)
      }
      for token in 0..<tokens {
        let (own, result) = (state + token * heads * row, output + token * stride)
        for head in 0..<heads {
          let sum = own[head * row + padded + 1]
          for i in 0..<dimension { result[head * dimension + i] = own[head * row + i] / sum }
        }
        if rotation?.hasValues == true {
          KVRotation.apply(result, rows: heads, dimension: dimension)
        }
      }
    }
  }
}

extension KVCache {
  /// Attention of the query heads of one KV head at one token over the first `visible` tokens of `layer`; see
  /// `AttentionSpan.attend`.
  public func attend(
    queries: UnsafePointer<Float>, heads: Int, kvHead: Int, layer: Int, visible: Int, scale: Float,
    output: UnsafeMutablePointer<Float>
  ) {
    AttentionSpan(self, layer: layer, visible: visible, tokens: 1)
      .attend(
        queries: queries, stride: heads * shape.headDimension, heads: heads, kvHead: kvHead,
        scale: scale, output: output)
  }
}
