/// A precision by kind of thought (after ThinKV, arXiv:2510.01290): of every few pages of thought
/// that reach the oldest tier, those whose tokens attended most densely are stored in one format,
/// sparser ones in others.
///
/// How sparse a token attends is the share of the tokens it sees to which it gives less than a
/// hundredth of its largest weight. The paper finds thresholds of this share for each model; here
/// pages are ranked among their neighbours, so that bytes are known beforehand. A prompt is no
/// thought and keeps the oldest tier's format.
public struct ThoughtTiers: Sendable, Hashable, CustomStringConvertible {
  /// The kinds from the densest attention to the sparsest, each with how many tokens, of every
  /// `window`, it has.
  public let kinds: [KVTier]

  /// Weights below this part of the largest count as none.
  public static let negligible: Float = 0.01

  /// Tells these kinds apart; what goes together is checked when a `KVPolicy` is made with them.
  public init(_ kinds: [KVTier]) { self.kinds = kinds }

  /// Tokens among which pages are ranked.
  public var window: Int { kinds.reduce(0) { Saturating.sum($0, $1.tokens ?? 0) } }

  /// The text form, such as `int8:64,int4:128`.
  public var description: String { kinds.map(\.description).joined(separator: ",") }

  /// Why pages of a cache with these tiers cannot be given their kinds, or nil if they can.
  func problem(behind tiers: [KVTier]) -> String? {
    guard let last = tiers.last, last.isQuantized else {
      return "thoughts are told apart where the oldest tokens are quantized, as in "
        + "int8+thoughts=int8:64,int4:64"
    }
    guard kinds.count > 1 else {
      return "one kind of thought; expected two or more, such as int8:64,int4:64"
    }
    for kind in kinds {
      guard let tokens = kind.tokens, tokens > 0, tokens % PageLayout.tokens == 0,
        tokens <= 1 << 16
      else {
        return "\(kind) as a kind of thought; expected FORMAT:TOKENS with a multiple of "
          + "\(PageLayout.tokens) tokens, at most \(1 << 16)"
      }
      for (from, to) in [(last.keys, kind.keys), (last.values, kind.values)]
      where to.bits > from.bits || (to != from && !to.isQuantized) {
        return "\(kind) is more precise than \(last), in which its tokens wait to be told apart"
      }
    }
    return nil
  }
}
