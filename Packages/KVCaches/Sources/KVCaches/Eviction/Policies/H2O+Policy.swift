import KVLayout
import Tensors

extension H2O: EvictionPolicy {
  /// See `EvictionPolicy.choose`.
  public func choose(
    from head: HeadView, budget: Int, order: Eviction.Order
  ) throws(TensorError) -> EvictionChoice {
    EvictionChoice(
      highest: Array(head.attention.prefix(head.count - recent)), recent: recent, budget: budget,
      order: order)
  }
}
