import DecoderModels
import Foundation
import KVCaches
import ModelLoader
import Tensors
import Testing

@testable import Compression

private let hybrid = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  .appendingPathComponent("../../../../Tests/Goldens/models/qwen35_tied_bf16").standardized

/// Compression of a hybrid: the layers of linear attention are calibrated and quantized as others
/// are, but for their strengths and decays.
@Suite(
  .enabled(
    if: FileManager.default.fileExists(atPath: hybrid.path),
    "the repository's reference models are absent"))
struct HybridCompressionTests {
  let folder: URL
  let source: Checkpoint
  let pool: ThreadPool
  let sequences: [[Int32]] = (0..<8).map { (sample: Int) -> [Int32] in
    (0..<60).map { (place: Int) -> Int32 in
      let square: Int = place * place * 7
      return Int32((square + sample * 31) % 96)
    }
  }

  init() throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    source = try Checkpoint(directory: hybrid)
    pool = try ThreadPool(workers: 2)
  }

  func compress(
    _ method: QuantizerSettings.Method, bits: Int
  ) throws -> (record: CompressionRecord, result: Checkpoint) {
    var settings = QuantizerSettings()
    (settings.method, settings.bits, settings.groupSize) = (method, bits, 32)
    let plan = CompressionPlan(settings)
    let target = folder.appendingPathComponent("\(method)-\(bits)")
    let writer = try CheckpointWriter(
      target: target, source: source, layout: CheckpointLayout(container: .zstd))
    let store = try BlockStore(
      folder.appendingPathComponent("\(method)-\(bits).blocks"), source: source,
      identity: .init(source: "s", quantizer: "\(plan)", calibration: "c"))
    var record = CompressionRecord(
      plan: plan, source: "hybrid", sourceDigest: "s", calibration: nil)
    try Compressor(source, plan: plan, scaleType: writer.scaleType, pool: pool).run(
      sequences: sequences, store: store, writer: writer, record: &record
    ) { _, _, _ in true }
    try writer.finish(record: record)
    store.remove()
    return (record, try Checkpoint(directory: target))
  }

  /// Logits of every position, `[tokens, vocabulary]`.
  func logits(_ checkpoint: Checkpoint) throws -> [Float] {
    let pass = ForwardPass(try Decoder(checkpoint), pool: pool)
    var caches = [try pass.makeCache(meter: KVMeter())]
    var found: [Float] = []
    try pass.run([TokenRun(cache: 0, tokens: sequences[0])], caches: &caches, rows: .all) {
      _, _, row in found += row
    }
    return found
  }

  @Test(arguments: [8, 4])
  func gptqErrsLessThanRoundingInEveryLayer(bits: Int) throws {
    let (gptq, quantized) = try compress(.gptq, bits: bits)
    let rtn = try compress(.rtn, bits: bits).record
    // Two layers of qkv, z and out, one of q, k, v and o, three of gate, up and down.
    try #require(gptq.layers.count == 19 && rtn.layers.map(\.name) == gptq.layers.map(\.name))
    #expect(
      !gptq.layers.contains { $0.name.contains("in_proj_a") || $0.name.contains("in_proj_b") })
    for (layer, rounded) in zip(gptq.layers, rtn.layers) {
      let error = try #require(layer.report.layerError)
      #expect(try error < #require(rounded.report.layerError), "\(layer.name)")
    }
    let (expected, found) = (try logits(source), try logits(quantized))
    let error = zip(expected, found).reduce(0.0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) }
    let size = expected.reduce(0.0) { $0 + Double($1 * $1) }
    #expect((error / size).squareRoot() < (bits == 8 ? 0.05 : 0.7))
  }
}
