import KVLayout
import Kernels
import Tensors

extension KVCache {
  /// Tokens whose queries read a page together.
  private static let tokensTogether = 8

  /// Adds what the tokens appended last attend to, where the policy wants to know.
  ///
  /// The products with the keys are those that attention has computed before, and are computed
  /// again: a weight is known when all products of its query are, and attention lets go of them
  /// page by page. To keep them would take tokens x entries floats a head until the whole step has
  /// attended, since sums are added in the order of the tokens however a prompt is cut.
  mutating func addAttention(
    of queries: UnsafePointer<Float>, tokens: Int, heads: Int, layer: Int, on pool: ThreadPool
  ) throws(TensorError) {
    guard layers[layer].memory?.attention != nil else { return }
    let (dimension, group) = (shape.headDimension, heads / shape.kvHeads)
    let count = layers[layer].count
    let tiers = tiers[layer]
    let views = (0..<tokens).map { token in
      let visible = count - tokens + token + 1
      return TokenView(
        pages: pages(of: layer, visible: visible), coded: tiers.coded(of: visible), visible: visible
      )
    }
    let scale = 1 / Float(dimension).squareRoot()
    let padded = count.roundedUp(toMultipleOf: PageLayout.tokens)
    let rows = min(tokens, Self.tokensTogether) * group
    let queries = ReadOnlyMemory(queries)
    try layers[layer].memory?.attention?.update(
      count: count, on: pool, cost: tokens * count * heads * dimension
    ) { kvHead, sums in
      withUnsafeTemporaryAllocation(
        of: Float.self, capacity: rows * (dimension + PageLayout.tokens + padded)
      ) { scratch in
        guard let gathered = scratch.baseAddress else { return }
        let scores = gathered + rows * dimension
        let logits = scores + rows * PageLayout.tokens
        for first in stride(from: 0, to: tokens, by: Self.tokensTogether) {
          let views = views[first..<min(first + Self.tokensTogether, tokens)]
          for (row, token) in views.indices.enumerated() {
            (gathered + row * group * dimension).update(
              from: queries + (token * heads + kvHead * group) * dimension, count: group * dimension
            )
          }
          let products = PageProducts(
            queries: gathered, group: group, dimension: dimension, kvHead: kvHead, scores: scores)
          products.write(to: logits, stride: padded, of: views)
          for (row, view) in views.enumerated() {
            for head in row * group..<(row + 1) * group {
              let line = logits + head * padded
              for index in 0..<view.visible { line[index] *= scale }
              addSoftmax(line, visible: view.visible, times: 1, to: sums)
            }
          }
        }
      }
    }
  }
}

/// What one token attends to.
private struct TokenView: Sendable {
  let pages: PageList
  let coded: CodedTokens
  /// Tokens it sees.
  let visible: Int

  /// Whether both find page `index` the same.
  func shares(_ index: Int, with other: TokenView) -> Bool {
    pages[index] === other.pages[index]
      && (pages[index].layout.codes == nil || coded.inPage(index) == other.coded.inPage(index))
  }
}

/// Products of the queries of a few tokens with the keys of one KV head.
private struct PageProducts {
  /// `[tokens, group, dimension]`.
  let queries: UnsafePointer<Float>
  let group: Int
  let dimension: Int
  let kvHead: Int
  /// Scratch for `[tokens, group, 64]`.
  let scores: UnsafeMutablePointer<Float>

  /// Writes the products of each query with all keys to a line of `logits`, `stride` floats apart.
  func write(
    to logits: UnsafeMutablePointer<Float>, stride: Int, of views: ArraySlice<TokenView>
  ) {
    guard let last = views.last else { return }
    for index in last.pages.indices {
      let line = logits + index * PageLayout.tokens
      if views.allSatisfy({ $0.shares(index, with: last) }) {
        write(0..<views.count, last, page: index, to: line, stride: stride)
      } else {
        for (token, view) in views.enumerated() {
          write(token..<token + 1, view, page: index, to: line, stride: stride)
        }
      }
    }
  }

  private func write(
    _ tokens: Range<Int>, _ view: TokenView, page index: Int,
    to line: UnsafeMutablePointer<Float>, stride: Int
  ) {
    let first = tokens.lowerBound * group
    view.pages[index].keyScores(
      queries: queries + first * dimension, heads: tokens.count * group, kvHead: kvHead,
      coded: view.coded.inPage(index), scores: scores)
    for row in 0..<tokens.count * group {
      (line + (first + row) * stride).update(
        from: scores + row * PageLayout.tokens, count: PageLayout.tokens)
    }
  }
}
