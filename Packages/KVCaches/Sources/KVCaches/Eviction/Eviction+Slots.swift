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
    /// What is known of the similar keys of its first tokens.
    var known: [SimilarKey] = []
  }

  /// What a policy chose for one KV head.
  struct Choice {
    /// The slots that stay, at most the budget, in the order in which they are to lie.
    var slots: [Int]
    /// What is now known of their similar keys; empty unless the policy asks again.
    var known: [SimilarKey] = []
  }

  /// Chooses what stays.
  ///
  /// - Throws: `TensorError.outOfMemory`.
  func choose(from head: HeadView) throws(TensorError) -> Choice {
    guard head.count >= budget else { return Choice(slots: Array(0..<head.count)) }
    switch policy {
    case .streaming(let sinks):
      return Choice(slots: Selection.streaming(count: head.count, budget: budget, sinks: sinks))
    case .h2o(let recent):
      return highest(Array(head.attention.prefix(head.count - recent)), recent: recent)
    case .snapKV(let scoring):
      let scores = try head.keys().observedAttention(
        to: head.queries, window: scoring.window, kernel: scoring.kernel)
      return highest(scores, recent: scoring.window)
    case .rkv(let scoring):
      var known = head.known
      let scores = try scoring.scores(of: try head.keys(), queries: head.queries, known: &known)
      var choice = highest(scores, recent: scoring.window)
      // Bounds hold in the order of the text alone.
      if order == .position, !known.isEmpty {
        choice.known = choice.slots.map { known[$0].after(keeping: choice.slots) }
      }
      return choice
    }
  }

  private func highest(_ scores: [Float], recent: Int) -> Choice {
    Choice(slots: Selection.highest(scores, budget: budget, recent: recent, order: order))
  }
}
