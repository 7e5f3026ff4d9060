import Foundation
import Tensors
import Testing

@testable import Quantizers

@Suite(.enabled(if: hasBLAS, noBLAS))
struct GPTQTests {
  @Test(
    .enabled(if: !Goldens.cases("gptq_").isEmpty, Goldens.absent),
    arguments: Goldens.cases("gptq_"))
  func agreesWithTheReference(name: String) throws {
    let golden = try Golden(name)
    let pool = try ThreadPool(workers: 2)
    let (weights, hessian) = try golden.inputs(on: pool)
    let grids: GPTQ.GroupGrids =
      try golden.value("static_groups")
      ? .fixed
      : (try golden.value("group_params_from") as String).hasPrefix("finished")
        ? .finishedBlocks : .current
    let damping: Double = try golden.value("damp")
    let quantizer = try GPTQ(
      scheme: golden.scheme(), damping: Float(damping),
      columnOrder: golden.value("act_order") ? .activation : .natural, groupGrids: grids)
    let layer = try quantizer.quantize(weights, hessian: hessian, on: pool)

    let expectedCodes = try golden.array("codes").floats
    #expect(
      mismatch(layer.matrix.codes.map(Float.init), expectedCodes)
        <= (try golden.tolerance("code_mismatch_fraction")))
    let expectedError: Double = try golden.value("layer_error")
    let layerError = try #require(layer.report.layerError)
    #expect(abs(layerError / expectedError - 1) <= (try golden.tolerance("layer_error_rel")))

    let group = layer.matrix.groupSize
    let groupIndex = layer.matrix.groupIndex.map { $0.map(Float.init) }
    #expect(
      (groupIndex ?? (0..<weights.inFeatures).map { Float($0 / group) })
        == (try golden.array("g_idx").floats))
    let factor = try HessianFactor(
      #require(hessian), damping: quantizer.damping,
      byActivation: quantizer.columnOrder == .activation, using: LinearAlgebra(pool: pool))
    #expect(factor.order.map(Float.init) == (try golden.array("perm").floats))
    #expect(layer.report.dampingRaises == 0)
  }
}
