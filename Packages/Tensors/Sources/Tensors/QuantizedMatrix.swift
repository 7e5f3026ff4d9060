/// One weight matrix as integer codes with a scale, and perhaps a zero point, per group of inputs.
///
/// This is the neutral form between quantizers, file formats and packed kernels:
/// `weight[o, i] = scales[o, g] * (codes[o, i] - zeros[o, g])` with `g = groupIndex[i]`.
public struct QuantizedMatrix: Sendable, Equatable {
  /// What `bits` may be.
  public static let codeBits = [2, 3, 4, 8]

  /// Bits of one code, one of `codeBits`.
  public let bits: Int
  /// Rows of the matrix: output features.
  public let outFeatures: Int
  /// Columns of the matrix: input features.
  public let inFeatures: Int
  /// Inputs that share a scale; the last group may be shorter. Equal to `inFeatures` for one scale a row.
  public let groupSize: Int
  /// `[out, in]`, row-major, each below `2^bits`.
  public var codes: [UInt8]
  /// `[out, groups]`, row-major.
  public var scales: [Float]
  /// `[out, groups]` zero points, or nil when all are `2^(bits-1)` (symmetric).
  public var zeros: [Float]?
  /// `[in]`: the group of each input, or nil when it is `i / groupSize`.
  public var groupIndex: [Int32]?

  /// Number of groups in a row.
  public var groups: Int { (inFeatures + groupSize - 1) / groupSize }
  /// The zero point of a symmetric matrix: `2^(bits-1)`.
  public var symmetricZero: Float { Float(1 << (bits - 1)) }

  /// Checks that all parts fit together.
  ///
  /// - Throws: `TensorError.invalidQuantization` naming the part and the sizes.
  public init(
    bits: Int, outFeatures: Int, inFeatures: Int, groupSize: Int, codes: [UInt8], scales: [Float],
    zeros: [Float]? = nil, groupIndex: [Int32]? = nil
  ) throws(TensorError) {
    guard Self.codeBits.contains(bits) else {
      throw .invalidQuantization("\(bits) bits; \(Self.codeBits) are known")
    }
    guard outFeatures > 0, inFeatures > 0, groupSize > 0 else {
      throw .invalidQuantization("[\(outFeatures), \(inFeatures)] in groups of \(groupSize)")
    }
    self.bits = bits
    self.outFeatures = outFeatures
    self.inFeatures = inFeatures
    self.groupSize = groupSize
    self.codes = codes
    self.scales = scales
    self.zeros = zeros
    self.groupIndex = groupIndex
    let (codeCount, overflow) = outFeatures.multipliedReportingOverflow(by: inFeatures)
    guard !overflow, codes.count == codeCount else {
      throw .invalidQuantization("\(codes.count) codes for [\(outFeatures), \(inFeatures)]")
    }
    guard scales.count == outFeatures * groups else {
      throw .invalidQuantization("\(scales.count) scales for [\(outFeatures), \(groups)]")
    }
    if let zeros, zeros.count != scales.count {
      throw .invalidQuantization("\(zeros.count) zero points for \(scales.count) scales")
    }
    if let groupIndex {
      guard groupIndex.count == inFeatures else {
        throw .invalidQuantization("\(groupIndex.count) group indices for \(inFeatures) inputs")
      }
      if let wrong = groupIndex.first(where: { $0 < 0 || $0 >= groups }) {
        throw .invalidQuantization("group index \(wrong) of \(groups) groups")
      }
    }
  }

  /// The matrix as F32, `[out, in]` row-major.
  public func dequantized() -> [Float] {
    let groupOfInput = (0..<inFeatures).map { Int(groupIndex?[$0] ?? Int32($0 / groupSize)) }
    var weights = [Float](repeating: 0, count: codes.count)
    for row in 0..<outFeatures {
      for input in 0..<inFeatures {
        let group = row * groups + groupOfInput[input]
        let zero = zeros?[group] ?? symmetricZero
        let position = row * inFeatures + input
        weights[position] = scales[group] * (Float(codes[position]) - zero)
      }
    }
    return weights
  }
}
