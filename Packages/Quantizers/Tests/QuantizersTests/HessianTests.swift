import Tensors
import Testing

@testable import Quantizers

@Suite struct HessianTests {
  private func collect(
    _ x: [Float], width: Int, batches: [Int], isRounded: Bool = false, workers: Int = 2
  ) throws -> Hessian {
    var accumulator = try HessianAccumulator(
      order: width, isRounded: isRounded, on: ThreadPool(workers: workers))
    var row = 0
    for tokens in batches {
      try x[(row * width)..<((row + tokens) * width)].withUnsafeBufferPointer {
        try accumulator.add($0)
      }
      row += tokens
    }
    return try accumulator.finish()
  }

  @Test func isTwiceTheMeanProduct() throws {
    let width = 70
    let tokens = 9
    let x = noise(tokens * width, seed: 1)
    let hessian = try collect(x, width: width, batches: [tokens])
    #expect(hessian.samples == tokens)
    for i in 0..<width {
      for j in 0..<width {
        let sum = (0..<tokens).reduce(0.0) {
          $0 + Double(x[$1 * width + i]) * Double(x[$1 * width + j])
        }
        #expect(abs(Double(hessian.values[i * width + j]) - sum * 2 / Double(tokens)) < 1e-6)
      }
    }
  }

  @Test(arguments: [false, true]) func batchesAndThreadsChangeNoBit(isRounded: Bool) throws {
    let width = 300
    let x = activations(tokens: 1200, width: width, seed: 2)
    let whole = try collect(x, width: width, batches: [1200], isRounded: isRounded, workers: 1)
    let cut = try collect(
      x, width: width, batches: [1, 510, 0, 2, 600, 87], isRounded: isRounded, workers: 3)
    #expect(whole.values == cut.values)
  }

  /// Also for an odd number of tokens, and inputs that fill no block.
  @Test(arguments: [(1, 7), (33, 40), (544, 16), (545, 70), (600, 300)])
  func roundedActivationsAreMultipliedExactly(tokens: Int, width: Int) throws {
    let x = noise(tokens * width, seed: 6)
    let bf16 = x.map { value in
      Float(bitPattern: (value.bitPattern + 0x7FFF + value.bitPattern >> 16 & 1) & 0xFFFF_0000)
    }
    let found = try collect(x, width: width, batches: [tokens], isRounded: true)
    let expected = try collect(bf16, width: width, batches: [tokens])
    for (found, expected) in zip(found.values, expected.values) {
      #expect(abs(found - expected) < 1e-5 * (1 + abs(expected)))
    }
  }

  @Test func energyIsTheErrorOfTheOutputs() throws {
    let (rows, width, tokens) = (5, 40, 33)
    let x = noise(tokens * width, seed: 3)
    let d = noise(rows * width, seed: 4)
    let hessian = try collect(x, width: width, batches: [tokens])
    var expected = 0.0
    for t in 0..<tokens {
      for row in 0..<rows {
        let output = (0..<width).reduce(0.0) {
          $0 + Double(x[t * width + $1]) * Double(d[row * width + $1])
        }
        expected += output * output * 2 / Double(tokens)
      }
    }
    let energy = try hessian.energy(of: d, using: LinearAlgebra(pool: ThreadPool(workers: 2)))
    #expect(abs(energy / expected - 1) < 1e-5)
  }

  @Test func calibrationThatNeverReachedItIsAnError() throws {
    let pool = try ThreadPool(workers: 1)
    #expect(throws: QuantizerError.noCalibration(samples: 0)) {
      try HessianAccumulator(order: 4, on: pool).finish()
    }
    #expect(throws: QuantizerError.noCalibration(samples: 2)) {
      try self.collect([Float](repeating: 0, count: 8), width: 4, batches: [2])
    }
  }

  @Test(arguments: [Float.nan, .infinity, -.infinity, 1e30])
  func nonFiniteActivationsAreAnError(value: Float) throws {
    var x = noise(12, seed: 5)
    x[6] = value
    #expect(throws: QuantizerError.self) { try self.collect(x, width: 4, batches: [3]) }
  }

  @Test func wrongShapesAreErrors() throws {
    let pool = try ThreadPool(workers: 1)
    #expect(throws: QuantizerError.self) { try HessianAccumulator(order: 0, on: pool) }
    #expect(throws: QuantizerError.self) { try HessianAccumulator(order: 1 << 40, on: pool) }
    #expect(throws: QuantizerError.self) { try Hessian(values: [1, 2], order: 2, samples: 1) }
    var accumulator = try HessianAccumulator(order: 4, on: pool)
    #expect(throws: QuantizerError.self) {
      try [Float](repeating: 1, count: 6).withUnsafeBufferPointer { try accumulator.add($0) }
    }
  }
}
