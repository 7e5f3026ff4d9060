import Foundation
import Quantizers
import Tensors
import Testing

/// 8-bit floats as reference data has them: the code of every kind of number, and matrices with
/// scales.
@Suite struct Float8GoldenTests {
  static let isThere = !Goldens.cases("numbers", kind: "fp8-scaled").isEmpty

  private func array(_ folder: String, _ name: String) throws -> NPYFile {
    try NPYFile(Goldens.folder("numbers", folder).appendingPathComponent(name + ".npy"))
  }

  @Test(.enabled(if: isThere, "no reference numbers"))
  func numbersHaveTheirCodesAndCodesTheirValues() throws {
    let x = try array("fp8_e4m3", "x").floats
    let rounded = try Float8Matrix(rounding: x, scales: [1])
    for (index, code) in try array("fp8_e4m3", "code").bytes.enumerated() {
      // Of NaN the sign is free.
      #expect(rounded.codes[index] == code || x[index].isNaN, "\(x[index])")
      if x[index].isNaN { #expect(rounded.codes[index] & 0x7f == 0x7f) }
    }
    let table = try array("fp8_e4m3", "table").floats
    let values = try Float8Matrix(codes: Array(0...255), scales: [1]).dequantized()
    for (value, expected) in zip(values, table) {
      #expect(value == expected || value.isNaN && expected.isNaN)
    }
  }

  @Test(.enabled(if: isThere, "no reference numbers"))
  func rowsOfAMatrixHaveTheirScalesAndCodes() throws {
    let weights = try array("fp8_scaled", "W")
    let matrix = try WeightMatrix(
      weights.floats, outFeatures: weights.shape[0], inFeatures: weights.shape[1])
    let (found, report) = try Float8Rounding(scaleType: .f32).quantize(
      matrix, hessian: nil, on: ThreadPool(workers: 1))
    #expect(found.codes == (try array("fp8_scaled", "code_row").bytes))
    #expect(found.scales == (try array("fp8_scaled", "scale_row").floats))
    #expect(found.dequantized() == (try array("fp8_scaled", "w_hat_row").floats))
    #expect(report.weightError > 0 && report.weightError < 1e-3)
    #expect(try found.packed().dequantized() == found.dequantized())
  }
}
