import Tensors
import Testing

@testable import Quantizers

@Suite struct HessianFactorTests {
  /// U^T U times the damped, permuted Hessian is the identity.
  @Test(arguments: [false, true])
  func isTheFactorOfTheInverse(byActivation: Bool) throws {
    let pool = try ThreadPool(workers: 2)
    let n = 300
    let hessian = try hessian(tokens: 700, width: n, on: pool)
    let factor = try HessianFactor(
      hessian, damping: 0.05, byActivation: byActivation, using: LinearAlgebra(pool: pool))
    let diagonal = hessian.diagonal
    let extra = 0.05 * diagonal.reduce(0, +) / Float(n)
    if byActivation {
      let sorted = factor.order.map { diagonal[$0] }
      #expect(zip(sorted, sorted.dropFirst()).allSatisfy { $0 >= $1 })
    } else {
      #expect(factor.order == Array(0..<n))
    }
    #expect(factor.order.sorted() == Array(0..<n))
    func entry(_ i: Int, _ j: Int) -> Double {
      let value = hessian.values[factor.order[i] * n + factor.order[j]]
      return Double(i == j ? value + extra : value)
    }
    for i in stride(from: 0, to: n, by: 37) {
      #expect((0..<i).allSatisfy { factor.upper[i * n + $0] == 0 })
      // Column i of U H, then of U^T (U H).
      let product = (0..<n).map { row in
        (row..<n).reduce(0.0) { $0 + Double(factor.upper[row * n + $1]) * entry($1, i) }
      }
      for j in stride(from: 0, to: n, by: 23) {
        let identity = (0...j).reduce(0.0) {
          $0 + Double(factor.upper[$1 * n + j]) * product[$1]
        }
        #expect(abs(identity - (i == j ? 1 : 0)) < 1e-2)
      }
    }
  }

  /// A rank-one matrix without damping has no Cholesky factor.
  @Test func dampingIsRaisedUntilItHelpsAndReported() throws {
    let pool = try ThreadPool(workers: 1)
    let n = 64
    let values = (0..<(n * n)).map { Float(($0 / n + 1) * ($0 % n + 1)) }
    let hessian = try Hessian(values: values, order: n, samples: 1)
    let factor = try HessianFactor(
      hessian, damping: 0, byActivation: true, using: LinearAlgebra(pool: pool))
    #expect(factor.raises == 1)
    #expect(factor.damping == 0.01)
    let weights = try WeightMatrix(noise(3 * n, seed: 1), outFeatures: 3, inFeatures: n)
    let layer = try GPTQ(scheme: QuantizationScheme(), damping: 0).quantize(
      weights, hessian: hessian, on: pool)
    #expect(layer.report.dampingRaises == 1)
    #expect(layer.report.damping == 0.01)
  }

  @Test func anIndefiniteMatrixIsAnError() throws {
    let pool = try ThreadPool(workers: 1)
    let hessian = try Hessian(values: [1, 9, 9, 1], order: 2, samples: 1)
    #expect(
      throws: QuantizerError.notPositiveDefinite(
        reason: "linear algebra: not positive definite at order 2 of 2", damping: 1)
    ) {
      try HessianFactor(
        hessian, damping: 0.01, byActivation: false, using: LinearAlgebra(pool: pool))
    }
  }
}
