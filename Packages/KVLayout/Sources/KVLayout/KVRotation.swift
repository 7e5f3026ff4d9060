/// Which halves of a cache are rotated by a Hadamard matrix before they are stored, which spreads a
/// large component over all.
///
/// The rotation is orthonormal and undoes itself: queries are rotated as keys are, so that their
/// products stay the same, and what attention makes of rotated values is rotated back. What is
/// stored is rotated, and so an eviction compares rotated keys and queries.
public enum KVRotation: String, Sendable, Hashable, Codable, CaseIterable {
  /// Keys.
  case keys = "k"
  /// Values.
  case values = "v"
  /// Both.
  case both = "kv"

  /// Whether keys are rotated.
  public var hasKeys: Bool { self != .values }
  /// Whether values are rotated.
  public var hasValues: Bool { self != .keys }
}
