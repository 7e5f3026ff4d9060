import KVLayout
import Tensors

extension RaaS: EvictionPolicy {
  /// See `EvictionPolicy.choose`.
  public func choose(
    from head: HeadView, budget: Int, order: Eviction.Order
  ) throws(TensorError) -> EvictionChoice {
    var stamps = head.recurrences.map(\.last)
    // A prompt that has always stayed lies at the front, in either order.
    if let prompt = head.promptTokens, prompt < budget {
      for slot in 0..<prompt { stamps[slot] = .infinity }
    }
    // From the last slot to the first, since of equal ones the first is chosen.
    let chosen = EvictionChoice(
      highest: stamps.reversed(), recent: 0, budget: budget, order: order)
    let slots = chosen.slots.map { stamps.count - 1 - $0 }
    return EvictionChoice(slots: order == .position ? slots.reversed() : slots)
  }
}
