/// The prompt, and the tokens that attention looked at most recently (RaaS, arXiv:2502.11147):
/// lemmas of a thought stay as long as they are used. Of tokens that were last looked at together
/// the later ones stay.
///
/// The paper stamps pages of 16 tokens, this a token of a KV head. A prompt that leaves no room
/// for a thought is no exception: its tokens stay or go as all others do.
public struct RaaS: EvictionMethod {
  /// The least weight, of any query head, by which a token counts as looked at.
  public let threshold: Float

  /// Counts such weights; the number is checked when an `Eviction` is made of it.
  public init(threshold: Float = AttentionRecord.usualThreshold) { self.threshold = threshold }

  /// See `EvictionMethod.name`.
  public static let name = "raas"
  /// See `EvictionMethod.keys`.
  public static let keys = ["threshold"]

  /// Reads the settings; see `EvictionMethod`.
  public init(_ settings: inout EvictionSettings, budget: Int) throws(EvictionProblem) {
    threshold = try settings.take("threshold", Float.init) ?? AttentionRecord.usualThreshold
  }

  /// See `EvictionMethod.settings`.
  public func settings(budget: Int) -> [(key: String, value: String)] {
    threshold == AttentionRecord.usualThreshold ? [] : [("threshold", "\(threshold)")]
  }

  /// See `EvictionMethod.problem`.
  public func problem(budget: Int) -> String? { AttentionRecord.thresholdProblem(threshold) }

  /// See `EvictionMethod.needs`.
  public func needs(order: Eviction.Order) -> EvictionNeeds {
    EvictionNeeds(attention: .recurrence(threshold: threshold))
  }

  /// See `EvictionMethod.tokensInFront`.
  public func tokensInFront(prompt: Int, budget: Int, order: Eviction.Order) -> Int {
    order == .position && prompt < budget ? prompt : 0
  }
}
