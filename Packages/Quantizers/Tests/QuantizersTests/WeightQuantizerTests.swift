import Foundation
import Tensors
import Testing

@testable import Quantizers

/// What holds for every method.
@Suite struct WeightQuantizerTests {
  enum Method: String, CaseIterable { case rtn, gptq, gptqOrdered, gptqCurrent, hqq }

  private func quantizer(
    _ method: Method, _ scheme: QuantizationScheme
  ) throws -> any WeightQuantizer {
    switch method {
    case .rtn: RoundToNearest(scheme: scheme)
    case .gptq: try GPTQ(scheme: scheme)
    case .gptqOrdered: try GPTQ(scheme: scheme, groupGrids: .finishedBlocks)
    case .gptqCurrent: try GPTQ(scheme: scheme, columnOrder: .natural, groupGrids: .current)
    case .hqq: try HQQ(scheme: scheme)
    }
  }

  /// Every method, width of code and grid on a matrix whose sizes are no multiple of anything, and
  /// on hard values.
  @Test(arguments: Method.allCases, [2, 3, 4, 8])
  func hardValuesGiveFiniteResults(method: Method, bits: Int) throws {
    let pool = try ThreadPool(workers: 2)
    let (rows, width) = (13, 70)
    let plain = noise(rows * width, seed: 20)
    let inputs: [[Float]] = [
      plain,
      plain.map { _ in 0 },
      plain.indices.map { Float($0 / width) * 0.1 - 1.5 },
      plain.indices.map { $0 % width == 7 ? plain[$0] * 1e4 : plain[$0] },
      plain.map { $0 * 1e5 * .leastNonzeroMagnitude },
      plain.map { abs($0) },
    ]
    let hessian = try hessian(tokens: 150, width: width, on: pool)
    for grid in QuantizationScheme.Grid.allCases {
      let scheme = try QuantizationScheme(bits: bits, groupSize: 32, grid: grid)
      for values in inputs {
        let weights = try WeightMatrix(values, outFeatures: rows, inFeatures: width)
        let layer = try quantizer(method, scheme).quantize(weights, hessian: hessian, on: pool)
        #expect(layer.matrix.groups == 3)
        #expect(layer.matrix.codes.allSatisfy { Int($0) < 1 << bits })
        #expect(layer.matrix.scales.allSatisfy { $0 > 0 && $0.isFinite })
        #expect(layer.matrix.scales.allSatisfy { Float(Float16($0)) == $0 })
        #expect(firstNonFinite(in: layer.matrix.dequantized()) == nil)
        let error = try #require(layer.report.layerError)
        #expect(error.isFinite && error >= 0)
      }
    }
  }

  @Test(arguments: Method.allCases)
  func theNumberOfThreadsChangesNoBit(method: Method) throws {
    let (rows, width) = (40, 200)
    let scheme = try QuantizationScheme(bits: 3, groupSize: 32, grid: .asymmetric)
    let weights = try WeightMatrix(
      noise(rows * width, seed: 21), outFeatures: rows, inFeatures: width)
    let layers = try [1, 2, 3].map { workers in
      let pool = try ThreadPool(workers: workers)
      let hessian = try hessian(tokens: 600, width: width, on: pool)
      return try quantizer(method, scheme).quantize(weights, hessian: hessian, on: pool)
    }
    for layer in layers.dropFirst() {
      #expect(layer.matrix == layers[0].matrix)
      #expect(layer.report == layers[0].report)
    }
  }

  @Test(arguments: [2, 3, 4, 8], [32, 64, 128, 1000])
  func calibrationMakesLayersBetter(bits: Int, group: Int) throws {
    let pool = try ThreadPool(workers: 2)
    let (rows, width) = (16, 256)
    let weights = try WeightMatrix(
      noise(rows * width, seed: 22), outFeatures: rows, inFeatures: width)
    let hessian = try hessian(tokens: 600, width: width, on: pool)
    let scheme = try QuantizationScheme(bits: bits, groupSize: group)
    func error(_ method: Method) throws -> Double {
      let layer = try quantizer(method, scheme).quantize(weights, hessian: hessian, on: pool)
      return try #require(layer.report.layerError)
    }
    let rounded = try error(.rtn)
    #expect(try error(.gptq) < rounded)
    #expect(try error(.gptqOrdered) < rounded)
    #expect(try error(.gptqCurrent) < rounded)
  }

