import Tensors
import Testing

@testable import Quantizers

@Suite struct OutlierQuantizationTests {
  private let rows = 24
  private let width = 96
  private let tokens = 300
  private let planted = [3, 40, 41, 77]

  /// Activations whose planted columns are 20 to 60 times as large as others.
  private func inputs(seed: UInt64) -> [Float] {
    activations(tokens: tokens, width: width, seed: seed).enumerated().map { at, value in
      planted.firstIndex(of: at % width).map { value * Float(20 + 13 * $0) } ?? value
    }
  }

  private func setUp(
    seed: UInt64, on pool: ThreadPool
  ) throws -> (matrix: WeightMatrix, hessian: Hessian, largest: [Float]) {
    let x = inputs(seed: seed)
    var accumulator = try HessianAccumulator(order: width, on: pool)
    try x.withUnsafeBufferPointer { try accumulator.add($0) }
    let largest = (0..<width).map { column in
      stride(from: column, to: x.count, by: width).reduce(Float(0)) { max($0, abs(x[$1])) }
    }
    let matrix = try WeightMatrix(
      noise(rows * width, seed: seed + 1), outFeatures: rows, inFeatures: width)
    return (matrix, try accumulator.finish(), largest)
  }

  @Test func thePlantedColumnsAreChosenAndAThresholdMayLeaveThem() throws {
    let largest = try setUp(seed: 5, on: ThreadPool(workers: 1)).largest
    #expect(OutlierChoice(count: 4).columns(for: largest) == planted)
    #expect(OutlierChoice(count: 4, threshold: 1e6).columns(for: largest).isEmpty)
    #expect(OutlierChoice(count: 4).columns(for: []).isEmpty)
    #expect(OutlierChoice(count: 400).columns(for: largest).count == width / 2)
  }

  @Test(arguments: [4, 8], [UInt64(5), 6, 7])
  func outliersLastAreNeverWorseThanNone(bits: Int, seed: UInt64) throws {
    let pool = try ThreadPool(workers: 2)
    let (matrix, hessian, largest) = try setUp(seed: seed, on: pool)
    let gptq = try GPTQ(
      scheme: QuantizationScheme(bits: bits, groupSize: nil, grid: .absmax, scaleType: .f32))
    let columns = OutlierChoice(count: 4).columns(for: largest)
    let plain = try gptq.quantize(matrix, hessian: hessian, on: pool)
    let with = try gptq.quantize([matrix], besides: columns, hessian: hessian, on: pool)[0]
    let rounded = try RoundToNearest(scheme: gptq.scheme).quantize(
      [matrix], besides: columns, hessian: hessian, on: pool)[0]
    let (error, without) = (try #require(with.report.layerError), plain.report.layerError)
    #expect(try error < #require(without))
    #expect(try error < #require(rounded.report.layerError))
    #expect(with.codes.inFeatures == width - 4 && with.outliers.count == rows * 4)
    // What outliers hold has taken up the errors of the others.
    #expect(with.outliers != rounded.outliers)
  }

  @Test func withoutOutliersItIsPlainGPTQ() throws {
    let pool = try ThreadPool(workers: 2)
    let (matrix, hessian, _) = try setUp(seed: 9, on: pool)
    for order in GPTQ.ColumnOrder.allCases {
      let gptq = try GPTQ(
        scheme: QuantizationScheme(bits: 4, groupSize: nil), columnOrder: order)
      let plain = try gptq.quantize(matrix, hessian: hessian, on: pool)
      let layer = try gptq.quantize([matrix], besides: [], hessian: hessian, on: pool)[0]
      #expect(layer.codes == plain.matrix && layer.outliers.isEmpty)
      #expect(layer.report == plain.report)
    }
    let grouped = try GPTQ(scheme: QuantizationScheme(bits: 4, groupSize: 32))
    #expect(throws: QuantizerError.self) {
      try grouped.quantize([matrix], besides: [1], hessian: hessian, on: pool)
    }
  }

  /// The Hessian of rotated or divided inputs is what these would have given.
  @Test func aHessianFollowsItsInputs() throws {
    let pool = try ThreadPool(workers: 1)
    let x = inputs(seed: 3)
    let rotation = try #require(Hadamard(width: width))
    let divisors = (0..<width).map { 1 + Float($0 % 5) }
    var (rotated, divided) = (x, x)
    rotated.withUnsafeMutableBufferPointer { rows in
      guard let base = rows.baseAddress else { return }
      for row in 0..<tokens { rotation.rotate(base + row * width) }
    }
    for at in divided.indices { divided[at] /= divisors[at % width] }
    func moments(_ x: [Float]) throws -> Hessian {
      var accumulator = try HessianAccumulator(order: width, on: pool)
      try x.withUnsafeBufferPointer { try accumulator.add($0) }
      return try accumulator.finish()
    }
    let whole = try moments(x)
    for (found, expected) in [
      (try whole.rotated(by: rotation), try moments(rotated)),
      (try whole.divided(by: divisors), try moments(divided)),
    ] {
      let size = expected.values.map(abs).max() ?? 1
      for (a, b) in zip(found.values, expected.values) { #expect(abs(a - b) < 1e-4 * size) }
    }
  }
}
