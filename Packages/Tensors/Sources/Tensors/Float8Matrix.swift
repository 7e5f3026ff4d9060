import Kernels

/// One weight matrix as 8-bit floats (E4M3) with a scale for each row, as files hold it and
/// rounding makes it: `weight[o, i] = scales[o] * value(codes[o, i])`.
public struct Float8Matrix: StoredWeights, Equatable {
  /// Rows: output features.
  public let outFeatures: Int
  /// Columns: input features.
  public let inFeatures: Int
  /// `[out, in]`, row-major.
  public let codes: [UInt8]
  /// `[out]`.
  public let scales: [Float]
  /// What becomes of the activations: `.float8`, or nothing.
  public var tokenRounding: TokenRounding?

  /// The largest value of a code.
  public static let largest: Float = 448

  /// The nearest codes of a matrix `[out, in]` for given scales, `[out]`, all above 0; ties go to
  /// the even code.
  ///
  /// - Throws: `TensorError.invalidQuantization` when the sizes do not fit together.
  public init(
    rounding values: [Float], scales: [Float], tokenRounding: TokenRounding? = nil
  ) throws(TensorError) {
    guard !scales.isEmpty, !values.isEmpty, values.count % scales.count == 0 else {
      throw .invalidQuantization("\(scales.count) scales for \(values.count) weights")
    }
    outFeatures = scales.count
    inFeatures = values.count / scales.count
    let width = inFeatures
    codes = values.indices.map { bb_float8_code(values[$0] / scales[$0 / width]) }
    self.scales = scales
    self.tokenRounding = tokenRounding
  }

  /// Codes `[out, in]` with their scales `[out]`, as files hold them.
  ///
  /// - Throws: `TensorError.invalidQuantization` when the sizes do not fit together.
  public init(
    codes: [UInt8], scales: [Float], tokenRounding: TokenRounding? = nil
  ) throws(TensorError) {
    guard !scales.isEmpty, !codes.isEmpty, codes.count % scales.count == 0 else {
      throw .invalidQuantization("\(scales.count) scales for \(codes.count) weights")
    }
    outFeatures = scales.count
    inFeatures = codes.count / scales.count
    self.codes = codes
    self.scales = scales
    self.tokenRounding = tokenRounding
  }

  /// The form that multiplies.
  ///
  /// - Throws: `TensorError.outOfMemory`.
  public func packed() throws(TensorError) -> any LinearWeights {
    let weights = try Float8Weights(
      shape: [outFeatures, inFeatures], groupSize: inFeatures, rowScales: scales,
      tokenRounding: tokenRounding, name: "FP8")
    codes.withUnsafeBytes { weights.put(0..<outFeatures, $0) }
    return weights
  }

  /// The matrix as F32, `[out, in]` row-major.
  public func dequantized() -> [Float] {
    codes.indices.map { bb_float8_value(codes[$0]) * scales[$0 / inFeatures] }
  }
}
