import Kernels

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

  var kernelFormat: bb_kv_format {
    switch self {
    case .f32: BB_KV_F32
    case .bf16: BB_KV_BF16
    case .int8: BB_KV_INT8
    case .int4: BB_KV_INT4
    case .int2: BB_KV_INT2
    }
  }
}

/// The sizes a cache is made for.
public struct KVShape: Sendable, Hashable, Codable {
  /// Decoder layers.
  public let layers: Int
  /// Key/value heads of a layer.
  public let kvHeads: Int
  /// Values in one key or value vector.
  public let headDimension: Int

  /// Describes a cache; all three must be positive.
  public init(layers: Int, kvHeads: Int, headDimension: Int) {
    precondition(layers > 0 && kvHeads > 0 && headDimension > 0, "a cache of no size")
    self.layers = layers
    self.kvHeads = kvHeads
    self.headDimension = headDimension
  }

  /// Bytes that one token takes in `format`, scales not counted, by the paper's equation: layers x heads x dimension x 2
  /// x width.
  public func bytesPerToken(_ format: KVFormat) -> Int {
    layers * kvHeads * headDimension * 2 * format.bits / 8
  }
}
