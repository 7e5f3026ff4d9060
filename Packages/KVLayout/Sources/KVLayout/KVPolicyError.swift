/// What can be wrong with how a cache is asked for.
public enum KVPolicyError: Error, Equatable, CustomStringConvertible {
  /// The eviction that `text` describes cannot be; `reason` says why and what was expected.
  case invalidEviction(text: String, reason: String)
  /// The format `text` of keys and values cannot be; `reason` says why and what was expected.
  case invalidFormat(text: String, reason: String)

  /// One sentence with the values.
  public var description: String {
    switch self {
    case .invalidEviction(let text, let reason): "eviction \(text): \(reason)"
    case .invalidFormat(let text, let reason): "KV cache \(text): \(reason)"
    }
  }
}
