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
  /// Inputs that share a scale; the last group may be shorter. Equal to `inFeatures` for one scale
  /// a row.
  public let groupSize: Int
  /// `[out, in]`, row-major, each below `2^bits`.
  public var codes: [UInt8]
  /// `[out, groups]`, row-major.
  public var scales: [Float]
  /// `[out, groups]` zero points, or nil when all are `2^(bits-1)` (symmetric).
  public var zeros: [Float]?
  /// `[in]`: the group of each input, or nil when it is `i / groupSize`.
  public var groupIndex: [Int32]?
  /// What becomes of the activations; of a matrix with one scale a row alone.
  public var tokenRounding: TokenRounding?

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
    try self.init(
      grid: CodeGrid(
        bits: bits, outFeatures: outFeatures, inFeatures: inFeatures, groupSize: groupSize,
        scales: scales, zeros: zeros, groupIndex: groupIndex), codes: codes)
  }

  /// Checks that there is a code for every weight.
  ///
  /// - Throws: `TensorError.invalidQuantization` naming the sizes.
  public init(grid: CodeGrid, codes: [UInt8]) throws(TensorError) {
    guard codes.count == grid.outFeatures * grid.inFeatures else {
      throw .invalidQuantization(
        "\(codes.count) codes for [\(grid.outFeatures), \(grid.inFeatures)]")
    }
    bits = grid.bits
    outFeatures = grid.outFeatures
    inFeatures = grid.inFeatures
    groupSize = grid.groupSize
    self.codes = codes
    scales = grid.scales
    zeros = grid.zeros
    groupIndex = grid.groupIndex
    tokenRounding = grid.tokenRounding
  }

  /// What the codes stand for.
  public var grid: CodeGrid { CodeGrid(self) }

  /// The matrix as F32, `[out, in]` row-major.
  public func dequantized() -> [Float] { dequantized(on: nil) }

  /// The matrix as F32, `[out, in]` row-major, made by the threads of `pool` where one is given.
  public func dequantized(on pool: ThreadPool?) -> [Float] {
    rowsOfFloats(outFeatures, width: inFeatures, on: pool) { rows, target in
      codes.withUnsafeBufferPointer { codes in
        for row in rows {
          let first = row * inFeatures
          copyRow(
            row, UnsafeBufferPointer(rebasing: codes[first..<first + inFeatures]),
            into: target + first)
        }
      }
    }
  }

  private func copyRow(
    _ row: Int, _ codes: UnsafeBufferPointer<UInt8>, into target: UnsafeMutablePointer<Float>
  ) {
    func grid(_ group: Int) -> (scale: Float, zero: Float) {
      let at = row * groups + group
      return (scales[at], zeros?[at] ?? symmetricZero)
    }
    if let groupIndex {
      for input in codes.indices {
        let (scale, zero) = grid(Int(groupIndex[input]))
        target[input] = scale * (Float(codes[input]) - zero)
      }
      return
    }
    for group in 0..<groups {
      let (scale, zero) = grid(group)
      for input in group * groupSize..<min((group + 1) * groupSize, inFeatures) {
        target[input] = scale * (Float(codes[input]) - zero)
      }
    }
  }
}

/// What the codes of a matrix stand for: all of a `QuantizedMatrix` but the codes.
public struct CodeGrid: Sendable, Equatable {
  /// See `QuantizedMatrix.bits`.
  public let bits: Int
  /// Rows of the matrix: output features.
  public let outFeatures: Int
  /// Columns of the matrix: input features.
  public let inFeatures: Int
  /// See `QuantizedMatrix.groupSize`.
  public let groupSize: Int
  let scales: [Float]
  let zeros: [Float]?
  let groupIndex: [Int32]?
  /// See `QuantizedMatrix.tokenRounding`.
  public let tokenRounding: TokenRounding?

  /// Number of groups in a row.
  public var groups: Int { (inFeatures + groupSize - 1) / groupSize }
  /// The zero point of a symmetric matrix: `2^(bits-1)`.
  var symmetricZero: Float { Float(1 << (bits - 1)) }

  /// Checks that all parts fit together; they are those of `QuantizedMatrix`.
  ///
  /// - Throws: `TensorError.invalidQuantization` naming the part and the sizes.
  public init(
    bits: Int, outFeatures: Int, inFeatures: Int, groupSize: Int, scales: [Float],
    zeros: [Float]? = nil, groupIndex: [Int32]? = nil, tokenRounding: TokenRounding? = nil
  ) throws(TensorError) {
    guard QuantizedMatrix.codeBits.contains(bits) else {
      throw .invalidQuantization("\(bits) bits; \(QuantizedMatrix.codeBits) are known")
    }
    guard outFeatures > 0, inFeatures > 0, groupSize > 0,
      !outFeatures.multipliedReportingOverflow(by: inFeatures).overflow
    else {
      throw .invalidQuantization("[\(outFeatures), \(inFeatures)] in groups of \(groupSize)")
    }
    self.bits = bits
    self.outFeatures = outFeatures
    self.inFeatures = inFeatures
    self.groupSize = groupSize
    self.scales = scales
    self.zeros = zeros
    self.groupIndex = groupIndex
    self.tokenRounding = tokenRounding
    if tokenRounding != nil {
      guard groupSize >= inFeatures, inFeatures <= ActivationScheme.longestInt8Group else {
        throw .invalidQuantization(
          "rounding of tokens for groups of \(groupSize) of \(inFeatures) inputs; one scale a row of at most "
            + "\(ActivationScheme.longestInt8Group) is expected")
      }
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

  fileprivate init(_ matrix: QuantizedMatrix) {
    bits = matrix.bits
    outFeatures = matrix.outFeatures
    inFeatures = matrix.inFeatures
    groupSize = matrix.groupSize
    scales = matrix.scales
    zeros = matrix.zeros
    groupIndex = matrix.groupIndex
    tokenRounding = matrix.tokenRounding
  }
}
