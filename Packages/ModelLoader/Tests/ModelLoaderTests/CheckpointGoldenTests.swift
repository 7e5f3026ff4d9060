import Foundation
import Testing

@testable import ModelLoader

private let quantizedCases = Goldens.cases("checkpoints", "gptq_", "ct_pack_")
private let eightBitCases = Goldens.cases("checkpoints", "ct_w8a8", "ct_fp8", "fp8_")
private let modelCases = Goldens.cases("models", "")

@Suite("Reference checkpoints")
struct CheckpointGoldenTests {
  @Test(
    "dequantized matrices are the reference's",
    .enabled(if: !quantizedCases.isEmpty, "no reference checkpoints at \(Goldens.folder.path)"),
    arguments: quantizedCases)
  func dequantized(name: String) throws {
    let checkpoint = try Checkpoint(directory: Goldens.url("checkpoints", name))
    for (layer, expected) in try Goldens.dequantizedLayers(of: name) {
      guard case .quantized(let matrix) = try checkpoint.linear(named: layer) else {
        Issue.record("\(layer) is not quantized")
        continue
      }
      #expect([matrix.outFeatures, matrix.inFeatures] == expected.shape)
      // The reference computes (code - zero) * scale in F32 just as we do.
      #expect(matrix.dequantized() == expected.values, "\(name) \(layer)")
    }
  }

  @Test(
    "layers written again are the reference's tensors, byte for byte",
    .enabled(if: !quantizedCases.isEmpty, "no reference checkpoints at \(Goldens.folder.path)"),
    arguments: quantizedCases)
  func rewritten(name: String) throws {
    let folder = try TemporaryFolder()
    let source = try Checkpoint(directory: Goldens.url("checkpoints", name))
    let method = try #require(try source.quantization()).method
    let target = folder.url.appendingPathComponent("out")
    let writer = try CheckpointWriter(
      target: target, source: source, layout: .init(container: .safetensors, method: method))
    let marker = method == .packQuantized ? ".weight_packed" : ".qweight"
    let layers = source.tensors.keys.filter { $0.hasSuffix(marker) }
      .map { String($0.dropLast(marker.count)) }.sorted()
    for layer in layers { try writer.append(source.linear(named: layer), named: layer) }
    try writer.append(source.linear(named: "lm_head"), named: "lm_head")
    try writer.finish(record: ["source": name])
    let copy = try Checkpoint(directory: target)
    #expect(copy.tensors.count > layers.count * 3)
    for tensor in copy.tensors.keys {
      let (old, new) = (try source.tensor(named: tensor), try copy.tensor(named: tensor))
      #expect(old.dtype == new.dtype && old.shape == new.shape, "\(tensor)")
      #expect(
        old.bytes.withBytes { [UInt8]($0) } == new.bytes.withBytes { [UInt8]($0) }, "\(tensor)")
    }
    #expect(try copy.quantization() == source.quantization())
  }

  @Test(
    "weights of one byte are the reference's in memory",
    .enabled(if: !eightBitCases.isEmpty, "no reference checkpoints at \(Goldens.folder.path)"),
    arguments: eightBitCases)
  func eightBits(name: String) throws {
    let checkpoint = try Checkpoint(directory: Goldens.url("checkpoints", name))
    for (layer, expected) in try Goldens.dequantizedLayers(of: name) {
      let weights = try checkpoint.weights(named: layer, shape: expected.shape)
      #expect(weights.dequantized() == expected.values, "\(name) \(layer)")
      #expect(weights.byteCount < 2 * expected.values.count, "one byte a weight, and scales")
    }
  }

  @Test(
    "quantized layers that are made floats as they are read are the reference's, rounded to F16",
    .enabled(
      if: !(quantizedCases + eightBitCases).isEmpty,
      "no reference checkpoints at \(Goldens.folder.path)"),
    arguments: quantizedCases + eightBitCases)
  func dequantizing(name: String) throws {
    let checkpoint = try Checkpoint(directory: Goldens.url("checkpoints", name))
    let floats = try checkpoint.dequantizing()
    #expect(try floats.quantization() == nil)
    // Of a layer nothing is left but its matrix and its bias.
    for name in floats.tensors.keys {
      #expect(["weight", "bias"].contains(name.split(separator: ".").last), "\(name)")
    }
    for (layer, expected) in try Goldens.dequantizedLayers(of: name) {
      let info = try floats.info(of: layer + ".weight")
      #expect(info.dtype == .f16 && info.shape == expected.shape, "\(name) \(layer)")
      let values = expected.values.map { Float(Float16($0)) }
      #expect(try floats.floats(named: info.name) == values, "\(name) \(layer)")
      let weights = try floats.weights(named: layer, shape: expected.shape)
      #expect(weights.dequantized() == values, "\(name) \(layer)")
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
