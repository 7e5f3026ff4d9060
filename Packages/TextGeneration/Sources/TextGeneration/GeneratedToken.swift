/// A token of a text.
public struct GeneratedToken: Sendable, Hashable {
  /// Where a token comes from.
  public enum Origin: Sendable, Hashable {
    /// The model.
    case drawn
    /// The thinking budget, in place of an end that came too early.
    case wait
    /// The thinking budget, which is used up.
    case cue
  }

  /// Its id.
  public let id: Int32
  /// Where it comes from.
  public let origin: Origin
  /// How likely it was, where the request asked and the model drew it.
  public internal(set) var logprob: TokenLogprob?
}
