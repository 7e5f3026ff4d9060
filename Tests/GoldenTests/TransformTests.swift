import Compression
import DecoderModels
import Foundation
import KVCaches
import MemoryPlanner
import ModelLoader
import Quantizers
import Tensors
import Testing

/// Changes of the weights before quantizing: alone they leave a model's logits as they are.
@Suite final class TransformTests {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
  let pool: ThreadPool
  let sequences: [[Int32]] = (0..<3).map { sample in
    (0..<40).map { Int32(($0 * 37 + sample * 11) % 90) }
  }

  init() throws {
    pool = try ThreadPool(workers: 2)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  private func model(_ name: String) throws -> Checkpoint {
    try Checkpoint(directory: Goldens.committed.appendingPathComponent("models/" + name))
  }

  /// A plan that keeps all layers, of a scheme that may rotate.
  private func kept(_ preset: WeightScheme) throws -> CompressionPlan {
    try CompressionPlan(
      preset.settings(from: QuantizerSettings()),
      rulesFile: Array(#"{"rules": [{"layers": ".", "keep": true}]}"#.utf8), file: "rules")
  }

  private func compress(_ source: Checkpoint, _ plan: CompressionPlan) throws -> Checkpoint {
    let target = folder.appendingPathComponent(UUID().uuidString)
    let writer = try CheckpointWriter(
      target: target, source: source,
      layout: CheckpointLayout(container: .zstd, method: plan.storage))
    let store = try BlockStore(
      folder.appendingPathComponent(UUID().uuidString), source: source,
      identity: .init(source: "s", quantizer: "\(plan)", calibration: "c"), storage: plan.storage)
    var record = CompressionRecord(
      plan: plan, source: "model", sourceDigest: "s", calibration: nil)
    let compressor = try Compressor(source, plan: plan, scaleType: writer.scaleType, pool: pool)
    try compressor.check(writer)
    try compressor.run(sequences: sequences, store: store, writer: writer, record: &record) {
      _, _, _ in true
    }
    try writer.finish(record: record)
    store.remove()
    return try Checkpoint(directory: target)
  }

  private func logits(_ model: Checkpoint, _ numerics: Numerics = .exact) throws -> [Float] {
    let pass = ForwardPass(try Decoder(model), pool: pool, numerics: numerics)
    var caches = [try pass.makeCache(KVPolicy(format: .f32), meter: KVMeter())]
    var found: [Float] = []
    try pass.run([TokenRun(cache: 0, tokens: sequences[0])], caches: &caches, rows: .all) {
      _, _, logits in found += logits
    }
    return found
  }

  private func distance(_ found: [Float], _ expected: [Float]) -> Double {
    let squares = zip(found, expected).reduce(0.0) { $0 + pow(Double($1.0 - $1.1), 2) }
    return (squares / expected.reduce(0.0) { $0 + Double($1 * $1) }).squareRoot()
  }

  /// Root-mean-square and layer norms, one norm for both parts, and biases; what is stored in 16
  /// bits is rounded once more.
  @Test(arguments: [
    ("qwen3_yarn_f32", 1e-5), ("llama3_bf16", 2e-2), ("falcon_7b_bf16", 2e-2),
    ("falcon_40b_bf16", 2e-2), ("opt_f16", 5e-3), ("qwen2_f16", 5e-3), ("qwen3_moe_bf16", 2e-2),
  ])
  func smoothingChangesNothing(name: String, most: Double) throws {
    let source = try model(name)
    var plan = try kept(.w8a8Integer)
    plan.smoothing = 0.5
    let result = try compress(source, plan)
    #expect(try distance(logits(result), logits(source)) < most)
    #expect(source.tensors.count == result.tensors.count)
  }

  @Test(arguments: [("qwen3_yarn_f32", 1e-5), ("llama3_bf16", 2e-2), ("qwen3_tied_bf16", 2e-2)])
  func rotatingChangesNothing(name: String, most: Double) throws {
    let source = try model(name)
    let result = try compress(source, try kept(.w4a4Rotated))
    #expect(try distance(logits(result), logits(source)) < most)
    #expect(try result.config.boolIfPresent("tie_word_embeddings") != true)
  }

  @Test(arguments: ["falcon_7b_bf16", "opt_f16", "qwen3_moe_bf16", "qwen35_tied_bf16"])
  func familiesThatCannotBeRotatedAreRefused(name: String) throws {
    let source = try model(name)
    let plan = CompressionPlan(.w4a4Rotated, from: QuantizerSettings())
    #expect(throws: CompressionError.self) {
      try Compressor(source, plan: plan, scaleType: .bf16, pool: pool)
    }
  }

  /// With activations as they are, the written model is as near to the source as its weights; with
  /// rounded ones it differs.
  @Test(arguments: [WeightScheme.quikW4A4, .w4a4Rotated])
  func fourBitsOnBothSidesAreWrittenAndReadAgain(preset: WeightScheme) throws {
    let source = try model("qwen3_yarn_f32")
    var base = QuantizerSettings()
    base.outliers = 4
    let plan = CompressionPlan(preset, from: base)
    #expect(plan.storage == .bitbudget)
    let result = try compress(source, plan)
    #expect(try result.quantization()?.method == .bitbudget)
    let (found, exact) = (try logits(result, .int8), try logits(result))
    #expect(found != exact)
    #expect(try distance(exact, logits(source)) < 0.5)
    // The values of the same codes, as any program would read them, are the same model.
    let items = try result.inventory()
    let item = try #require(items.first { $0.name.hasSuffix("down_proj.weight") })
    #expect(item.storage.hasPrefix(preset == .quikW4A4 ? "8 bits" : "4 bits"))
    #expect(item.storage.hasSuffix("rotated inputs") == (preset == .w4a4Rotated))
    let weights = try result.weights(
      named: "model.layers.0.mlp.up_proj",
      shape: source.denseLinear(named: "model.layers.0.mlp.up_proj")?.shape ?? [])
    #expect(weights.activations(for: .int8) == .between(bits: 4))
  }
}
