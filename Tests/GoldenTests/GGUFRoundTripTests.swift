import DecoderModels
import Foundation
import KVCaches
import ModelLoader
import Tensors
import Testing

/// A model folder written as a GGUF file computes what the folder does: names, sizes, orders of
/// rows and rotary frequencies come back.
@Suite struct GGUFRoundTripTests {
  static let models = ModelGoldenTests.models.filter {
    ["llama", "qwen2", "qwen3", "falcon"].contains($0.modelType)
      && $0.folder.path.hasPrefix(Goldens.committed.path)
      // ALiBi has no place in GGUF's falcon.
      && !$0.folder.path.hasSuffix("falcon_rw_bf16")
  }
  private static let tokens: [Int32] = [5, 17, 3, 64, 90, 12, 5, 33, 71, 2, 48, 9]

  private func write(_ folder: URL, to file: URL) throws {
    let source = try Checkpoint(directory: folder)
    let writer = try GGUFWriter(target: file, source: source, name: "model")
    for name in source.tensors.keys.sorted() {
      try writer.append(source.tensor(named: name), named: name)
    }
    try writer.finish(record: ["how": "as it is"])
  }

  private func logits(_ place: URL) throws -> [Float] {
    let decoder = try Decoder(Checkpoint(directory: place))
    let pass = ForwardPass(decoder, pool: try ThreadPool(workers: 1))
    var caches = [try pass.makeCache(KVPolicy(format: .f32), meter: KVMeter())]
    var result: [Float] = []
    try pass.run([TokenRun(cache: 0, tokens: Self.tokens)], caches: &caches, rows: .all) {
      _, _, logits in result.append(contentsOf: logits)
    }
    return result
  }

  @Test(arguments: models) func logitsAreTheFolders(model: ModelGoldenTests.Model) throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("gguf-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appendingPathComponent("model.gguf")
    try write(model.folder, to: file)
    let (found, expected) = (try logits(file), try logits(model.folder))
    let worst = zip(found, expected).map { abs($0 - $1) }.max() ?? 1
    // Factors of Llama 3.1's frequencies and the factor of YaRN are rounded to F32 in the file.
    #expect(worst < (try hasScaling(model) ? 1e-4 : .leastNormalMagnitude), "\(worst)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["model.gguf"])
  }

  private func hasScaling(_ model: ModelGoldenTests.Model) throws -> Bool {
    try Checkpoint(directory: model.folder).config.objectIfPresent("rope_scaling") != nil
  }
}
