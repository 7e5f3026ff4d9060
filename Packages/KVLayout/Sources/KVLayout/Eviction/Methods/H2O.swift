/// The `recent` last tokens and those that gathered most attention since they were seen (H2O,
/// arXiv:2306.14048).
public struct H2O: EvictionMethod {
  /// Last tokens that stay.
  public let recent: Int

  /// Keeps so many recent tokens; the number is checked when an `Eviction` is made of it.
  public init(recent: Int) { self.recent = recent }

  /// See `EvictionMethod.name`.
  public static let name = "h2o"
  /// See `EvictionMethod.keys`.
  public static let keys = ["recent"]

  /// Reads the settings; see `EvictionMethod`.
  public init(_ settings: inout EvictionSettings, budget: Int) throws(EvictionProblem) {
    recent = try settings.take("recent", Int.init) ?? max(1, budget / 2)
  }

  /// See `EvictionMethod.settings`.
  public func settings(budget: Int) -> [(key: String, value: String)] {
    recent == max(1, budget / 2) ? [] : [("recent", "\(recent)")]
  }

  /// See `EvictionMethod.problem`.
  public func problem(budget: Int) -> String? { Self.recentProblem(recent, budget: budget) }

  /// Why so many recent tokens cannot stay, or nil if they can.
  static func recentProblem(_ recent: Int, budget: Int) -> String? {
    if recent < 1 { return "recent \(recent) is below 1" }
    if recent >= budget { return "budget \(budget) leaves nothing beside \(recent) recent tokens" }
    return nil
  }

  /// See `EvictionMethod.needs`.
  public func needs(order: Eviction.Order) -> EvictionNeeds {
    EvictionNeeds(attention: .sum)
  }
}
