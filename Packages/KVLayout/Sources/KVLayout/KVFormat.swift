/// How the keys or the values of a KV cache are stored.
public enum KVFormat: String, Sendable, Hashable, Codable, CaseIterable {
  /// Two bytes a value, as the paper charges it (arXiv:2510.10964, Appendix A).
  case bf16
  /// Four bytes a value; for comparing with references that compute in F32.
  case f32
  /// Codes of 8 bits in groups that share a scale.
  case int8
  /// Codes of 4 bits in groups that share a scale.
  case int4
  /// Codes of 2 bits in groups that share a scale.
  case int2

  /// Bits one stored value takes, scales not counted.
  public var bits: Int {
    switch self {
    case .f32: 32
    case .bf16: 16
    case .int8: 8
    case .int4: 4
    case .int2: 2
    }
  }

  /// Whether values are rounded to codes.
  public var isQuantized: Bool { bits < 16 }
}
