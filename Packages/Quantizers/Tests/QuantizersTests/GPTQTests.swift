import Foundation
import Tensors
import Testing

@testable import Quantizers

@Suite struct GPTQTests {
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

  /// The algorithm column by column in F64, with the inverse of the Hessian updated by elimination
  /// instead of a Cholesky factor (arXiv:2210.17323, equations 2 and 3). Returns codes in the
  /// original order.
  private func columnByColumn(
    _ weights: WeightMatrix, _ hessian: Hessian, damping: Double, group: Int, order: [Int]
  ) -> [Float] {
    let (n, rows) = (weights.inFeatures, weights.outFeatures)
    let extra = damping * hessian.diagonal.reduce(0.0) { $0 + Double($1) } / Double(n)
    var inverse = inverted(
      order.indices.flatMap { i in
        order.indices.map { j in
          Double(hessian.values[order[i] * n + order[j]]) + (i == j ? extra : 0)
        }
      }, order: n)
    var w = (0..<rows).map { row in order.map { Double(weights.values[row * n + $0]) } }
    var codes = [Float](repeating: -1, count: rows * n)
    var scales = [Double](repeating: 1, count: rows)
    for i in 0..<n {
      for row in 0..<rows {
        if i % group == 0 {
          scales[row] = w[row][i..<min(i + group, n)].map(abs).max().map { $0 / 7.5 } ?? 1
        }
        let code = min(max((w[row][i] / scales[row]).rounded(.toNearestOrEven), -8), 7)
        codes[row * n + order[i]] = Float(code + 8)
        let error = (w[row][i] - scales[row] * code) / inverse[i * n + i]
        for j in i..<n { w[row][j] -= error * inverse[i * n + j] }
      }
      let pivot = inverse[i * n + i]
      for j in (i + 1)..<max(n, i + 1) {
        let factor = inverse[j * n + i] / pivot
        for k in i..<n { inverse[j * n + k] -= factor * inverse[i * n + k] }
      }
    }
    return codes
  }

  private func inverted(_ matrix: [Double], order n: Int) -> [Double] {
    var a = matrix
    var inverse = (0..<(n * n)).map { $0 / n == $0 % n ? 1.0 : 0.0 }
    for i in 0..<n {
      let pivot = a[i * n + i]
      for k in 0..<n {
        a[i * n + k] /= pivot
        inverse[i * n + k] /= pivot
      }
      for j in 0..<n where j != i {
        let factor = a[j * n + i]
        for k in 0..<n {
          a[j * n + k] -= factor * a[i * n + k]
          inverse[j * n + k] -= factor * inverse[i * n + k]
        }
      }
    }
    return inverse
  }

  /// Groups that are shorter and longer than a block of 128 columns, and divide nothing.
  @Test(arguments: [24, 90, 1000], GPTQ.ColumnOrder.allCases)
  func blocksChangeNothing(group: Int, order: GPTQ.ColumnOrder) throws {
    let pool = try ThreadPool(workers: 2)
    let (rows, width) = (6, 190)
    let weights = try WeightMatrix(
      noise(rows * width, seed: 31), outFeatures: rows, inFeatures: width)
    let hessian = try hessian(tokens: 300, width: width, on: pool)
    let diagonal = hessian.diagonal
    let columns =
      order == .natural
      ? Array(0..<width) : (0..<width).sorted { (-diagonal[$0], $0) < (-diagonal[$1], $1) }
    let scheme = try QuantizationScheme(groupSize: group, scaleType: .f32)
    let layer = try GPTQ(scheme: scheme, damping: 0.1, columnOrder: order, groupGrids: .current)
      .quantize(weights, hessian: hessian, on: pool)
    let expected = columnByColumn(weights, hessian, damping: 0.1, group: group, order: columns)
    // A weight within rounding of a half may go the other way, and takes its row along.
    #expect(mismatch(layer.matrix.codes.map(Float.init), expected) < 0.05)
  }

  @Test func deadInputsGetNoWeightAndAreCounted() throws {
    let pool = try ThreadPool(workers: 1)
    let (rows, width) = (20, 64)
    let x = activations(tokens: 100, width: width, seed: 32).enumerated().map {
      [3, 40].contains($0.offset % width) ? 0 : $0.element
    }
    var accumulator = try HessianAccumulator(order: width, on: pool)
    try x.withUnsafeBufferPointer { try accumulator.add($0) }
    let weights = try WeightMatrix(
      noise(rows * width, seed: 33), outFeatures: rows, inFeatures: width)
    let layer = try GPTQ(scheme: QuantizationScheme(groupSize: 32)).quantize(
      weights, hessian: accumulator.finish(), on: pool)
    #expect(layer.report.deadInputs == 2)
    let values = layer.matrix.dequantized()
    for row in 0..<rows {
      #expect(values[row * width + 3] == 0 && values[row * width + 40] == 0)
      #expect((0..<width).count { values[row * width + $0] != 0 } > 40)
    }
  }
}
