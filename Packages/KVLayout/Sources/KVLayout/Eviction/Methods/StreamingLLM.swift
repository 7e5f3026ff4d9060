/// The first `sinks` tokens and the most recent ones (StreamingLLM, arXiv:2309.17453). The original
/// keeps 4 sinks; half of the budget is what arXiv:2510.10964 measures. Positions are not shifted.
public struct StreamingLLM: EvictionMethod {
  /// Tokens from the start that stay.
  public let sinks: Int

  /// Keeps so many sinks; the number is checked when an `Eviction` is made of it.
  public init(sinks: Int) { self.sinks = sinks }

  /// See `EvictionMethod.name`.
  public static let name = "streaming"
  /// See `EvictionMethod.keys`.
  public static let keys = ["sinks"]

  /// Reads the settings; see `EvictionMethod`.
  public init(_ settings: inout EvictionSettings, budget: Int) throws(EvictionProblem) {
    sinks = try settings.take("sinks", Int.init) ?? budget / 2
  }

  /// See `EvictionMethod.settings`.
  public func settings(budget: Int) -> [(key: String, value: String)] {
    sinks == budget / 2 ? [] : [("sinks", "\(sinks)")]
  }

  /// See `EvictionMethod.problem`.
  public func problem(budget: Int) -> String? {
    if sinks < 0 { return "sinks \(sinks) is negative" }
    if sinks >= budget { return "budget \(budget) leaves no recent token beside \(sinks) sinks" }
    return nil
  }

  /// See `EvictionMethod.needs`.
  public func needs(order: Eviction.Order) -> EvictionNeeds { EvictionNeeds() }

  /// See `EvictionMethod.tokensInFront`.
  public func tokensInFront(prompt: Int, budget: Int, order: Eviction.Order) -> Int { sinks }
}
