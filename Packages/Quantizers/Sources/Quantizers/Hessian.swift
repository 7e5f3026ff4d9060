import Tensors

/// Second moments of a matrix's inputs over calibration: `H = 2/n * X^T X` for X `[n, in]`, n
/// tokens.
///
/// F32, as in all GPTQ implementations: the rounding of the sums is far below the damping of 1 %.
public struct Hessian: Sendable {
  /// Number of inputs: rows and columns of the matrix.
  public let order: Int
  /// Tokens it was made from.
  public let samples: Int
  /// `[order, order]`, symmetric.
  public let values: [Float]

  /// Checks and keeps the matrix.
  ///
  /// - Throws: `QuantizerError.shapeMismatch` when it is not square, `.nonFiniteHessian` for the
  ///   first NaN or infinity, `.noCalibration` when no sample went in or its diagonal is zero.
  public init(values: [Float], order: Int, samples: Int) throws(QuantizerError) {
    let (count, overflow) = order.multipliedReportingOverflow(by: order)
    guard order > 0, !overflow, values.count == count else {
      throw .shapeMismatch(what: "Hessian", expected: [order, order], found: [values.count])
    }
    if let position = firstNonFinite(in: values) {
      throw .nonFiniteHessian(row: position / order, column: position % order)
    }
    guard samples > 0, (0..<order).contains(where: { values[$0 * order + $0] > 0 }) else {
      throw .noCalibration(samples: samples)
    }
    self.order = order
    self.samples = samples
    self.values = values
  }

  /// Checks that it describes the inputs of a matrix with `order` columns.
  func check(order inFeatures: Int) throws(QuantizerError) {
    guard order == inFeatures else {
      throw .shapeMismatch(
        what: "Hessian", expected: [inFeatures, inFeatures], found: [order, order])
    }
  }

  /// The diagonal.
  var diagonal: [Float] { (0..<order).map { values[$0 * order + $0] } }

  /// `trace(D H D^T)` for D `[rows, order]`: the squared norm of `X D^T`, up to the factor of H. No
  /// activation is needed for it.
  func energy(of matrix: [Float], using algebra: LinearAlgebra) -> Double {
    algebra.quadraticTrace(of: matrix, rows: matrix.count / order, order: order, in: values)
  }
}

/// Collects a matrix's inputs into its Hessian, batch by batch.
///
/// The result depends on the tokens and their order alone: not on how they are cut into batches,
/// since they are summed in panels of a fixed size, and not on the number of threads nor on the
/// processor.
public struct HessianAccumulator: Sendable {
  /// Number of inputs.
  public let order: Int
  /// Tokens added so far.
  public private(set) var samples = 0
  private let algebra: LinearAlgebra
  /// Whether activations are rounded to BF16 before they are multiplied.
  private let isRounded: Bool
  /// Lower triangle of the sum of `x x^T` over all full panels.
  private var sums: [Float]
  /// `[panelRows, order]`: tokens that wait to be summed.
  private var panel: [Float]
  private var panelCount = 0

  /// Tokens that are summed at a time. Those of BF16 take an odd number of cache lines, so that the
  /// inputs do not meet in the same few places of a cache.
  private var panelRows: Int { isRounded ? 544 : 512 }

  /// An empty sum over `order` inputs; takes `4 order^2 + 2048 order` bytes.
  ///
  /// - Parameters:
  ///   - order: number of inputs.
  ///   - isRounded: whether activations are rounded to BF16, which is twice as fast where the
  ///     processor multiplies that. What it changes is far below the damping of 1 %.
  ///   - pool: threads to sum with.
  /// - Throws: `QuantizerError.invalidSetting` for an order below 1 or too large to square,
  ///   `.tensor` when memory is short.
  public init(order: Int, isRounded: Bool = false, on pool: ThreadPool) throws(QuantizerError) {
    guard order > 0, order <= 1 << 17 else {
      throw .invalidSetting(name: "Hessian order", found: "\(order)", expected: "1 to \(1 << 17)")
    }
    algebra = try openAlgebra(on: pool)
    self.order = order
    self.isRounded = isRounded
    sums = [Float](repeating: 0, count: order * order)
    panel = []
    panel = [Float](repeating: 0, count: panelRows * order)
  }

  /// Adds activations `[tokens, order]`, row-major.
  ///
  /// - Throws: `QuantizerError.shapeMismatch` unless `activations` is a whole number of rows.
  public mutating func add(_ activations: UnsafeBufferPointer<Float>) throws(QuantizerError) {
    guard activations.count.isMultiple(of: order) else {
      throw .shapeMismatch(
        what: "activations", expected: [activations.count / order, order],
        found: [activations.count])
    }
    let tokens = activations.count / order
    var taken = 0
    while taken < tokens {
      let count = min(tokens - taken, panelRows - panelCount)
      let rows = activations[(taken * order)..<((taken + count) * order)]
      panel.replaceSubrange(
        (panelCount * order)..<((panelCount + count) * order), with: rows)
      panelCount += count
      taken += count
      if panelCount == panelRows { sumPanel() }
    }
    samples += tokens
  }

  /// The Hessian of everything added.
  ///
  /// - Throws: `QuantizerError.noCalibration` when nothing but zeros was added, `.nonFiniteHessian`
  ///   when an activation was NaN or infinite or the sums overflowed.
  public consuming func finish() throws(QuantizerError) -> Hessian {
    sumPanel()
    guard samples > 0 else { throw .noCalibration(samples: 0) }
    let factor = 2 / Float(samples)
    let order = self.order
    let pool = algebra.pool
    sums.withUnsafeMutableBufferPointer { all in
      guard let base = all.baseAddress else { return }
      let sums = DisjointMemory(base)
      pool.split(order) { rows in
        for row in rows {
          for column in 0...row { sums[row * order + column] *= factor }
        }
      }
      mirrorLowerTriangle(sums, order: order, on: pool)
    }
    return try Hessian(values: sums, order: order, samples: samples)
  }

  private mutating func sumPanel() {
    if panelCount == 0 { return }
    withStorage(&sums, panel) { [panelCount, order, algebra, isRounded] sums, panel in
      if isRounded {
        algebra.addGram(ofRounded: panel.base, rows: panelCount, order: order, to: sums.base)
      } else {
        algebra.addGram(of: panel.base, rows: panelCount, order: order, to: sums.base)
      }
    }
    panelCount = 0
  }
}

/// Copies what is below the diagonal above it, in squares that fit the cache.
private func mirrorLowerTriangle(
  _ matrix: DisjointMemory<Float>, order: Int, on pool: ThreadPool
) {
  let square = 64
  pool.split(order, granularity: square) { rows in
    for top in stride(from: rows.lowerBound, to: rows.upperBound, by: square) {
      for left in stride(from: top, to: order, by: square) {
        for row in top..<min(top + square, rows.upperBound) {
          for column in max(left, row + 1)..<max(min(left + square, order), row + 1) {
            matrix[row * order + column] = matrix[column * order + row]
          }
        }
      }
    }
  }
}

/// Linear algebra on the threads of `pool`.
func openAlgebra(on pool: ThreadPool) throws(QuantizerError) -> LinearAlgebra {
  do { return try LinearAlgebra(pool: pool) } catch { throw .tensor(error) }
}
