import Foundation
import Testing

@testable import Tensors

/// Pseudo-random numbers that are the same in every run.
struct Numbers {
  var state: UInt64
  init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }
  mutating func bits() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state
  }
  mutating func floats(_ count: Int) -> [Float] {
    (0..<count).map { _ in Float(Int(bits() % 20001) - 10000) / 7000 }
  }
}

func multiply(_ weights: any LinearWeights, _ x: [Float], tokens: Int, threads: Int) throws
  -> [Float]
{
  let pool = try ThreadPool(workers: threads)
  var y = [Float](repeating: .nan, count: tokens * weights.outFeatures)
  weights.multiply(x, tokens: tokens, into: &y, on: pool)
  return y
}

@Suite struct WeightsTests {
  @Test func denseProductIsThatOfTheDequantizedRows() throws {
    var numbers = Numbers(seed: 1)
    let (rows, inputs, tokens) = (245, 350, 3)  // Enough work for the pool to be used.
    let values = numbers.floats(rows * inputs)
    let weights = try DenseWeights(Tensor(values, shape: [rows, inputs]), name: "w")
    #expect(weights.dequantized() == values)
    let x = numbers.floats(tokens * inputs)
    let y = try multiply(weights, x, tokens: tokens, threads: 1)
    for t in 0..<tokens {
      for r in 0..<rows {
        let exact = (0..<inputs).reduce(0.0) {
          $0 + Double(x[t * inputs + $1]) * Double(values[r * inputs + $1])
        }
        #expect(abs(exact - Double(y[t * rows + r])) < 3e-4)
      }
    }
    #expect(try multiply(weights, x, tokens: tokens, threads: 3) == y)
  }

