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

  @Test(
    "blocks that are made floats as they are read are the reference's, rounded to F16",
    .enabled(if: !cases.isEmpty, "no reference checkpoints at \(Goldens.folder.path)"),
    arguments: cases)
  func dequantizing(name: String) throws {
    let checkpoint = try Checkpoint(
      directory: Goldens.url("checkpoints", name).appendingPathComponent("model.gguf"))
    let floats = try checkpoint.dequantizing()
    #expect(try floats.quantization() == nil)
    for (layer, expected) in try Goldens.dequantizedLayers(of: name) {
      let info = try floats.info(of: layer + ".weight")
      // What was floats in the file keeps its type.
      let isRounded = !checkpoint.contains(layer + ".weight")
      #expect(info.shape == expected.shape && (info.dtype == .f16 || !isRounded))
      let values = isRounded ? expected.values.map { Float(Float16($0)) } : expected.values
      #expect(try floats.floats(named: layer + ".weight") == values, "\(name) \(layer)")
      let weights = try floats.weights(named: layer, shape: expected.shape)
      #expect(weights.dequantized() == values, "\(name) \(layer)")
    }
  }
}
