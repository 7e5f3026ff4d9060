import Tensors

/// What GPTQ needs of a Hessian: the order to take the columns in, and how an error in one column
/// is best made up for by the later ones. It depends on the inputs alone, so all matrices that read
/// them share it.
///
/// Source: GPTQ, arXiv:2210.17323, section 3.3 (dead columns, damping, activation order, Cholesky
/// form).
struct HessianFactor: Sendable {
  /// Original column of each position.
  let order: [Int]
  /// Original columns that were zero in all of the calibration.
  let deadInputs: [Int]
  /// The upper triangular U, `[n, n]`, with `U^T U` the inverse of the damped Hessian in processed
  /// order.
  let upper: [Float]
  /// The fraction of the mean diagonal that was added to the diagonal.
  let damping: Float
  /// How often the damping had to be raised.
  let raises: Int

  /// Orders, damps and factors. The columns `last` come behind all others.
  ///
  /// The damping is doubled (from at least 0.01) while the Hessian is not positive definite, up to
  /// 1.
  ///
  /// - Throws: `QuantizerError.notPositiveDefinite` when even that is too little.
  init(
    _ hessian: Hessian, damping: Float, byActivation: Bool, last: [Int] = [],
    using algebra: LinearAlgebra
  ) throws(QuantizerError) {
    let n = hessian.order
    var diagonal = hessian.diagonal
    let dead = diagonal.indices.filter { diagonal[$0] == 0 }
    for column in dead { diagonal[column] = 1 }
    let isLast = Set(last)
    let sorted =
      byActivation
      ? diagonal.indices.sorted {
        diagonal[$0] != diagonal[$1] ? diagonal[$0] > diagonal[$1] : $0 < $1
      } : Array(diagonal.indices)
    let order = isLast.isEmpty ? sorted : sorted.filter { !isLast.contains($0) } + last
    let mean = Float(diagonal.reduce(0.0) { $0 + Double($1) } / Double(n))

    var damping = damping
    var raises = 0
    var factor = [Float](repeating: 0, count: n * n)
    while true {
      let (extra, diagonal) = (damping * mean, diagonal)
      // Factoring the matrix backwards, H[rev, rev] = L L^T, makes the inverse of the factor,
      // backwards, the U that is asked for: two passes of n^3/3 where factor, inverse and factor of
      // the inverse take four.
      withStorage(&factor, hessian.values) { target, source in
        algebra.pool.split(n, granularity: 16) { rows in
          for row in rows {
            let original = order[n - 1 - row]
            for column in 0..<row {
              target[row * n + column] = source[original * n + order[n - 1 - column]]
            }
            target[row * n + row] = diagonal[original] + extra
          }
        }
      }
      do {
        try algebra.factorCholesky(&factor, order: n)
        break
      } catch {
        guard damping < 1 else {
          throw .notPositiveDefinite(reason: error.description, damping: damping)
        }
        damping = min(max(2 * damping, 0.01), 1)
        raises += 1
      }
    }
    algebra.invertLowerTriangle(&factor, order: n)
    factor.reverse()

    self.order = order
    self.deadInputs = dead
    self.upper = factor
    self.damping = damping
    self.raises = raises
  }
}
