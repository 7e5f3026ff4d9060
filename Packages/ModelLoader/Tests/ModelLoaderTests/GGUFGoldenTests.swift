import Foundation
import Testing

@testable import ModelLoader

private let cases = Goldens.cases("checkpoints", "gguf_")

@Suite("Reference GGUF files")
struct GGUFGoldenTests {
  @Test(
    "dequantized matrices are the reference's",
    .enabled(if: !cases.isEmpty, "no reference checkpoints at \(Goldens.folder.path)"),
    arguments: cases)
  func dequantized(name: String) throws {
    let checkpoint = try Checkpoint(
      directory: Goldens.url("checkpoints", name).appendingPathComponent("model.gguf"))
    for (layer, expected) in try Goldens.dequantizedLayers(of: name) {
      let weights = try checkpoint.weights(named: layer, shape: expected.shape)
      #expect(weights.dequantized() == expected.values, "\(name) \(layer)")
    }
  }
}
