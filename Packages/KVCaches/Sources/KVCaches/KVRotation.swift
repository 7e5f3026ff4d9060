import Kernels

/// Which halves of a cache are rotated by a Hadamard matrix before they are stored, which spreads a large component over all.
///
/// The rotation is orthonormal and undoes itself: queries are rotated as keys are, so that their products stay the same, and
/// what attention makes of rotated values is rotated back. What is stored is rotated, and so an eviction compares rotated
/// keys and queries.
public enum KVRotation: String, Sendable, Hashable, Codable, CaseIterable {
  /// Keys.
  case keys = "k"
  /// Values.
  case values = "v"
  /// Both.
  case both = "kv"

  var hasKeys: Bool { self != .values }
  var hasValues: Bool { self != .keys }

  /// Rotates `rows` vectors of `dimension` values, a power of two.
  static func apply(_ vectors: UnsafeMutablePointer<Float>, rows: Int, dimension: Int) {
    for row in 0..<rows { bb_kernels().pointee.hadamard(vectors + row * dimension, dimension) }
  }
}
