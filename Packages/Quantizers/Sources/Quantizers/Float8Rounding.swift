import Tensors

/// Rounding to the nearest 8-bit floats (E4M3), a scale for each row: max magnitude / 448, in the
/// type that it is stored in. Needs no calibration (W8A8-FP of arXiv:2411.02355).
public struct Float8Rounding: Sendable {
  /// F32, F16 or BF16: scales are rounded to this type before any code is chosen.
  public let scaleType: DType

  /// A quantizer that stores its scales in this type.
  public init(scaleType: DType) { self.scaleType = scaleType }

  /// Rounds a matrix and measures the errors.
  ///
  /// - Parameters:
  ///   - matrix: the weights.
  ///   - hessian: for the report's layer error alone.
  ///   - pool: threads for measuring.
  /// - Returns: the codes, and how far they are from the weights.
  /// - Throws: `QuantizerError.scaleOutOfRange` when a scale does not fit its type, and as
  ///   `QuantizationReport.init`.
  public func quantize(
    _ matrix: WeightMatrix, hessian: Hessian?, on pool: ThreadPool
  ) throws(QuantizerError) -> (matrix: Float8Matrix, report: QuantizationReport) {
    let width = matrix.inFeatures
    let scheme = try self.scheme
    var scales: [Float] = []
    for row in 0..<matrix.outFeatures {
      let largest = matrix.values[row * width..<(row + 1) * width].reduce(0) { max($0, abs($1)) }
      // A row of zeros gets a scale as if it reached to 1; any finite one would do.
      let scale = scheme.storable((largest == 0 ? 1 : largest) / Float8Matrix.largest)
      guard scale.isFinite else {
        throw .scaleOutOfRange(row: row, group: 0, type: scaleType)
      }
      scales.append(scale)
    }
    let rounded: Float8Matrix
    do {
      rounded = try Float8Matrix(rounding: matrix.values, scales: scales)
    } catch {
      throw .tensor(error)
    }
    return (
      rounded,
      try QuantizationReport(rounded.dequantized(), of: matrix, hessian: hessian, on: pool)
    )
  }

  /// What stands for it in records: 8 bits, one scale a row.
  public var scheme: QuantizationScheme {
    get throws(QuantizerError) {
      try QuantizationScheme(bits: 8, groupSize: nil, grid: .absmax, scaleType: scaleType)
    }
  }
}
