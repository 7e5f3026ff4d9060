import KVLayout
import Tensors

extension RKV: EvictionPolicy {
  /// See `EvictionPolicy.choose`.
  public func choose(
    from head: HeadView, budget: Int, order: Eviction.Order
  ) throws(TensorError) -> EvictionChoice {
    var known = (head.memory as? SimilarKeys)?.keys ?? []
    let scores = try scores(of: try head.keys(), queries: head.queries, known: &known)
    var choice = EvictionChoice(highest: scores, recent: window, budget: budget, order: order)
    // Bounds hold in the order of the text alone.
    if order == .position, !known.isEmpty {
      choice.memory = SimilarKeys(
        keys: choice.slots.map { known[$0].after(keeping: choice.slots) })
    }
    return choice
  }

  /// The scores of the tokens of one KV head before the window, `[tokens - window]`.
  ///
  /// The queries are those of the query heads that share the KV head, `[heads, window, dimension]`.
  /// `known` is what is known of the first keys' similar keys, and becomes what is known of all.
  func scores(
    of keys: consuming HeadKeys, queries: [Float], known: inout [SimilarKey]
  ) throws(TensorError) -> [Float] {
    let importance = keys.importance(to: queries, window: window, kernel: kernel)
    let redundancy = try keys.redundancy(
      threshold: threshold, retain: retain, known: &known)
    return zip(importance, redundancy).map { lambda * $0 - (1 - lambda) * $1 }
  }
}
