/// What an eviction writes down of the attention that each token gets, in every KV head.
public enum AttentionRecord: Sendable, Hashable {
  /// All of it since the token was seen.
  case sum
  /// When a query last gave the token a weight of `threshold` or more, and the longest time between
  /// two such queries.
  case recurrence(threshold: Float)

  /// Numbers of a token, F32 each.
  public var width: Int {
    switch self {
    case .sum: 1
    case .recurrence: 2
    }
  }

  /// Why weights cannot be compared with a threshold, or nil if they can.
  static func thresholdProblem(_ threshold: Float) -> String? {
    threshold > 0 && threshold <= 1 ? nil : "threshold \(threshold) is not above 0 and at most 1"
  }

  /// The least weight that counts where nothing else is said, as both RaaS and LazyEviction have
  /// it.
  public static let usualThreshold: Float = 1e-4
}
