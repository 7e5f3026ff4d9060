import Testing

@testable import Tensors

/// Weights that want their activations rounded, one scale a token.
@Suite struct TokenRoundingTests {
  private let rows = 53
  private let inputs = 130
  private let tokens = 9

  private func matrix(_ numbers: inout Numbers) throws -> QuantizedMatrix {
    let codes = (0..<rows * inputs).map { _ in UInt8(numbers.bits() % 256) }
    let grid = try CodeGrid(
      bits: 8, outFeatures: rows, inFeatures: inputs, groupSize: inputs,
      scales: numbers.floats(rows).map { $0 / 100 }, tokenRounding: .int8)
    return try QuantizedMatrix(grid: grid, codes: codes)
  }

  private func float8(_ numbers: inout Numbers) throws -> Float8Weights {
    let weights = try Float8Weights(
      shape: [rows, inputs], groupSize: inputs, rowScales: numbers.floats(rows),
      tokenRounding: .float8, name: "w")
    let codes = (0..<rows * inputs).map { _ in UInt8(numbers.bits() % 0x7f) }
    codes.withUnsafeBytes { weights.put(0..<rows, $0) }
    return weights
  }

  /// The product of a row of an input with weights, by numerics.
  private func product(
    _ weights: any LinearWeights, _ x: [Float], _ numerics: Numerics, threads: Int = 1,
    row: Int? = nil
  ) throws -> [Float] {
    let pool = try ThreadPool(workers: threads)
    let count = row == nil ? x.count / inputs : 1
    var y = [Float](repeating: .nan, count: count * weights.outFeatures)
    x.withUnsafeBufferPointer { x in
      guard let base = x.baseAddress else { return }
      let whole = LinearInput(base, tokens: x.count / inputs, width: inputs, numerics: numerics)
      weights.multiply(row.map { whole.slice($0..<$0 + 1) } ?? whole, into: &y, on: pool)
    }
    return y
  }

  /// What is multiplied: each row of x rounded and made floats again.
  private func rounded(_ x: [Float], _ rounding: TokenRounding) -> [Float] {
    (0..<x.count / inputs).flatMap { row -> [Float] in
      let row = x[row * inputs..<(row + 1) * inputs]
      let largest = row.map(abs).max() ?? 0
      switch rounding {
      case .int8:
        let scale = largest / 127
        return row.map { ($0 * (127 / largest)).rounded(.toNearestOrEven) * scale }
      case .float8:
        let scale = largest / 448
        return (try? Float8Matrix(rounding: Array(row), scales: [scale]))?.dequantized() ?? []
      case .between8, .between4: return Array(row)
      }
    }
  }

  @Test(arguments: [TokenRounding.int8, .float8])
  func aProductIsThatOfRoundedTokens(rounding: TokenRounding) throws {
    var numbers = Numbers(seed: 3)
    let weights: any LinearWeights =
      rounding == .int8
      ? try GroupQuantizedWeights(matrix(&numbers)) : try float8(&numbers)
    var x = numbers.floats(tokens * inputs)
    x[5] = 40  // a token with one large value
    let dense = try DenseWeights(
      Tensor(weights.dequantized(), shape: [rows, inputs]), name: "w")
    let expected = try multiply(dense, rounded(x, rounding), tokens: tokens, threads: 1)
    let found = try product(weights, x, .int16)
    for (found, expected) in zip(found, expected) {
      #expect(abs(found - expected) < 2e-4 * (1 + abs(expected)))
    }
    // Whatever the numerics, threads and batch; `exact` alone takes activations as they are.
    for numerics in [Numerics.int8, .bf16] { #expect(try product(weights, x, numerics) == found) }
    #expect(try product(weights, x, .int16, threads: 3) == found)
    #expect(try product(weights, x, .int16, row: 4) == Array(found[4 * rows..<5 * rows]))
    let exact = try product(weights, x, .exact)
    let whole = try multiply(dense, x, tokens: tokens, threads: 1)
    for (exact, whole) in zip(exact, whole) {
      #expect(abs(exact - whole) < 2e-4 * (1 + abs(whole)))
    }
    #expect(exact != found)
  }

  /// A code of NaN makes what its row gives NaN, and nothing else.
  @Test(arguments: [TokenRounding.float8, nil]) func aCodeOfNaNStaysVisible(
    rounding: TokenRounding?
  ) throws {
    var numbers = Numbers(seed: 8)
    let weights = try Float8Weights(
      shape: [rows, inputs], groupSize: inputs, rowScales: numbers.floats(rows),
      tokenRounding: rounding, name: "w")
    var codes = (0..<rows * inputs).map { _ in UInt8(numbers.bits() % 0x7f) }
    codes[20 * inputs + 7] = 0xff
    codes.withUnsafeBytes { weights.put(0..<rows, $0) }
    let found = try product(weights, numbers.floats(tokens * inputs), .int16)
    for (place, value) in found.enumerated() { #expect(value.isNaN == (place % rows == 20)) }
  }

  @Test func refusesGroupsThatFillNoLines() {
    #expect(throws: TensorError.self) {
      try Float8Weights(shape: [1, 30], groupSize: 10, rowScales: [1, 1, 1], name: "w")
    }
  }

  @Test func refusesScalesOfGroups() throws {
    #expect(throws: TensorError.self) {
      try CodeGrid(
        bits: 8, outFeatures: 1, inFeatures: 16, groupSize: 8, scales: [1, 1],
        tokenRounding: .int8)
    }
    #expect(throws: TensorError.self) {
      try Float8Weights(
        shape: [1, 16], groupSize: 8, rowScales: [1, 1], tokenRounding: .float8, name: "w")
    }
  }
}
