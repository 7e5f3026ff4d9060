import Testing

@testable import Tensors

/// What is found of the greatest products is what the whole product has there.
@Suite struct GreatestOutputsTests {
  private static let rows = 4099

  /// A matrix whose rows differ in length, so that bounds do.
  private func weights(_ inputs: Int, seed: UInt64) throws -> TwoPartWeights {
    var numbers = Numbers(seed: seed)
    var values = numbers.floats(Self.rows * inputs)
    for row in stride(from: 0, to: Self.rows, by: 37) {
      for column in 0..<inputs { values[row * inputs + column] *= 3 }
    }
    return try TwoPartWeights(
      quantizing: DenseWeights(Tensor(values, shape: [Self.rows, inputs]), name: "w"))
  }

  private func both(
    _ weights: TwoPartWeights, _ x: [Float], tokens: Int, _ wanted: GreatestOutputs,
    _ numerics: Numerics, threads: Int = 2
  ) throws -> (found: [Float], whole: [Float]) {
    let pool = try ThreadPool(workers: threads)
    var found = [Float](repeating: .nan, count: tokens * weights.outFeatures)
    var whole = found
    try x.withUnsafeBufferPointer { x in
      let input = LinearInput(
        try #require(x.baseAddress), tokens: tokens, width: weights.inFeatures, numerics: numerics)
      weights.multiply(input, into: &found, wanting: wanted, on: pool)
      weights.multiply(input, into: &whole, on: pool)
    }
    return (found, whole)
  }

  @Test(
    arguments: [(1, 128), (5, 96), (16, 512), (70, 64)], [Numerics.exact, .int16, .int8, .bf16])
  func whatIsWantedHasTheBitsOfTheProduct(size: (tokens: Int, inputs: Int), numerics: Numerics)
    throws
  {
    let weights = try weights(size.inputs, seed: 3)
    var numbers = Numbers(seed: 8)
    let x = numbers.floats(size.tokens * size.inputs)
    for wanted in [
      GreatestOutputs(count: 1), GreatestOutputs(count: 20),
      GreatestOutputs(count: 20, below: 2000),
      GreatestOutputs(count: 3000),
    ] {
      let (found, whole) = try both(weights, x, tokens: size.tokens, wanted, numerics)
      for token in 0..<size.tokens {
        let rows = token * Self.rows..<token * Self.rows + min(Self.rows, wanted.below)
        let least = whole[rows].sorted(by: >)[min(wanted.count, rows.count) - 1]
        for row in rows where found[row].bitPattern != whole[row].bitPattern {
          #expect(whole[row] < least && found[row] < least)
          #expect(abs(found[row] - whole[row]) < 1)
        }
      }
      let isSelective = zip(found, whole).contains { $0.bitPattern != $1.bitPattern }
      #expect(isSelective == (wanted.count < 60 && size.tokens <= 64))
    }
  }

  @Test func threadsChangeNothingThatIsWanted() throws {
    let weights = try weights(256, seed: 4)
    var numbers = Numbers(seed: 9)
    let x = numbers.floats(3 * 256)
    let alone = try both(weights, x, tokens: 3, GreatestOutputs(count: 9), .int16, threads: 1).found
    #expect(try both(weights, x, tokens: 3, GreatestOutputs(count: 9), .int16).found == alone)
  }

  /// Where every row is as good as any other one, all of them are looked at.
  @Test func equalRowsAreAllExact() throws {
    let row = (0..<64).map { Float($0 % 7) - 2.9 }
    let values = (0..<Self.rows).flatMap { _ in row }
    let weights = try TwoPartWeights(
      quantizing: DenseWeights(Tensor(values, shape: [Self.rows, 64]), name: "w"))
    let (found, whole) = try both(
      weights, (0..<64).map { Float($0) / 9 }, tokens: 1, GreatestOutputs(count: 4), .int16)
    #expect(found == whole)
  }

  @Test func whatIsNoNumberIsShown() throws {
    var values = Numbers(seed: 2).floats(of: Self.rows * 64)
    values[100 * 64 + 5] = .nan
    let weights = try TwoPartWeights(
      quantizing: DenseWeights(Tensor(values, shape: [Self.rows, 64]), name: "w"))
    let x = [Float](repeating: 1, count: 64)
    let (found, whole) = try both(weights, x, tokens: 1, GreatestOutputs(count: 4), .int16)
    #expect(found[100].isNaN && whole[100].isNaN)
    let infinite = [Float](repeating: .infinity, count: 64)
    #expect(
      try both(weights, infinite, tokens: 1, GreatestOutputs(count: 4), .exact).found
        .contains { !$0.isFinite })
  }

  @Test func wantsAreJoined() {
    let (few, many) = (GreatestOutputs(count: 2, below: 9), GreatestOutputs(count: 5, below: 9))
    #expect(few.joined(with: many) == many)
    #expect(few.joined(with: GreatestOutputs(count: 2)) == nil)
  }
}

extension Numbers {
  fileprivate func floats(of count: Int) -> [Float] {
    var copy = self
    return copy.floats(count)
  }
}
