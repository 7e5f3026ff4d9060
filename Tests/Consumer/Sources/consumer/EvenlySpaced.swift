import KVCaches
import KVLayout
import Tensors

/// An eviction of one's own: the most recent tokens stay, and of those before them evenly spaced
/// ones.
struct EvenlySpaced: EvictionPolicy {
  static let name = "even"
  static let keys = ["recent"]

  /// Tokens at the end that stay.
  let recent: Int

  init(_ settings: inout EvictionSettings, budget: Int) throws(EvictionProblem) {
    recent = try settings.take("recent", Int.init) ?? budget / 2
  }

  func settings(budget: Int) -> [(key: String, value: String)] {
    recent == budget / 2 ? [] : [("recent", "\(recent)")]
  }

  func problem(budget: Int) -> String? {
    0..<budget ~= recent ? nil : "recent \(recent) is not below the budget \(budget)"
  }

  func needs(order: Eviction.Order) -> EvictionNeeds { EvictionNeeds() }

  func choose(
    from head: HeadView, budget: Int, order: Eviction.Order
  ) throws(TensorError) -> EvictionChoice {
    let (before, kept) = (head.count - recent, budget - recent)
    return EvictionChoice(slots: (0..<kept).map { $0 * before / kept } + Array(before..<head.count))
  }
}
