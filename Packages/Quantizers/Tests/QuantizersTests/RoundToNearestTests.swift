import Foundation
import Tensors
import Testing

@testable import Quantizers

struct RoundToNearestTests {
  @Test(
    .enabled(if: !Goldens.cases("rtn_").isEmpty, Goldens.absent),
    arguments: Goldens.cases("rtn_"))
  func agreesWithTheReference(name: String) throws {
    let golden = try Golden(name)
    let pool = try ThreadPool(workers: 2)
    let (weights, hessian) = try golden.inputs(on: pool)
    let layer = try RoundToNearest(scheme: golden.scheme()).quantize(
      weights, hessian: hessian, on: pool)

    let expectedCodes = try golden.array("codes").floats
    let codes = layer.matrix.codes.map(Float.init)
    #expect(mismatch(codes, expectedCodes) <= (try golden.tolerance("code_mismatch_fraction")))
    let step = zip(codes, expectedCodes).map { abs($0 - $1) }.max() ?? 0
    #expect(Double(step) <= (try golden.tolerance("code_max_step")))
    let scaleTolerance = try golden.tolerance("scale_rel")
    for (scale, expected) in zip(layer.matrix.scales, try golden.array("scale").floats) {
      #expect(abs(Double(scale / expected) - 1) <= scaleTolerance)
    }
    let zeros = try golden.array("zero").floats
    #expect(
      (layer.matrix.zeros ?? zeros.map { _ in layer.matrix.symmetricZero }) == zeros)
    let expectedError: Double = try golden.value("layer_error")
    let layerError = try #require(layer.report.layerError)
    #expect(abs(layerError / expectedError - 1) <= (try golden.tolerance("layer_error_rel")))
  }

  /// On grids that reach all weights, none is further than half a step from its code's value.
  @Test(arguments: [QuantizationScheme.Grid.absmax, .asymmetric], [2, 3, 4, 8])
  func everyCodeIsTheNearest(grid: QuantizationScheme.Grid, bits: Int) throws {
    let (rows, width, group) = (19, 100, 32)
    let weights = try WeightMatrix(
      noise(rows * width, seed: 30), outFeatures: rows, inFeatures: width)
    let scheme = try QuantizationScheme(
      bits: bits, groupSize: group, grid: grid, scaleType: .f32)
    let matrix = try RoundToNearest(scheme: scheme)
      .quantize(weights, on: ThreadPool(workers: 2)).matrix
    #expect(matrix.groups == 4)
    for (position, value) in matrix.dequantized().enumerated() {
      let scale = matrix.scales[position / width * 4 + position % width / group]
      #expect(abs(value - weights.values[position]) <= 0.50001 * scale)
    }
  }
}
