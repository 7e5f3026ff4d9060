import Tensors

/// A method that turns weight matrices into codes and scales.
public protocol WeightQuantizer: Sendable {
  /// The form of the result.
  var scheme: QuantizationScheme { get }

  /// Quantizes matrices that read the same inputs (q, k and v of an attention block, say), so that
  /// work on their common Hessian is done once.
  ///
  /// - Parameters:
  ///   - matrices: each `[out, in]`, all with the same `in`.
  ///   - hessian: statistics of the inputs; methods that do without use it for the report's layer
  ///     error alone.
  ///   - pool: threads to use; their number changes no bit of the result.
  /// - Returns: one layer for each matrix, in their order.
  /// - Throws: `QuantizerError` for settings, shapes or values the method cannot work with.
  func quantize(
    _ matrices: [WeightMatrix], hessian: Hessian?, on pool: ThreadPool
  ) throws(QuantizerError) -> [QuantizedLayer]
}

/// A matrix of finite weights, `[out, in]` row-major.
public struct WeightMatrix: Sendable {
  /// Rows: output features.
  public let outFeatures: Int
  /// Columns: input features.
  public let inFeatures: Int
  /// The weights, row-major.
  public let values: [Float]

  /// Checks and keeps the weights.
  ///
  /// - Throws: `QuantizerError.shapeMismatch` when `values` does not fill the shape or a dimension
  ///   is below 1, `.nonFiniteWeight` for the first NaN or infinity.
  public init(_ values: [Float], outFeatures: Int, inFeatures: Int) throws(QuantizerError) {
    let (count, overflow) = outFeatures.multipliedReportingOverflow(by: inFeatures)
    guard outFeatures > 0, inFeatures > 0, !overflow, count == values.count else {
      throw .shapeMismatch(
        what: "weights", expected: [outFeatures, inFeatures], found: [values.count])
    }
    if let position = firstNonFinite(in: values) {
      throw .nonFiniteWeight(row: position / inFeatures, column: position % inFeatures)
    }
    self.outFeatures = outFeatures
    self.inFeatures = inFeatures
    self.values = values
  }
}

/// A quantized matrix and what is known about its quality.
public struct QuantizedLayer: Sendable {
  /// Codes and scales.
  public let matrix: QuantizedMatrix
  /// How far it is from the original.
  public internal(set) var report: QuantizationReport
  /// Where the time went; what several layers shared counts for the first of them.
  public internal(set) var times: PhaseTimes
}

extension QuantizedLayer {
  /// Measures the errors of `quantized`.
  ///
  /// - Throws: `QuantizerError.shapeMismatch` when the Hessian does not suit the inputs,
  ///   `.overflow` when an error is not finite, `.tensor` when a Hessian is given and memory is
  ///   short.
  init(
    _ quantized: QuantizedMatrix, of original: WeightMatrix, hessian: Hessian?,
    on pool: ThreadPool, times: PhaseTimes = PhaseTimes()
  ) throws(QuantizerError) {
    matrix = quantized
    self.times = times
    report = try self.times.measure(.errors) { () throws(QuantizerError) in
      try QuantizationReport(
        quantized.dequantized(on: pool), of: original, hessian: hessian, on: pool)
    }
  }
}

extension QuantizationReport {
  /// Measures the errors of what became of a matrix, `[out, in]`.
  ///
  /// - Throws: as `QuantizedLayer.init`.
  init(
    _ dequantized: consuming [Float], of original: WeightMatrix, hessian: Hessian?,
    on pool: ThreadPool
  ) throws(QuantizerError) {
    var difference = dequantized
    let (rows, width) = (original.outFeatures, original.inFeatures)
    // Rows are summed by themselves and then in their order, so that threads change no bit.
    var sums = [Double](repeating: 0, count: 2 * rows)
    withStorage(&difference, original.values) { difference, weights in
      sums.withUnsafeMutableBufferPointer { all in
        guard let base = all.baseAddress else { return }
        let sums = DisjointMemory(base)
        pool.split(rows, granularity: 16) { part in
          for row in part {
            let (found, wanted) = (difference + row * width, weights + row * width)
            for column in 0..<width { found[column] -= wanted[column] }
            sums[2 * row] = sumOfSquares(found, width)
            sums[2 * row + 1] = sumOfSquares(wanted, width)
          }
        }
      }
    }
    func sum(_ first: Int) -> Double {
      stride(from: first, to: 2 * rows, by: 2).reduce(0) { $0 + sums[$1] }
    }
    weightError = ratio(sum(0), sum(1))
    guard weightError.isFinite else { throw .overflow }
    guard let hessian else { return }
    try hessian.check(order: original.inFeatures)
    let algebra = try openAlgebra(on: pool)
    let layerError = ratio(
      hessian.energy(of: difference, using: algebra),
      hessian.energy(of: original.values, using: algebra))
    guard layerError.isFinite else { throw .overflow }
    self.layerError = layerError
  }
}

/// `part / whole`, and 0 when both are.
private func ratio(_ part: Double, _ whole: Double) -> Double { part == 0 ? 0 : part / whole }

/// In eight sums side by side, since additions wait for one another.
private func sumOfSquares(_ values: UnsafePointer<Float>, _ count: Int) -> Double {
  var sums = SIMD8<Double>.zero
  let whole = count / 8 * 8
  for first in stride(from: 0, to: whole, by: 8) {
    let some = SIMD8<Double>(
      UnsafeRawPointer(values + first).loadUnaligned(as: SIMD8<Float>.self))
    sums += some * some
  }
  return (whole..<count).reduce(sums.sum()) { $0 + Double(values[$1]) * Double(values[$1]) }
}

/// The errors a quantized matrix makes, and what the method had to do.
public struct QuantizationReport: Sendable, Hashable, Codable {
  /// `||W - W'||^2 / ||W||^2` (Frobenius norms).
  public var weightError: Double
  /// `||X W^T - X W'^T||^2 / ||X W^T||^2` over the calibration activations X, or nil without a
  /// Hessian.
  public var layerError: Double?
  /// GPTQ: the fraction of the mean diagonal that was added to the Hessian's diagonal in the end.
  public var damping: Float?
  /// GPTQ: how often the damping was raised because the Hessian was not positive definite.
  public var dampingRaises: Int?
  /// GPTQ: inputs that were zero in all of the calibration; their weights are set to zero.
  public var deadInputs: Int?
  /// HQQ: steps of the optimisation that ran.
  public var iterations: Int?
}

/// Position of the first NaN or infinity, or nil.
func firstNonFinite(in values: [Float]) -> Int? {
  // x - x is 0 for finite x and NaN otherwise, and a sum of zeros needs no branch in the loop.
  var sums = Lanes.zero
  let whole = values.count / Lanes.width * Lanes.width
  values.withUnsafeBufferPointer { values in
    guard let base = values.baseAddress else { return }
    for first in stride(from: 0, to: whole, by: Lanes.width) {
      let some = Lanes(at: base + first)
      sums += some - some
    }
  }
  let sum = values[whole...].reduce(sums.sum()) { $0 + ($1 - $1) }
  return sum == 0 ? nil : values.firstIndex { !$0.isFinite }
}
