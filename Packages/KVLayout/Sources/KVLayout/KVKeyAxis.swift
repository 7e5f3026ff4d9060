/// What the keys that share a scale have in common; values always share one over components of a
/// token.
public enum KVKeyAxis: String, Sendable, Hashable, Codable, CaseIterable {
  /// A channel: a scale for each component and group of tokens (KIVI, arXiv:2402.02750), which
  /// channels whose keys are large all along keep to themselves.
  case perChannel = "per-channel"
  /// A token: a scale for each token and group of components, as values have it.
  case perToken = "per-token"
}
