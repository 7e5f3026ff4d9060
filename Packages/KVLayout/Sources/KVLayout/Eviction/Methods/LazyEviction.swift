/// The `recent` last tokens, and those that attention is likeliest to come back to (LazyEviction,
/// arXiv:2506.15969): a token whose longest time between two looks is long may be needed again
/// though it was not looked at for a while. The time since the last look is held against it.
///
/// The idea is the paper's, the score is not: tokens are ordered by the time since the last look, as
/// a share of the longest time between two looks plus one.
public struct LazyEviction: EvictionMethod {
  /// Last tokens that stay: the paper's window of observation.
  public let recent: Int
  /// The least weight, of any query head, by which a token counts as looked at.
  public let threshold: Float

  /// Keeps so many recent tokens and counts such weights; both are checked when an `Eviction` is
  /// made of it.
  public init(recent: Int, threshold: Float = AttentionRecord.usualThreshold) {
    self.recent = recent
    self.threshold = threshold
  }

  /// See `EvictionMethod.name`.
  public static let name = "lazy"
  /// See `EvictionMethod.keys`.
  public static let keys = ["recent", "threshold"]

  private static func usualRecent(_ budget: Int) -> Int { max(1, budget / 4) }

  /// Reads the settings; see `EvictionMethod`.
  public init(_ settings: inout EvictionSettings, budget: Int) throws(EvictionProblem) {
    recent = try settings.take("recent", Int.init) ?? Self.usualRecent(budget)
    threshold = try settings.take("threshold", Float.init) ?? AttentionRecord.usualThreshold
  }

  /// See `EvictionMethod.settings`.
  public func settings(budget: Int) -> [(key: String, value: String)] {
    (recent == Self.usualRecent(budget) ? [] : [("recent", "\(recent)")])
      + (threshold == AttentionRecord.usualThreshold ? [] : [("threshold", "\(threshold)")])
  }

  /// See `EvictionMethod.problem`.
  public func problem(budget: Int) -> String? {
    H2O.recentProblem(recent, budget: budget) ?? AttentionRecord.thresholdProblem(threshold)
  }

  /// See `EvictionMethod.needs`.
  public func needs(order: Eviction.Order) -> EvictionNeeds {
    EvictionNeeds(attention: .recurrence(threshold: threshold))
  }
}
