import Testing

@testable import Tensors

@Suite struct OutlierWeightsTests {
  private let rows = 53
  private let inputs = 96
  private let tokens = 9
  private let columns: [Int32] = [2, 17, 18, 60, 95]

  private func matrix(
    bits: Int, columns: [Int32], rotated: Bool = false, _ numbers: inout Numbers
  ) throws -> OutlierMatrix {
    let others = inputs - columns.count
    let codes = (0..<rows * others).map { _ in UInt8(numbers.bits() % (1 << UInt64(bits))) }
    let grid = try CodeGrid(
      bits: bits, outFeatures: rows, inFeatures: others, groupSize: others,
      scales: numbers.floats(rows).map { $0 / 10 },
      tokenRounding: bits == 4 ? .between4 : .between8)
    return try OutlierMatrix(
      rest: QuantizedMatrix(grid: grid, codes: codes), columns: columns,
      outliers: columns.isEmpty
        ? nil : Tensor(numbers.floats(rows * columns.count), shape: [rows, columns.count]),
      rotation: rotated ? Hadamard(width: inputs) : nil)
  }

  private func product(
    _ weights: any LinearWeights, _ x: [Float], _ numerics: Numerics, threads: Int = 1,
    row: Int? = nil
  ) throws -> [Float] {
    let pool = try ThreadPool(workers: threads)
    var y = [Float](
      repeating: .nan, count: (row == nil ? x.count / inputs : 1) * weights.outFeatures)
    x.withUnsafeBufferPointer { x in
      guard let base = x.baseAddress else { return }
      let whole = LinearInput(base, tokens: x.count / inputs, width: inputs, numerics: numerics)
      weights.multiply(row.map { whole.slice($0..<$0 + 1) } ?? whole, into: &y, on: pool)
    }
    return y
  }

  /// Every token's inputs beside the outliers, as the nearest of equal steps between their least
  /// and largest.
  private func rounded(_ x: [Float], besides columns: [Int32], levels: Float) -> [Float] {
    let others = (0..<inputs).filter { !columns.contains(Int32($0)) }
    var x = x
    for row in stride(from: 0, to: x.count, by: inputs) {
      let values = others.map { x[row + $0] }
      let (least, most) = (values.min() ?? 0, values.max() ?? 0)
      let step = (most - least) / levels
      for at in others {
        x[row + at] = ((x[row + at] - least) / step).rounded(.toNearestOrEven) * step + least
      }
    }
    return x
  }

  @Test(arguments: [4, 8], [true, false])
  func aProductIsThatOfRoundedTokensAndFloatOutliers(bits: Int, hasOutliers: Bool) throws {
    var numbers = Numbers(seed: UInt64(bits))
    let columns = hasOutliers ? columns : []
    let matrix = try matrix(bits: bits, columns: columns, &numbers)
    let weights = try matrix.packed()
    #expect(weights.dequantized() == matrix.dequantized())
    #expect((weights.outFeatures, weights.inFeatures) == (rows, inputs))
    var x = numbers.floats(tokens * inputs)
    for at in stride(from: 17, to: x.count, by: inputs) { x[at] *= 50 }
    let dense = try DenseWeights(
      Tensor(weights.dequantized(), shape: [rows, inputs]), name: "w")
    let kept = rounded(x, besides: columns, levels: bits == 4 ? 15 : 255)
    let expected = try multiply(dense, kept, tokens: tokens, threads: 1)
    let found = try product(weights, x, .int8)
    for (found, expected) in zip(found, expected) {
      #expect(abs(found - expected) < 1e-4 * (10 + abs(expected)))
    }
    #expect(try product(weights, x, .bf16) == found)
    #expect(try product(weights, x, .int8, threads: 3) == found)
    #expect(try product(weights, x, .int8, row: 4) == Array(found[4 * rows..<5 * rows]))
    let exact = try product(weights, x, .exact)
    for (exact, whole) in zip(exact, try multiply(dense, x, tokens: tokens, threads: 1)) {
      #expect(abs(exact - whole) < 1e-4 * (10 + abs(whole)))
    }
  }

