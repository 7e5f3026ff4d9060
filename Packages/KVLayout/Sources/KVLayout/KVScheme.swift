/// How the scale of a group of `b`-bit codes is found.
public enum KVScheme: String, Sendable, Hashable, Codable, CaseIterable {
  /// From the least value to the largest: scale (max - min) / (2^b - 1), offset min
  /// (KIVI, arXiv:2402.02750).
  case asymmetric = "asym"
  /// Around 0, the largest magnitude at the last code: scale absmax / (2^(b-1) - 1).
  case symmetric = "sym-absmax"
  /// Around 0 with all 2^b codes, the largest positive value clipped: scale 2 absmax / (2^b - 1).
  case symmetricFull = "sym-full"

  /// The scale of `asymmetric`, with an offset that leaves few large errors: half-quadratic steps
  /// on sum |x - x'|^0.7, as hqq finds zero points of weights (github.com/mobiusml/hqq), for each
  /// group by itself.
  case hqq

  /// Whether an offset is stored beside each scale.
  public var hasOffsets: Bool { self == .asymmetric || self == .hqq }
}