  @Test(arguments: [DType.bf16, .f16, .f32])
  func rowsMayArriveInAnyOrder(dtype: DType) throws {
    var numbers = Numbers(seed: 5)
    // Odd inputs and a last block that is not full; a line of padding must not show in the
    // products.
    for (rows, inputs) in [(53, 131), (64, 130), (3, 1), (17, 2)] {
      let tensor = try stored(numbers.floats(rows * inputs), as: dtype, shape: [rows, inputs])
      let whole = try DenseWeights(tensor, name: "w")
      #expect(try whole.dequantized() == tensor.floats())
      let packer = try DensePacker(dtype: dtype, shape: [rows, inputs], name: "w")
      let rowBytes = inputs * dtype.bits / 8
      tensor.bytes.withBytes { bytes in
        for start in stride(from: 0, to: rows, by: 32).reversed() {
          let part = start..<min(start + 32, rows)
          packer.put(part, UnsafeRawBufferPointer(rebasing: bytes[(start * rowBytes)...]))
        }
      }
      #expect(packer.weights.dequantized() == whole.dequantized())
      let x = numbers.floats(2 * inputs)
      #expect(
        try multiply(packer.weights, x, tokens: 2, threads: 1)
          == multiply(whole, x, tokens: 2, threads: 1))
    }
    #expect(throws: TensorError.self) { try DensePacker(dtype: .i8, shape: [1, 1], name: "w") }
    #expect(throws: TensorError.self) { try DensePacker(dtype: .f16, shape: [0, 1], name: "w") }
  }

  @Test(arguments: [(16, 128), (37, 96), (20, 200), (5, 130)])
  func roundingKeepsEveryValueWithinHalfAStep(rows: Int, inputs: Int) throws {
    var numbers = Numbers(seed: UInt64(rows))
    let values = numbers.floats(rows * inputs)
    let exact = try DenseWeights(Tensor(values, shape: [rows, inputs]), name: "w")
    let rounded = try GroupQuantizedWeights(quantizing: exact)
    #expect(rounded.byteCount < exact.byteCount)
    let found = rounded.dequantized()
    for row in 0..<rows {
      for start in stride(from: 0, to: inputs, by: 128) {
        let group = row * inputs + start..<row * inputs + min(start + 128, inputs)
        let step = (values[group].map(abs).max() ?? 0) / 127
        for at in group { #expect(abs(found[at] - values[at]) <= step * 0.5001) }
      }
    }
  }

  @Test(arguments: [(5, 130), (37, 96), (100, 64)])
  func threadsThatRoundChangeNoBit(rows: Int, inputs: Int) throws {
    var numbers = Numbers(seed: 8)
    let exact = try DenseWeights(
      Tensor(numbers.floats(rows * inputs), shape: [rows, inputs]), name: "w")
    for bits in [8, 12] {
      let alone = try WeightPacking.quantized(exact, bits: bits)
      let together = try WeightPacking.quantized(exact, bits: bits, workers: 3)
      #expect(alone.bits == bits && together.dequantized() == alone.dequantized())
    }
  }

  @Test(arguments: [DType.f32, .f16, .bf16], [8, 12])
  func rowsThatArriveAreRoundedAlike(dtype: DType, bits: Int) throws {
    let (rows, inputs) = (37, 130)
    var numbers = Numbers(seed: 9)
    let tensor = try stored(numbers.floats(rows * inputs), as: dtype, shape: [rows, inputs])
    let whole = try WeightPacking.quantized(WeightPacking.pack(tensor, name: "w"), bits: bits)
    let packer = try RoundingPacker(dtype: dtype, shape: [rows, inputs], name: "w", bits: bits)
    tensor.bytes.withBytes { bytes in
      for start in [32, 0] {
        let part = start..<min(start + 32, rows)
        packer.put(
          part, UnsafeRawBufferPointer(rebasing: bytes[(start * inputs * dtype.bits / 8)...]))
      }
    }
    #expect(packer.weights.bits == bits)
    #expect(packer.weights.dequantized() == whole.dequantized())
    #expect(throws: TensorError.self) {
      try RoundingPacker(dtype: .i8, shape: [1, 1], name: "w", bits: bits)
    }
  }

  @Test func roundingDoesNotHideWhatIsNoNumber() throws {
    var values = [Float](repeating: 1, count: 32 * 16)
    values[40] = .nan
    let exact = try DenseWeights(Tensor(values, shape: [16, 32]), name: "w")
    let found = try GroupQuantizedWeights(quantizing: exact).dequantized()
    #expect(found[40].isNaN)
    #expect(found[..<32] == values[..<32])
  }

  /// A matrix in two parts errs a fourteenth as much as its first, and multiplies as what it says
  /// it holds.
  @Test(arguments: [(16, 32), (37, 96), (400, 300)])
  func twoPartsComeCloserThanOne(rows: Int, inputs: Int) throws {
    var numbers = Numbers(seed: 5)
    let values = numbers.floats(rows * inputs)
    let dense = try DenseWeights(Tensor(values, shape: [rows, inputs]), name: "w")
    let coarse = try GroupQuantizedWeights(quantizing: dense)
    let both = try TwoPartWeights(quantizing: dense)
    #expect(both.bits == 12 && both.byteCount > coarse.byteCount)
    func worst(_ weights: any LinearWeights) -> Float {
      zip(weights.dequantized(), values).map { abs($0 - $1) }.max() ?? .infinity
    }
    #expect(worst(both) < worst(coarse) / 12)
    let tokens = 5
    let x = numbers.floats(tokens * inputs)
    let held = try DenseWeights(Tensor(both.dequantized(), shape: [rows, inputs]), name: "w")
    let expected = try multiply(held, x, tokens: tokens, threads: 1)
    let found = try multiply(both, x, tokens: tokens, threads: 1)
    for (found, expected) in zip(found, expected) {
      #expect(abs(found - expected) < 1e-4 * (1 + abs(expected)))
    }
    #expect(try multiply(both, x, tokens: tokens, threads: 3) == found)
    let alone = try multiply(both, Array(x[inputs..<2 * inputs]), tokens: 1, threads: 2)
    #expect(alone == Array(found[rows..<2 * rows]))
  }

  @Test(arguments: [2, 3, 4, 8], [false, true])
  func quantizedProductAgreesWithTheDequantizedMatrix(bits: Int, ordered: Bool) throws {
    var numbers = Numbers(seed: UInt64(bits))
    let (rows, inputs, group, tokens) = (37, 96, 32, 4)
    let codes = (0..<rows * inputs).map { _ in UInt8(numbers.bits() % (1 << UInt64(bits))) }
    let scales = numbers.floats(rows * 3)
    let zeros = (0..<rows * 3).map { _ in Float(numbers.bits() % (1 << UInt64(bits))) }
    let index: [Int32]? = ordered ? (0..<inputs).map { Int32($0 * 7 % inputs / group) } : nil
    let matrix = try QuantizedMatrix(
      bits: bits, outFeatures: rows, inFeatures: inputs, groupSize: group, codes: codes,
      scales: scales, zeros: zeros, groupIndex: index)
    let weights = try GroupQuantizedWeights(matrix)
    let dense = matrix.dequantized()
    #expect(weights.dequantized() == dense)
    let x = numbers.floats(tokens * inputs)
    let y = try multiply(weights, x, tokens: tokens, threads: 2)
    let reference = try multiply(
      DenseWeights(Tensor(dense, shape: [rows, inputs]), name: "w"), x, tokens: tokens, threads: 1)
    let worst = zip(y, reference).map { abs($0 - $1) / (1 + abs($1)) }.max() ?? 1
    #expect(worst < 1e-4)
  }

  @Test(arguments: [2, 4, 8], [false, true])
  func quantizedActivationsAreSharedAndComeClose(bits: Int, ordered: Bool) throws {
    // Quantizing to 127 steps of the largest of 64 numbers loses about half a percent.
    try compareQuantized(.int8, tolerance: 0.01, bits: bits, ordered: ordered)
    try compareQuantized(.int16, tolerance: 0.01 / 256, bits: bits, ordered: ordered)
  }

  private func compareQuantized(
    _ numerics: Numerics, tolerance: Double, bits: Int, ordered: Bool
  ) throws {
    var numbers = Numbers(seed: UInt64(bits))
    let (rows, inputs, group, tokens) = (300, 192, 64, 19)
    let index: [Int32]? = ordered ? (0..<inputs).map { Int32($0 * 7 % inputs / group) } : nil
    let matrices = try (0..<2).map { _ in
      try GroupQuantizedWeights(
        QuantizedMatrix(
          bits: bits, outFeatures: rows, inFeatures: inputs, groupSize: group,
          codes: (0..<rows * inputs).map { _ in UInt8(numbers.bits() % (1 << UInt64(bits))) },
          scales: numbers.floats(rows * 3), groupIndex: index))
    }
    let x = numbers.floats(tokens * inputs)
    let other = numbers.floats(tokens * inputs)
    func products(threads: Int) throws -> [[Float]] {
      let pool = try ThreadPool(workers: threads)
      var results: [[Float]] = []
      other.withUnsafeBufferPointer { other in
        x.withUnsafeBufferPointer { x in
          guard let x = x.baseAddress, let other = other.baseAddress else { return }
          // What an earlier input left behind must not show.
          let input = LinearInput(other, tokens: tokens, width: inputs, numerics: numerics)
          for (start, count) in [(-1, tokens), (0, tokens), (5, 1)] {
            input.reset(start < 0 ? other : x + start * inputs, tokens: count, width: inputs)
            for matrix in matrices {
              var y = [Float](repeating: .nan, count: count * rows)
              matrix.multiply(input, into: &y, on: pool)
              results.append(y)
            }
          }
        }
      }
      return results
    }
    let results = try products(threads: 1)
    #expect(try products(threads: 3) == results)
    for (index, matrix) in matrices.enumerated() {
      let rounded = results[2 + index]
      #expect(results[4 + index] == Array(rounded[5 * rows..<6 * rows]))
      let exact = try multiply(matrix, x, tokens: tokens, threads: 1)
      #expect(rounded != exact)
      let error = zip(rounded, exact).reduce(0.0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) }
      let size = exact.reduce(0.0) { $0 + Double($1 * $1) }
      #expect((error / size).squareRoot() < tolerance)
    }
  }

  @Test(arguments: [DType.bf16, .f16, .f32])
  func activationsAreRoundedToBF16WhereTheWeightsAre(dtype: DType) throws {
    var numbers = Numbers(seed: 3)
    let (rows, inputs, tokens) = (300, 191, 19)
    let values = numbers.floats(rows * inputs)
    let x = numbers.floats(tokens * inputs)
    let other = numbers.floats(tokens * inputs)
    let weights = try DenseWeights(stored(values, as: dtype, shape: [rows, inputs]), name: "w")
    func products(threads: Int) throws -> [[Float]] {
      let pool = try ThreadPool(workers: threads)
      var results: [[Float]] = []
      other.withUnsafeBufferPointer { other in
        x.withUnsafeBufferPointer { x in
          guard let x = x.baseAddress, let other = other.baseAddress else { return }
          // What an earlier input left behind must not show.
          let input = LinearInput(other, tokens: tokens, width: inputs - 1, numerics: .bf16)
          for (start, count) in [(-1, tokens), (0, tokens), (0, tokens), (5, 1)] {
            input.reset(start < 0 ? other : x + start * inputs, tokens: count, width: inputs)
            var y = [Float](repeating: .nan, count: count * rows)
            weights.multiply(input, into: &y, on: pool)
            results.append(y)
          }
        }
      }
      return results
    }
    let results = try products(threads: 1)
    #expect(try products(threads: 3) == results)
    #expect(results[2] == results[1])
    #expect(results[3] == Array(results[1][5 * rows..<6 * rows]))
    let exact = try multiply(weights, x, tokens: tokens, threads: 1)
    guard dtype == .bf16 else {
      #expect(results[1] == exact)
      return
    }
    let halves = x.map {
      Float(bitPattern: ($0.bitPattern + 0x7fff + ($0.bitPattern >> 16 & 1)) & 0xffff_0000)
    }
    let expected = try multiply(weights, halves, tokens: tokens, threads: 1)
    #expect(results[1] != exact)
    // The same sums but for the order of their products.
    for (found, expected) in zip(results[1], expected) { #expect(abs(found - expected) < 1e-4) }
  }

  /// Values in a stored type, BF16 rounded towards 0.
  private func stored(_ values: [Float], as dtype: DType, shape: [Int]) throws -> Tensor {
    if dtype == .f32 { return try Tensor(values, shape: shape) }
    let halves = values.map {
      dtype == .f16 ? Float16($0).bitPattern : UInt16($0.bitPattern >> 16)
    }
    let bytes = try AlignedBytes(count: halves.count * 2)
    bytes.withMutableBytes { target in halves.withUnsafeBytes { target.copyMemory(from: $0) } }
    return try Tensor(dtype: dtype, shape: shape, bytes: bytes)
  }

  @Test func packedBytesAreTheBitsPlusScales() throws {
    let (rows, inputs, group) = (64, 256, 128)
    for (bits, codeBytes) in [(8, rows * inputs), (4, rows * inputs / 2)] {
      let matrix = try QuantizedMatrix(
        bits: bits, outFeatures: rows, inFeatures: inputs, groupSize: group,
        codes: [UInt8](repeating: 1, count: rows * inputs),
        scales: [Float](repeating: 1, count: rows * 2))
      let weights = try GroupQuantizedWeights(matrix)
      #expect(weights.byteCount == codeBytes + rows * 2 * 2)
    }
  }

  @Test func refusesWhatItCannotHold() throws {
    let ints = try Tensor(dtype: .i32, shape: [2, 2], bytes: AlignedBytes(count: 16))
    #expect(throws: TensorError.unsupportedType(what: "w", dtype: .i32)) {
      try DenseWeights(ints, name: "w")
    }
    #expect(throws: TensorError.self) { try DenseWeights(Tensor([1, 2], shape: [2]), name: "w") }
    #expect(throws: TensorError.self) {
      try QuantizedMatrix(
        bits: 5, outFeatures: 1, inFeatures: 1, groupSize: 1, codes: [0], scales: [1])
    }
    #expect(throws: TensorError.self) {
      try QuantizedMatrix(
        bits: 4, outFeatures: 1, inFeatures: 2, groupSize: 2, codes: [0, 1], scales: [1],
        groupIndex: [0, 1])
    }
  }
}
