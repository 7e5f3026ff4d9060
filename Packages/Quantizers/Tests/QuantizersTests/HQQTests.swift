import Tensors
import Testing

@testable import Quantizers

struct HQQTests {
  /// The references group the flattened matrix; `axis0` takes every (elements / 64)-th element into
  /// a group, which are the rows of the transposed table.
  private func matrix(_ golden: Golden) throws -> WeightMatrix {
    let w = try Golden(golden.value("inputs")).array("W")
    let group: Int = try golden.value("group")
    let rows = w.floats.count / group
    let values =
      try golden.value("variant") == "axis0"
      ? transposed(w.floats, rows: group, columns: rows) : w.floats
    return try WeightMatrix(values, outFeatures: rows, inFeatures: group)
  }

  private func transposed(_ values: [Float], rows: Int, columns: Int) -> [Float] {
    (0..<columns).flatMap { column in (0..<rows).map { values[$0 * columns + column] } }
  }

  @Test(
    .enabled(if: !Goldens.cases("hqq_").isEmpty, Goldens.absent), arguments: Goldens.cases("hqq_"))
  func agreesWithTheReference(name: String) throws {
    let golden = try Golden(name)
    let variant: String = try golden.value("variant")
    let group: Int = try golden.value("group")
    let isGrowing = variant == "sym" || variant == "grow_best"
    let scheme = try QuantizationScheme(
      bits: golden.value("bits"), groupSize: group,
      grid: variant == "sym" ? .symmetric : .asymmetric, scaleType: .f32)
    let quantizer = try HQQ(
      scheme: scheme, betaGrowth: isGrowing ? 1.01 : 1, iterations: variant == "noopt" ? 0 : 20,
      keepsBest: isGrowing)
    let weights = try matrix(golden)
    let layer = try quantizer.quantize(weights, on: ThreadPool(workers: 2))

    #expect(layer.report.iterations == (try golden.value("iterations_run")))
    let table = try golden.array("codes")
    var expected = table.floats
    if variant == "axis0" {
      expected = transposed(expected, rows: table.shape[0], columns: table.shape[1])
    }
    let middle = variant == "sym" ? scheme.middleCode : 0
    let codes = layer.matrix.codes.map { Float($0) - middle }
    #expect(mismatch(codes, expected) <= (try golden.tolerance("code_mismatch_fraction")))
    let step = zip(codes, expected).map { abs($0 - $1) }.max() ?? 0
    #expect(Double(step) <= (try golden.tolerance("code_max_step")))
    let error = zip(layer.matrix.dequantized(), weights.values).reduce(0.0) {
      $0 + Double(abs($1.0 - $1.1))
    }
    let expectedError: Double = try golden.value("mean_abs_error")
    let ratio = error / Double(codes.count) / expectedError
    #expect(abs(ratio - 1) <= (try golden.tolerance("mean_abs_error_rel")))
  }
}
