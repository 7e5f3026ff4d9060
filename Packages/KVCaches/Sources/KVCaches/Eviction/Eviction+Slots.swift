import Tensors

extension Eviction {
  /// What a policy may look at when it chooses for one KV head of one layer.
  struct HeadView {
    /// Tokens the head holds.
    let count: Int
    /// Its keys in cache order, `[count, dimension]`; asked for only where the policy looks at them.
    let keys: () throws(TensorError) -> HeadKeys
    /// Queries of the last `queryWindow` tokens, `[heads, queryWindow, dimension]`, of the query heads that share it.
    let queries: [Float]
    /// Attention each token has gathered, `[count]`; empty unless the policy tracks it.
    let attention: [Float]
  }

  /// The slots that stay, at most `budget`, in the order in which they are to lie.
  ///
  /// - Throws: `TensorError.outOfMemory`.
  func slots(of head: HeadView) throws(TensorError) -> [Int] {
    guard head.count >= budget else { return Array(0..<head.count) }
    switch policy {
    case .streaming(let sinks):
      return Selection.streaming(count: head.count, budget: budget, sinks: sinks)
    case .h2o(let recent):
      let scores = Array(head.attention.prefix(head.count - recent))
      return Selection.highest(scores, budget: budget, recent: recent, order: order)
    case .rkv(let scoring):
      let scores = try scoring.scores(of: try head.keys(), queries: head.queries)
      return Selection.highest(scores, budget: budget, recent: scoring.window, order: order)
    case .snapKV(let scoring):
      let scores = try head.keys().observedAttention(
        to: head.queries, window: scoring.window, kernel: scoring.kernel)
      return Selection.highest(scores, budget: budget, recent: scoring.window, order: order)
    }
  }
}
