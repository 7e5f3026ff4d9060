import KVLayout
import Tensors

extension SnapKV: EvictionPolicy {
  /// See `EvictionPolicy.choose`.
  public func choose(
    from head: HeadView, budget: Int, order: Eviction.Order
  ) throws(TensorError) -> EvictionChoice {
    let scores = try head.keys().observedAttention(
      to: head.queries, window: window, kernel: kernel)
    return EvictionChoice(highest: scores, recent: window, budget: budget, order: order)
  }
}