  @Test func matricesOfOneInputAreQuantizedAsIfAlone() throws {
    let pool = try ThreadPool(workers: 2)
    let width = 130
    let hessian = try hessian(tokens: 300, width: width, on: pool)
    let matrices = try [20, 33].map {
      try WeightMatrix(
        noise($0 * width, seed: UInt64($0)), outFeatures: $0, inFeatures: width)
    }
    let quantizer = try GPTQ(scheme: QuantizationScheme())
    let together = try quantizer.quantize(matrices, hessian: hessian, on: pool)
    for (matrix, layer) in zip(matrices, together) {
      let alone = try quantizer.quantize(matrix, hessian: hessian, on: pool)
      #expect(alone.matrix == layer.matrix)
    }
  }

  @Test func constantRowsAreExactWhereTheGridAllows() throws {
    let rows = 5
    let values = (0..<(rows * 64)).map { Float($0 / 64) - 2 }
    let weights = try WeightMatrix(values, outFeatures: rows, inFeatures: 64)
    let scheme = try QuantizationScheme(groupSize: 64, grid: .asymmetric, scaleType: .f32)
    let layer = try HQQ(scheme: scheme).quantize(weights, on: ThreadPool(workers: 1))
    #expect(layer.matrix.dequantized() == values)
    #expect(layer.report.weightError == 0)
  }

  /// Halved outliers: leaving them out must pay, and by the measure that the search minimises.
  @Test func searchedScalesMakeTheErrorSmaller() throws {
    let pool = try ThreadPool(workers: 1)
    var values = noise(40 * 128, seed: 23).map { $0 * $0 * $0 }
    for row in 0..<40 { values[row * 128] = 2 }
    let weights = try WeightMatrix(values, outFeatures: 40, inFeatures: 128)
    func error(_ search: QuantizationScheme.ScaleSearch) throws -> Double {
      let scheme = try QuantizationScheme(bits: 3, scaleSearch: search)
      let layer = try RoundToNearest(scheme: scheme).quantize(weights, on: pool)
      return zip(layer.matrix.dequantized(), values).reduce(0) {
        $0 + Double(powf(abs($1.0 - $1.1), 2.4))
      }
    }
    #expect(try error(.leastError) < 0.9 * error(.range))
  }

  @Test func badInputsAreTypedErrors() throws {
    let pool = try ThreadPool(workers: 1)
    #expect(throws: QuantizerError.nonFiniteWeight(row: 1, column: 2)) {
      try WeightMatrix([0, 0, 0, 0, 0, .nan], outFeatures: 2, inFeatures: 3)
    }
    #expect(throws: QuantizerError.nonFiniteWeight(row: 0, column: 1)) {
      try WeightMatrix([0, -.infinity], outFeatures: 1, inFeatures: 2)
    }
    #expect(throws: QuantizerError.self) {
      try WeightMatrix([1, 2, 3], outFeatures: 2, inFeatures: 2)
    }
    #expect(throws: QuantizerError.self) { try WeightMatrix([], outFeatures: 0, inFeatures: 2) }
    #expect(throws: QuantizerError.self) {
      try WeightMatrix([1], outFeatures: .max, inFeatures: 2)
    }
    let weights = try WeightMatrix([1, 2, 3, 4], outFeatures: 2, inFeatures: 2)
    let scheme = try QuantizationScheme()
    #expect(throws: QuantizerError.missingHessian(method: "GPTQ")) {
      try GPTQ(scheme: scheme).quantize([weights], hessian: nil, on: pool)
    }
    let wider = try Hessian(values: [1, 0, 0, 0, 1, 0, 0, 0, 1], order: 3, samples: 1)
    for quantizer: any WeightQuantizer in [
      RoundToNearest(scheme: scheme), try GPTQ(scheme: scheme), try HQQ(scheme: scheme),
    ] {
      #expect(
        throws: QuantizerError.shapeMismatch(what: "Hessian", expected: [2, 2], found: [3, 3])
      ) {
        try quantizer.quantize([weights], hessian: wider, on: pool)
      }
    }
  }

  @Test func scalesThatDoNotFitTheirTypeAreAnError() throws {
    let pool = try ThreadPool(workers: 1)
    let large = try WeightMatrix([1, 2, 3, 1e6], outFeatures: 2, inFeatures: 2)
    #expect(throws: QuantizerError.scaleOutOfRange(row: 1, group: 0, type: .f16)) {
      try RoundToNearest(scheme: QuantizationScheme()).quantize([large], hessian: nil, on: pool)
    }
    let wide = try QuantizationScheme(scaleType: .bf16)
    _ = try RoundToNearest(scheme: wide).quantize([large], hessian: nil, on: pool)
  }
}
