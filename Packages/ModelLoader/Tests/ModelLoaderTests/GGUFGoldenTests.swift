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
    let url = Goldens.url("checkpoints", name)
    let checkpoint = try Checkpoint(directory: url.appendingPathComponent("model.gguf"))
    let golden = url.appendingPathComponent("golden")
    let files = try FileManager.default.contentsOfDirectory(atPath: golden.path)
      .filter { $0.hasPrefix("dequant.") }
    #expect(!files.isEmpty)
    for file in files {
      let layer = String(file.dropFirst("dequant.".count).dropLast(".npy".count))
      let expected = try NumPyArray(golden.appendingPathComponent(file))
      let weights = try checkpoint.weights(named: layer, shape: expected.shape)
      #expect(weights.dequantized() == expected.values, "\(name) \(layer)")
    }
  }
}
