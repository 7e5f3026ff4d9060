import KVLayout
import Tensors

extension LazyEviction: EvictionPolicy {
  /// See `EvictionPolicy.choose`.
  public func choose(
    from head: HeadView, budget: Int, order: Eviction.Order
  ) throws(TensorError) -> EvictionChoice {
    let now = Float(head.seen)
    let scores = head.recurrences.prefix(head.count - recent).map {
      // A token that never came back is let go of the sooner the longer that is.
      -(now - $0.last) / ($0.longest + 1)
    }
    return EvictionChoice(highest: scores, recent: recent, budget: budget, order: order)
  }
}
