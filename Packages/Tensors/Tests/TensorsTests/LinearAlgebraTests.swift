import Testing

@testable import Tensors

@Suite struct LinearAlgebraTests {
  /// Values in [-1, 1) that depend on `seed` alone.
  private func noise(_ count: Int, seed: UInt64) -> [Float] {
    var state = seed
    return (0..<count).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Float(Int32(truncatingIfNeeded: state >> 33)) / Float(1 << 30) - 1
    }
  }

  /// `x^T x + shift * 1` by the definition, `[order, order]`, in F64.
  private func gram(_ x: [Float], rows: Int, order: Int, shift: Double = 0) -> [Double] {
    var h = [Double](repeating: 0, count: order * order)
    for t in 0..<rows {
      for i in 0..<order {
        let left = Double(x[t * order + i])
        for j in 0..<order { h[i * order + j] += left * Double(x[t * order + j]) }
      }
    }
    for i in 0..<order { h[i * order + i] += shift }
    return h
  }

  @Test(arguments: [(3, 5, 7, false), (300, 1100, 40, false), (300, 70, 129, true)])
  func multiplyFollowsItsDefinition(m: Int, n: Int, k: Int, transposed: Bool) throws {
    let algebra = try LinearAlgebra(pool: ThreadPool(workers: 2))
    let a = noise(m * k, seed: 1)
    let b = noise(k * n, seed: 2)
    let start = noise(m * n, seed: 3)
    var c = start
    algebra.multiply(
      m: m, n: n, k: k, scale: -0.5, a, aStride: transposed ? m : k, transposed: transposed, b,
      bStride: n, adding: true, into: &c, cStride: n)
    for (row, column) in [(0, 0), (m - 1, n - 1), (m / 2, n / 3), (0, n - 1)] {
      var expected = Double(start[row * n + column])
      for i in 0..<k {
        let left = transposed ? a[i * m + row] : a[row * k + i]
        expected -= 0.5 * Double(left) * Double(b[i * n + column])
      }
      #expect(abs(Double(c[row * n + column]) - expected) < 1e-4)
    }
  }

  @Test(arguments: [1, 5, 256, 300])
  func gramAddsToTheLowerTriangleOnly(order: Int) throws {
    let algebra = try LinearAlgebra(pool: ThreadPool(workers: 2))
    let rows = 9
    let x = noise(rows * order, seed: 4)
    let expected = gram(x, rows: rows, order: order, shift: 3)
    var h = [Float](repeating: 0, count: order * order)
    for i in 0..<order { h[i * order + i] = 3 }
    algebra.addGram(of: x, rows: rows, order: order, to: &h)
    for i in 0..<order {
      for j in 0...i {
        #expect(abs(Double(h[i * order + j]) - expected[i * order + j]) < 1e-4)
      }
      for j in (i / 256 + 1) * 256..<max(order, (i / 256 + 1) * 256) {
        #expect(h[i * order + j] == 0)
      }
    }
  }

  @Test(arguments: [1, 7, 256, 257, 600])
  func choleskyAndInverseUndoTheMatrix(order: Int) throws {
    let algebra = try LinearAlgebra(pool: ThreadPool(workers: 2))
    let rows = 20
    let x = noise(rows * order, seed: 5)
    let h = gram(x, rows: rows, order: order, shift: 4)
    var factor = h.map(Float.init)
    try algebra.factorCholesky(&factor, order: order)
    var inverse = factor
    algebra.invertLowerTriangle(&inverse, order: order)
    for i in 0..<order {
      for j in [0, i / 2, i] {
        var product = 0.0
        var identity = 0.0
        for k in 0...j {
          product += Double(factor[i * order + k]) * Double(factor[j * order + k])
        }
        for k in j...i {
          identity += Double(inverse[i * order + k]) * Double(factor[k * order + j])
        }
        #expect(abs(product - h[i * order + j]) < 1e-4 * Double(order))
        #expect(abs(identity - (i == j ? 1 : 0)) < 1e-3)
      }
      for j in (i + 1)..<max(order, i + 1) {
        #expect(factor[i * order + j] == 0)
        #expect(inverse[i * order + j] == 0)
      }
    }
  }

  @Test(arguments: [(1, 1), (3, 7), (300, 270), (5, 600)])
  func quadraticTraceFollowsItsDefinition(rows: Int, order: Int) throws {
    let algebra = try LinearAlgebra(pool: ThreadPool(workers: 2))
    let d = noise(rows * order, seed: 7)
    var h = noise(order * order, seed: 8)
    for i in 0..<order {
      for j in 0..<i { h[j * order + i] = h[i * order + j] }
    }
    var expected = 0.0
    for row in 0..<rows {
      for i in 0..<order {
        for j in 0..<order {
          let product = Double(d[row * order + i]) * Double(d[row * order + j])
          expected += product * Double(h[i * order + j])
        }
      }
    }
    let trace = algebra.quadraticTrace(of: d, rows: rows, order: order, in: h)
    #expect(abs(trace - expected) < 1e-5 * Double(rows * order))
  }

  @Test func choleskyNamesTheOrderItFailsAt() throws {
    let algebra = try LinearAlgebra(pool: ThreadPool(workers: 2))
    let order = 300
    var h = [Float](repeating: 0, count: order * order)
    for i in 0..<order { h[i * order + i] = i == 280 ? -1 : 1 }
    #expect(throws: TensorError.linearAlgebra("not positive definite at order 281 of 300")) {
      try algebra.factorCholesky(&h, order: order)
    }
  }

  @Test func theNumberOfThreadsChangesNoBit() throws {
    let order = 700
    let rows = 64
    let x = noise(rows * order, seed: 6)
    let results = try [1, 2, 3].map { workers in
      let algebra = try LinearAlgebra(pool: ThreadPool(workers: workers))
      var h = [Float](repeating: 0, count: order * order)
      for i in 0..<order { h[i * order + i] = 1 }
      algebra.addGram(of: x, rows: rows, order: order, to: &h)
      try algebra.factorCholesky(&h, order: order)
      algebra.invertLowerTriangle(&h, order: order)
      var y = [Float](repeating: 0, count: rows * order)
      algebra.multiply(
        m: rows, n: order, k: order, x, aStride: order, h, bStride: order, into: &y, cStride: order)
      return y
    }
    #expect(results[0] == results[1])
    #expect(results[0] == results[2])
  }

  @Test func trianglesAreCountedRowByRow() {
    var index = 0
    for row in 0..<100 {
      for column in 0...row {
        let position = LinearAlgebra.trianglePosition(index)
        #expect(position.row == row && position.column == column)
        index += 1
      }
    }
  }
}
