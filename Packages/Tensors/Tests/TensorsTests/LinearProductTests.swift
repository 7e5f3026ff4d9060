import Testing

@testable import Tensors

@Suite struct LinearProductTests {
  /// 8-bit codes in groups of `group`.
  private func matrix(rows: Int, inputs: Int, group: Int, _ numbers: inout Numbers) throws
    -> GroupQuantizedWeights
  {
    try GroupQuantizedWeights(
      QuantizedMatrix(
        bits: 8, outFeatures: rows, inFeatures: inputs, groupSize: group,
        codes: (0..<rows * inputs).map { _ in UInt8(numbers.bits() % 256) },
        scales: numbers.floats(rows * (inputs / group))))
  }

  @Test(arguments: [1, 2, 3, 5], Numerics.allCases)
  func productsOfOneInputAreWhatEachIsAlone(threads: Int, numerics: Numerics) throws {
    var numbers = Numbers(seed: 11)
    let (inputs, tokens) = (192, 7)
    let pool = try ThreadPool(workers: threads)
    // Groups of two lengths, so that one rounding must not replace the other before it is used.
    let all: [any LinearWeights] = [
      try matrix(rows: 700, inputs: inputs, group: 64, &numbers),
      try matrix(rows: 37, inputs: inputs, group: 32, &numbers),
      try DenseWeights(Tensor(numbers.floats(90 * inputs), shape: [90, inputs]), name: "w"),
    ]
    let x = numbers.floats(tokens * inputs)
    x.withUnsafeBufferPointer { x in
      guard let x = x.baseAddress else { return }
      func input() -> LinearInput {
        LinearInput(x, tokens: tokens, width: inputs, numerics: numerics)
      }
      let buffers = all.map { _ in GrowingBuffer<Float>() }
      // Made row by row, where the others have their rows in memory.
      let shared = LinearInput(numerics: numerics)
      let rows = ReadOnlyMemory(x)
      shared.reset(tokens: tokens, width: inputs) { row, target in
        target.update(from: rows + row * inputs, count: inputs)
      }
      pool.run(
        zip(all, buffers).map { weights, buffer in
          weights.product(
            of: shared, into: buffer.reserve(tokens * weights.outFeatures), on: pool)
        })
      for (weights, buffer) in zip(all, buffers) {
        let count = tokens * weights.outFeatures
        var alone = [Float](repeating: .nan, count: count)
        weights.multiply(input(), into: &alone, on: pool)
        let found = UnsafeBufferPointer(start: buffer.reserve(count), count: count)
        #expect(Array(found) == alone)
      }
    }
  }

  @Test(arguments: [1, 2, 3, 7], [1, 24])
  func whatFollowsGetsWholeUnitsOfBothProducts(threads: Int, unit: Int) throws {
    var numbers = Numbers(seed: 12)
    // Several strips a thread, the last of them short.
    let (rows, inputs, tokens) = (1200, 128, 130)
    let pool = try ThreadPool(workers: threads)
    let first = try matrix(rows: rows, inputs: inputs, group: 128, &numbers)
    let second = try matrix(rows: rows, inputs: inputs, group: 128, &numbers)
    let x = numbers.floats(tokens * inputs)
    let expected = zip(
      try multiply(first, x, tokens: tokens, threads: 1),
      try multiply(second, x, tokens: tokens, threads: 1)
    ).map { $0 + $1 }
    x.withUnsafeBufferPointer { x in
      guard let x = x.baseAddress else { return }
      let input = LinearInput(x, tokens: tokens, width: inputs, numerics: .exact)
      let (a, b, c) = (GrowingBuffer<Float>(), GrowingBuffer<Float>(), GrowingBuffer<Bool>())
      let y = DisjointMemory(a.reserve(tokens * rows))
      let z = DisjointMemory(b.reserve(tokens * rows))
      let cutsUnits = DisjointMemory(c.reserve(rows))
      let product = first.product(of: input, into: y.base, on: pool)
        .fused(with: second.product(of: input, into: z.base, on: pool))
        .epilogue(granularity: unit) { features in
          cutsUnits[features.lowerBound] = features.lowerBound % unit + features.count % unit > 0
          for token in 0..<tokens {
            for feature in features { y[token * rows + feature] += z[token * rows + feature] }
          }
        }
      pool.run([product])
      #expect(Array(UnsafeBufferPointer(start: y.base, count: tokens * rows)) == expected)
      #expect(!UnsafeBufferPointer(start: cutsUnits.base, count: rows).contains(true))
    }
  }

  @Test(arguments: [1, 2, 3, 7])
  func productsInTurnAreWhatEachIsAlone(threads: Int) throws {
    var numbers = Numbers(seed: 13)
    let (inputs, tokens) = (256, 3)
    let pool = try ThreadPool(workers: threads)
    // One that ends inside a block of rows, one that is smaller than a share.
    let all = try [1600, 37, 16, 500].map {
      try matrix(rows: $0, inputs: inputs, group: 128, &numbers)
    }
    let x = numbers.floats(tokens * inputs)
    x.withUnsafeBufferPointer { x in
      guard let x = x.baseAddress else { return }
      let input = LinearInput(x, tokens: tokens, width: inputs, numerics: .int8)
      let buffers = all.map { _ in GrowingBuffer<Float>() }
      let products = zip(all, buffers).map { weights, buffer in
        weights.product(
          of: input, into: buffer.reserve(tokens * weights.outFeatures), on: pool)
      }
      pool.prefetchWeightsNow(inTurn: all)
      pool.run([LinearProduct(inTurn: products)])
      for (weights, buffer) in zip(all, buffers) {
        let count = tokens * weights.outFeatures
        var alone = [Float](repeating: .nan, count: count)
        weights.multiply(input, into: &alone, on: pool)
        let found = UnsafeBufferPointer(start: buffer.reserve(count), count: count)
        #expect(Array(found) == alone)
      }
    }
  }
}
