import KVLayout
import Kernels
import Tensors

/// What one query attends to in one KV head: the softmax of its products with the keys.
struct AttentionRow {
  /// Which of the tokens that were appended last it stands at.
  let token: Int
  let kvHead: Int
  /// Tokens it sees, its own the last.
  let visible: Int
  /// The weights as parts of the largest, `[visible]`.
  let parts: UnsafePointer<Float>
  /// The largest weight.
  let largest: Float

  /// The weight of a token.
  func weight(of slot: Int) -> Float { parts[slot] * largest }
}

/// Reads what the tokens appended last to a layer attend to.
///
/// The products with the keys are those that attention has computed before, and are computed
/// again: a weight is known when all products of its query are, and attention lets go of them
/// page by page. To keep them would take tokens x entries floats a head until the whole step has
/// attended, since sums are added in the order of the tokens however a prompt is cut.
struct AttentionReader {
  private let views: [TokenView]
  private let count: Int
  private let shape: KVShape
  private let queries: ReadOnlyMemory<Float>
  private let heads: Int

  /// Tokens whose queries read a page together.
  private static let tokensTogether = 8

  /// Reads along `queries` `[tokens, heads, dimension]`, those of the last tokens of `layer`.
  init(
    _ cache: KVCache, layer: Int, queries: UnsafePointer<Float>, tokens: Int, heads: Int
  ) {
    let (count, tiers) = (cache.layers[layer].count, cache.tiers[layer])
    views = (0..<tokens).map { token in
      let visible = count - tokens + token + 1
      return TokenView(
        pages: cache.pages(of: layer, visible: visible), coded: tiers.coded(of: visible),
        visible: visible)
    }
    self.count = count
    self.heads = heads
    shape = cache.shape
    self.queries = ReadOnlyMemory(queries)
  }

  /// Calls `take` with the row of every query, those of a KV head in order and by one thread.
  func read(on pool: ThreadPool, _ take: @Sendable (AttentionRow) -> Void) {
    let (tokens, dimension, group) = (views.count, shape.headDimension, heads / shape.kvHeads)
    let (views, queries, heads) = (views, queries, heads)
    let scale = 1 / Float(dimension).squareRoot()
    let padded = count.roundedUp(toMultipleOf: PageLayout.tokens)
    let rows = min(tokens, Self.tokensTogether) * group
    pool.split(shape.kvHeads, cost: tokens * count * heads * dimension) { part in
      withUnsafeTemporaryAllocation(
        of: Float.self, capacity: rows * (dimension + PageLayout.tokens + padded)
      ) { scratch in
        guard let gathered = scratch.baseAddress else { return }
        let scores = gathered + rows * dimension
        let logits = scores + rows * PageLayout.tokens
        for kvHead in part {
          for first in stride(from: 0, to: tokens, by: Self.tokensTogether) {
            let some = views[first..<min(first + Self.tokensTogether, tokens)]
            for (row, token) in some.indices.enumerated() {
              (gathered + row * group * dimension).update(
                from: queries + (token * heads + kvHead * group) * dimension,
                count: group * dimension)
            }
            let products = PageProducts(
              queries: gathered, group: group, dimension: dimension, kvHead: kvHead,
              scores: scores)
            products.write(to: logits, stride: padded, of: some)
            for (row, token) in some.indices.enumerated() {
              let visible = some[token].visible
              for head in row * group..<(row + 1) * group {
                let line = logits + head * padded
                for index in 0..<visible { line[index] *= scale }
                take(
                  AttentionRow(
                    token: token, kvHead: kvHead, visible: visible, parts: line,
                    largest: 1 / exponentials(of: line, visible: visible)))
              }
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
