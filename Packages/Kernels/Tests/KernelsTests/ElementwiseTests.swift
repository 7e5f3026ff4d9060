import Foundation
import Kernels
import Testing

@Suite struct ElementwiseTests {
  static let sizes = [0, 1, 15, 16, 17, 64, 100]
  static var table: UnsafePointer<bb_kernel_table>? { bb_kernels_for(BB_ISA_SCALAR) }

  /// Runs `operation` on every instruction set; all results must be the scalar's, bit for bit.
  func sameEverywhere(_ operation: (bb_kernel_table) -> [Float]) -> [Float] {
    let expected = operation(bb_kernels_for(BB_ISA_SCALAR).pointee)
    for isa in supportedISAs {
      let found = operation(bb_kernels_for(isa).pointee)
      #expect(found.map(\.bitPattern) == expected.map(\.bitPattern))
    }
    return expected
  }

  @Test(arguments: sizes)
  func rmsNorm(size: Int) {
    guard size > 0 else { return }
    var numbers = Numbers(seed: 3)
    let (x, w) = (numbers.floats(size), numbers.floats(size))
    let y = sameEverywhere { table in
      var y = [Float](repeating: 0, count: size)
      table.rms_norm(x, w, 1e-6, size, &y)
      return y
    }
    let mean = x.reduce(0.0) { $0 + Double($1) * Double($1) } / Double(size)
    let worst = (0..<size).map {
      abs(Double(y[$0]) - Double(x[$0]) / (mean + 1e-6).squareRoot() * Double(w[$0]))
    }.max()
    #expect((worst ?? 1) < 2e-6)
  }

  @Test(arguments: sizes)
  func siluMultiply(size: Int) {
    var numbers = Numbers(seed: 5)
    let gate = numbers.floats(size).map { $0 * 30 }
    let up = numbers.floats(size)
    let y = sameEverywhere { table in
      var y = [Float](repeating: 0, count: size)
      table.silu_multiply(gate, up, &y, size)
      return y
    }
    let worst = (0..<size).map { i -> Double in
      let g = Double(gate[i])
      return abs(Double(y[i]) - g / (1 + exp(-g)) * Double(up[i])) / (1 + abs(g))
    }.max()
    #expect((worst ?? 0) < 1e-6)
  }

  @Test(arguments: sizes, [false, true])
  func layerNorm(size: Int, hasBias: Bool) {
    var numbers = Numbers(seed: 15)
    let x = numbers.floats(size).map { $0 * 3 + 2 }
    let (weight, bias) = (numbers.floats(size), numbers.floats(size))
    let y = sameEverywhere { table in
      var y = [Float](repeating: 0, count: size)
      table.layer_norm(x, weight, hasBias ? bias : nil, 1e-5, size, &y)
      return y
    }
    let mean = x.reduce(0) { $0 + Double($1) } / Double(size)
    let variance = x.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / Double(size)
    let worst = (0..<size).map { i -> Double in
      let normalized = (Double(x[i]) - mean) / (variance + 1e-5).squareRoot()
      return abs(Double(y[i]) - normalized * Double(weight[i]) - (hasBias ? Double(bias[i]) : 0))
    }.max()
    #expect((worst ?? 0) < 1e-5)
  }

  @Test(arguments: sizes)
  func geluAndRelu(size: Int) {
    var numbers = Numbers(seed: 16)
    let x = numbers.floats(size).map { $0 * 10 }
    let both = [true, false].map { isGelu in
      sameEverywhere { table in
        var y = x
        if isGelu { table.gelu(&y, size) } else { table.relu(&y, size) }
        return y
      }
    }
    let worst = zip(x, both[0]).map { x, y -> Double in
      let expected = Double(x) / 2 * erfc(-Double(x) / 2.0.squareRoot())
      return abs(Double(y) - expected) / (1 + abs(Double(x)))
    }.max()
    #expect((worst ?? 0) < 1e-7)
    #expect(both[1] == x.map { max($0, 0) })
  }

  @Test(arguments: sizes)
  func addScaled(size: Int) {
    var numbers = Numbers(seed: 7)
    let (x, y) = (numbers.floats(size), numbers.floats(size))
    let sum = sameEverywhere { table in
      var sum = x
      table.add_scaled(&sum, y, 0.3, size)
      return sum
    }
    #expect(sum == zip(x, y).map { $0.addingProduct($1, 0.3) })
  }

  @Test(arguments: sizes)
  func divide(size: Int) {
    var numbers = Numbers(seed: 6)
    let x = numbers.floats(size)
    let y = sameEverywhere { table in
      var y = [Float](repeating: 0, count: size)
      table.divide(x, 3.7, size, &y)
      return y
    }
    #expect(y == x.map { $0 / 3.7 })
  }

