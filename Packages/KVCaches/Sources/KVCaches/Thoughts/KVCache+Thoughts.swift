import KVLayout
import Tensors

/// Pages of thought are ranked by how sparsely their tokens attended, and stored by their place.
extension KVCache {
  /// Takes in how sparsely the tokens appended last to `layer` attended; those of the prompt, and of
  /// the page in which it ends, are no thought.
  mutating func observeSparsity(
    _ queries: UnsafePointer<Float>, tokens: Int, heads: Int, layer: Int, on pool: ThreadPool
  ) throws(TensorError) {
    guard !tiers[layer].kinds.isEmpty else { return }
    if layers[layer].sparsity == nil {
      layers[layer].sparsity = try SparsityRing(
        kvHeads: shape.kvHeads, tokens: tiers[layer].tokensUnranked, meter: meter)
    }
    guard let prompt = promptLength else { return }
    let end = layers[layer].count
    let start = max(end - tokens, prompt.roundedUp(toMultipleOf: PageLayout.tokens))
    guard start < end else { return }
    let reader = AttentionReader(
      self, layer: layer,
      queries: queries + (start - end + tokens) * heads * shape.headDimension,
      tokens: end - start, heads: heads)
    try layers[layer].sparsity?.take(reader, positions: start..<end, on: pool)
  }

  /// Ranks the pages of which enough have become old with the `tokens` appended last to `layer`,
  /// and stores each as its place says.
  mutating func tellThoughtsApart(
    tokens: Int, layer: Int, on pool: ThreadPool
  ) throws(TensorError) {
    let (tiers, count) = (tiers[layer], layers[layer].count)
    guard let sparsity = layers[layer].sparsity else { return }
    let layouts = tiers.layoutsByDensity
    let ranked = tiers.rankedPages(of: count, prompt: promptLength)
    let known = tiers.rankedPages(of: count - tokens, prompt: promptLength)
    for first in stride(from: known.upperBound, to: ranked.upperBound, by: layouts.count) {
      let shares = (first..<first + layouts.count).map { page in
        sparsity.sum(of: page * PageLayout.tokens..<(page + 1) * PageLayout.tokens)
      }
      // Of pages that are as sparse the earlier one counts as the denser.
      let order = shares.indices.sorted { (shares[$0], $0) < (shares[$1], $1) }
      for (place, index) in order.enumerated() {
        try store(first + index, as: layouts[place], layer: layer, on: pool)
      }
    }
  }

  /// Stores a page of `layer` in another layout, rounded from what is stored.
  private mutating func store(
    _ index: Int, as layout: PageLayout, layer: Int, on pool: ThreadPool
  ) throws(TensorError) {
    let old = layers[layer].pages[index]
    guard old.layout != layout else { return }
    let new = try KVPage(layout, meter: meter)
    pool.split(shape.kvHeads) { heads in
      for head in heads { new.fill(head: head, from: old) }
    }
    layers[layer].pages[index] = new
  }
}
