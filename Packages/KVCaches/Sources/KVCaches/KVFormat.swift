import Kernels

/// How the entries of a KV cache are stored.
public enum KVFormat: String, Sendable, Hashable, Codable, CaseIterable {
  /// Two bytes a value, as the paper charges it (arXiv:2510.10964, Appendix A).
  case bf16
  /// Four bytes a value; for comparing with references that compute in F32.
  case f32

  /// Bytes one stored value takes.
  public var bytesPerValue: Int { self == .f32 ? 4 : 2 }

  var kernelFormat: bb_float_format { self == .f32 ? BB_F32 : BB_BF16 }
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

  /// Bytes that one token takes in `format`, by the paper's equation: layers x heads x dimension x 2 x width.
  public func bytesPerToken(_ format: KVFormat) -> Int {
    layers * kvHeads * headDimension * 2 * format.bytesPerValue
  }
}