  /// Rotated inputs are undone by the weights: with activations as they are the product is that of
  /// the whole matrix.
  @Test func rotatedInputsMeetRotatedWeights() throws {
    var numbers = Numbers(seed: 6)
    let weights = try matrix(bits: 4, columns: [], rotated: true, &numbers).packed()
    let x = numbers.floats(tokens * inputs)
    let dense = try DenseWeights(
      Tensor(weights.dequantized(), shape: [rows, inputs]), name: "w")
    let exact = try product(weights, x, .exact)
    for (exact, whole) in zip(exact, try multiply(dense, x, tokens: tokens, threads: 1)) {
      #expect(abs(exact - whole) < 1e-4 * (10 + abs(whole)))
    }
    #expect(try product(weights, x, .int8) != exact)
  }

  /// Matrices that keep the same inputs apart share what is prepared of them, and nothing of an
  /// earlier input shows.
  @Test func partsOfAnInputAreShared() throws {
    var numbers = Numbers(seed: 8)
    let pool = try ThreadPool(workers: 2)
    let first = try matrix(bits: 4, columns: columns, &numbers).packed()
    let second = try matrix(bits: 4, columns: columns, &numbers).packed()
    let (x, other) = (numbers.floats(tokens * inputs), numbers.floats(tokens * inputs))
    let input = LinearInput(numerics: .int8)
    var y = [Float](repeating: .nan, count: tokens * rows)
    x.withUnsafeBufferPointer { x in
      other.withUnsafeBufferPointer { other in
        guard let x = x.baseAddress, let other = other.baseAddress else { return }
        input.reset(other, tokens: tokens, width: inputs)
        first.multiply(input, into: &y, on: pool)
        input.reset(x, tokens: tokens, width: inputs)
        #expect(input.taking(columns, on: pool) === input.taking(columns, on: pool))
        first.multiply(input, into: &y, on: pool)
        second.multiply(input, into: &y, on: pool)
      }
    }
    #expect(try product(second, x, .int8) == y)
  }

  @Test func refusesWhatDoesNotFitTogether() throws {
    var numbers = Numbers(seed: 1)
    let rest = try matrix(bits: 4, columns: columns, &numbers).rest
    #expect(throws: TensorError.self) { try OutlierMatrix(rest: rest, columns: columns) }
    #expect(throws: TensorError.self) {
      try OutlierMatrix(
        rest: rest, columns: [3, 2], outliers: Tensor(numbers.floats(rows * 2), shape: [rows, 2]))
    }
    #expect(throws: TensorError.self) {
      try OutlierMatrix(rest: rest, rotation: Hadamard(width: 64))
    }
    var plain = rest
    plain.tokenRounding = nil
    #expect(throws: TensorError.self) { try OutlierMatrix(rest: plain) }
  }
}

@Suite struct HadamardTests {
  @Test(arguments: [1, 2, 64, 12, 24, 20, 28, 36, 76, 192, 384, 768, 1088])
  func aRotationKeepsLengthsAndIsUndone(width: Int) throws {
    let rotation = try #require(Hadamard(width: width))
    var numbers = Numbers(seed: UInt64(width))
    let x = numbers.floats(width)
    var y = x
    rotation.rotate(&y)
    let (before, after) = (
      x.reduce(0) { $0 + Double($1 * $1) }, y.reduce(0) { $0 + Double($1 * $1) }
    )
    #expect(abs(before - after) < 1e-4 * before)
    if width > 1 { #expect(y != x) }
    rotation.rotateBack(&y)
    for (a, b) in zip(x, y) { #expect(abs(a - b) < 1e-4) }
    // One number spreads over all, with one magnitude.
    var one = [Float](repeating: 0, count: width)
    one[width / 3] = 1
    rotation.rotate(&one)
    let size = 1 / Float(width).squareRoot()
    for value in one { #expect(abs(abs(value) - size) < 1e-5) }
  }

  /// 43 times a power of two (Llama 2 7B's inner width) has no construction here; odd widths have
  /// none at all.
  @Test(arguments: [0, 3, 11_008, 100, 14])
  func unknownOrdersAreRefused(width: Int) { #expect(Hadamard(width: width) == nil) }
}
