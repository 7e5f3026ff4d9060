import KVLayout
import Tensors

extension StreamingLLM: EvictionPolicy {
  /// See `EvictionPolicy.choose`.
  public func choose(
    from head: HeadView, budget: Int, order: Eviction.Order
  ) throws(TensorError) -> EvictionChoice {
    EvictionChoice(slots: Selection.streaming(count: head.count, budget: budget, sinks: sinks))
  }
}
