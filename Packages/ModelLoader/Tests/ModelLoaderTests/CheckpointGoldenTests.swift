import Foundation
import Testing

@testable import ModelLoader

private let quantizedCases = Goldens.cases("checkpoints", "gptq_", "ct_pack_")
private let modelCases = Goldens.cases("models", "")

@Suite("Reference checkpoints")
struct CheckpointGoldenTests {
  @Test(
    "dequantized matrices are the reference's",
    .enabled(if: !quantizedCases.isEmpty, "no reference checkpoints at \(Goldens.folder.path)"),
    arguments: quantizedCases)
  func dequantized(name: String) throws {
    let url = Goldens.url("checkpoints", name)
    let checkpoint = try Checkpoint(directory: url)
    let golden = url.appendingPathComponent("golden")
    let files = try FileManager.default.contentsOfDirectory(atPath: golden.path)
      .filter { $0.hasPrefix("dequant.") }
    #expect(!files.isEmpty)
    for file in files {
      let layer = file.dropFirst("dequant.".count).dropLast(".npy".count)
      let expected = try NumPyArray(golden.appendingPathComponent(file))
      guard case .quantized(let matrix) = try checkpoint.linear(named: String(layer)) else {
        Issue.record("\(layer) is not quantized")
        continue
      }
      #expect([matrix.outFeatures, matrix.inFeatures] == expected.shape)
      // The reference computes (code - zero) * scale in F32 just as we do.
      #expect(matrix.dequantized() == expected.values, "\(name) \(layer)")
    }
  }

  @Test(
    "every tensor of every reference model can be read",
    .enabled(if: !modelCases.isEmpty, "no reference models at \(Goldens.folder.path)"),
    arguments: modelCases)
  func models(name: String) throws {
    let checkpoint = try Checkpoint(directory: Goldens.url("models", name))
    #expect(checkpoint.config.has("model_type"))
    #expect(try checkpoint.quantization() == nil)
    for (name, info) in checkpoint.tensors {
      let values = try checkpoint.floats(named: name)
      #expect(values.count == info.shape.reduce(1, *))
      #expect(values.allSatisfy { $0.isFinite })
    }
  }
}
