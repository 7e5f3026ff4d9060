import Foundation
import Tensors
import Testing

@testable import Quantizers

struct QuantizationSchemeTests {
  @Test(arguments: [0, 1, 5, 16, -4])
  func unknownBitsAreRefused(bits: Int) {
    #expect(
      throws: QuantizerError.invalidSetting(
        name: "bits", found: "\(bits)", expected: "2, 3, 4 or 8")
    ) {
      try QuantizationScheme(bits: bits)
    }
  }

  @Test func emptyGroupsAndIntegerScalesAreRefused() {
    #expect(throws: QuantizerError.self) { try QuantizationScheme(groupSize: 0) }
    #expect(throws: QuantizerError.self) { try QuantizationScheme(groupSize: -1) }
    #expect(throws: QuantizerError.self) { try QuantizationScheme(scaleType: .i8) }
  }

  @Test func settingsSurviveJSONAndAreCheckedThere() throws {
    let scheme = try QuantizationScheme(
      bits: 3, groupSize: nil, grid: .asymmetric, scaleType: .bf16, scaleSearch: .leastError)
    let gptq = try GPTQ(scheme: scheme, damping: 0.5, columnOrder: .natural, groupGrids: .current)
    let data = try JSONEncoder().encode(gptq)
    #expect(try JSONDecoder().decode(GPTQ.self, from: data) == gptq)
    let hqq = try HQQ(scheme: QuantizationScheme(bits: 8), power: 1, keepsBest: false)
    #expect(try JSONDecoder().decode(HQQ.self, from: JSONEncoder().encode(hqq)) == hqq)
    let wrong = String(decoding: data, as: UTF8.self).replacingOccurrences(of: ":3", with: ":7")
    #expect(throws: QuantizerError.self) {
      try JSONDecoder().decode(GPTQ.self, from: Data(wrong.utf8))
    }
  }

  @Test func wrongMethodSettingsAreRefused() throws {
    let scheme = try QuantizationScheme()
    #expect(throws: QuantizerError.self) { try GPTQ(scheme: scheme, damping: -0.1) }
    #expect(throws: QuantizerError.self) { try GPTQ(scheme: scheme, damping: .nan) }
    #expect(throws: QuantizerError.self) { try HQQ(scheme: scheme, power: 0) }
    #expect(throws: QuantizerError.self) { try HQQ(scheme: scheme, beta: .infinity) }
    #expect(throws: QuantizerError.self) { try HQQ(scheme: scheme, betaGrowth: 0.9) }
    #expect(throws: QuantizerError.self) { try HQQ(scheme: scheme, iterations: -1) }
    let searched = try QuantizationScheme(grid: .asymmetric, scaleSearch: .leastError)
    #expect(throws: QuantizerError.self) { try HQQ(scheme: searched) }
  }
}
