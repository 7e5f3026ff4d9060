import Foundation
import Tensors
import Testing

@testable import Quantizers

struct RoundToNearestTests {
  @Test(
    .enabled(if: hasBLAS, noBLAS), .enabled(if: !Goldens.cases("rtn_").isEmpty, Goldens.absent),
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
}