  @Test(arguments: [1, 2, 8, 16, 32, 64, 128, 256])
  func hadamard(size: Int) {
    var numbers = Numbers(seed: 11)
    let x = numbers.floats(size)
    let y = sameEverywhere { table in
      var y = x
      table.hadamard(&y, size)
      return y
    }
    // Entry (i, j) of the matrix is -1 where i and j share an odd number of bits.
    for i in 0..<size {
      let sum = (0..<size).reduce(0.0) {
        $0 + ((i & $1).nonzeroBitCount % 2 == 0 ? 1 : -1) * Double(x[$1])
      }
      #expect(abs(Double(y[i]) - sum / Double(size).squareRoot()) < 1e-6)
    }
    let back = sameEverywhere { table in
      var back = y
      table.hadamard(&back, size)
      return back
    }
    for (found, wanted) in zip(back, x) { #expect(abs(found - wanted) < 1e-6) }
  }

  @Test(arguments: sizes)
  func rotate(half: Int) {
    var numbers = Numbers(seed: 9)
    let x = numbers.floats(2 * half)
    let angles = numbers.floats(half)
    let (cosine, sine) = (angles.map { cos($0) }, angles.map { sin($0) })
    let y = sameEverywhere { table in
      var y = x
      table.rotate(&y, cosine, sine, half)
      return y
    }
    let worst = (0..<half).map {
      abs(y[$0] - (x[$0] * cosine[$0] - x[half + $0] * sine[$0]))
    }.max()
    #expect((worst ?? 0) < 1e-6)
  }

  @Test func exponentialIsAccurateAndSumsUp() {
    let x = (0..<2000).map { Float($0) * 0.05 - 95 }
    let y = sameEverywhere { table in
      var y = [Float](repeating: 0, count: x.count + 1)
      y[x.count] = table.exp_sum(x, 5, &y, x.count)
      return y
    }
    var worst = 0.0
    for (i, value) in x.enumerated() where value - 5 > -87 {
      let exact = exp(Double(value - 5))
      worst = max(worst, abs(Double(y[i]) - exact) / exact)
    }
    #expect(worst < 6e-7)
    #expect(y[0] == 0)
    #expect(abs(Double(y[x.count]) / y.dropLast().reduce(0.0) { $0 + Double($1) } - 1) < 1e-6)
  }

  @Test(arguments: [1, 2, 15, 16, 17, 63, 64, 65, 130, 1000])
  func theHighestIsFoundWhereItIs(count: Int) {
    for place in Set([0, count / 2, count - 1]) {
      var x = (0..<count).map { -2 - Float($0 % 7) }
      x[place] = -1.5
      let found = sameEverywhere { table in
        [
          table.highest(x, count), Float(table.first_above(x, 0, count, -2)),
          Float(table.first_above(x, place, count, (-1.5 as Float).nextDown)),
          Float(table.first_above(x, place + 1, count, -2)),
          Float(table.first_above(x, 0, count, -1.5)),
        ]
      }
      #expect(found == [-1.5, Float(place), Float(place), Float(count), Float(count)])
      for bad: Float in [.nan, .infinity, -.infinity] {
        x[place] = bad
        #expect(sameEverywhere { [$0.highest(x, count).isNaN ? 1 : 0] } == [1])
      }
    }
  }

  @Test func halfFormatsRoundToNearestEven() {
    let values: [(Float, UInt16, UInt16)] = [
      (1, 0x3c00, 0x3f80), (-2, 0xc000, 0xc000), (65504, 0x7bff, 0x4780), (65520, 0x7c00, 0x4780),
      (0x1p-24, 0x0001, 0x3380), (0x1p-25, 0x0000, 0x3300), (0x1.8p-25, 0x0001, 0x3340),
      (1 + 0x1p-11, 0x3c00, 0x3f80), (1 + 0x3p-11, 0x3c02, 0x3f80), (1 + 0x1p-8, 0x3c04, 0x3f80),
      (1 + 0x3p-8, 0x3c0c, 0x3f82), (.infinity, 0x7c00, 0x7f80),
    ]
    for (value, f16, bf16) in values {
      var found: UInt16 = 0
      Self.table?.pointee.narrow([value], BB_F16, &found, 1)
      #expect(found == f16, "\(value) as F16")
      Self.table?.pointee.narrow([value], BB_BF16, &found, 1)
      #expect(found == bf16, "\(value) as BF16")
    }
  }

  @Test func wideningEveryHalfAgreesAcrossInstructionSets() {
    // Quiet NaNs only: hardware makes signalling ones quiet, and no weight has either.
    let patterns = (0...UInt16.max).filter { $0 & 0x7fff <= 0x7c00 }
    for format in [BB_F16, BB_BF16] {
      let widened = sameEverywhere { table in
        var y = [Float](repeating: 0, count: patterns.count)
        table.widen(patterns, format, &y, patterns.count)
        return y
      }
      if format == BB_F16 {
        #expect(zip(patterns, widened).allSatisfy { Float(Float16(bitPattern: $0)) == $1 })
      }
    }
  }
}
