import DecoderModels
import Foundation
import MemoryPlanner
import ModelLoader
import NanoModels
import Quantizers
import Tensors
import Testing

@testable import Compression

/// Named schemes of weights and activations, from a shipped model to files and back.
@Suite(.enabled(if: NanoModels.directory(of: "nano-0.15m") != nil, "the nano models are absent"))
struct PresetTests {
  let folder: URL
  let source: Checkpoint
  let pool: ThreadPool
  let sequences: [[Int32]] = (0..<4).map { sample in
    (0..<40).map { Int32(($0 * 37 + sample * 101) % 700) }
  }

  init() throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    source = try Checkpoint(directory: #require(NanoModels.directory(of: "nano-0.15m")))
    pool = try ThreadPool(workers: 2)
  }

  func compress(
    to name: String, _ plan: CompressionPlan, _ container: CheckpointLayout.Container
  ) throws -> (record: CompressionRecord, result: Checkpoint) {
    let target = folder.appendingPathComponent(name)
    let writer = try CheckpointWriter(
      target: target, source: source,
      layout: CheckpointLayout(container: container, method: plan.storage))
    let store = try BlockStore(
      folder.appendingPathComponent(name + ".blocks"), source: source,
      identity: .init(source: "s", quantizer: "\(plan)", calibration: "c"), storage: plan.storage)
    var record = CompressionRecord(
      plan: plan, source: "nano-0.15m", sourceDigest: "s", calibration: nil)
    let compressor = try Compressor(
      source, plan: plan, scaleType: writer.scaleType, pool: pool)
    try compressor.check(writer)
    try compressor.run(sequences: sequences, store: store, writer: writer, record: &record) {
      _, _, _ in true
    }
    try writer.finish(record: record)
    store.remove()
    return (record, try Checkpoint(directory: target))
  }

  @Test(arguments: [WeightScheme.w8a8Integer, .w8a8Float], [true, false])
  func aSchemeIsWrittenAndReadAgain(preset: WeightScheme, isPlain: Bool) throws {
    let plan = CompressionPlan(preset.settings(from: QuantizerSettings()))
    let (record, result) = try compress(to: "out", plan, isPlain ? .safetensors : .zstd)
    let expected: TokenRounding = preset == .w8a8Integer ? .int8 : .float8
    #expect(try result.quantization()?.method == plan.storage)
    #expect(try result.quantization()?.schemes.map(\.activations) == [expected])
    #expect(record.layers.count == 14)
    let most = preset == .w8a8Integer ? 3e-4 : 1e-3
    for layer in record.layers {
      #expect(layer.report.weightError < most, "\(layer.name)")
      let info = try source.denseLinear(named: layer.name)
      let shape = try #require(info).shape
      let dense = try source.weights(named: layer.name, shape: shape)
      let read = try result.weights(named: layer.name, shape: shape)
      #expect(read.activations(for: .int16) != read.activations(for: .exact))
      let (found, original) = (read.dequantized(), dense.dequantized())
      let error = zip(found, original).reduce(0.0) { $0 + pow(Double($1.0 - $1.1), 2) }
      let size = original.reduce(0.0) { $0 + Double($1 * $1) }
      #expect(abs(error / size - layer.report.weightError) < 1e-3 * layer.report.weightError)
    }
  }

  /// Layers of other forms have no place beside them.
  @Test func mixturesAreRefusedBeforeTheWork() throws {
    let rules = #"{"rules": [{"layers": "down_proj$", "scheme": "w4a16"}]}"#
    let plan = try CompressionPlan(
      WeightScheme.w8a8Integer.settings(from: QuantizerSettings()),
      rulesFile: Array(rules.utf8), file: "rules.json")
    #expect(throws: CheckpointError.self) { try compress(to: "mixed", plan, .safetensors) }
    let kept = #"{"rules": [{"layers": "down_proj$", "keep": true}]}"#
    let some = try CompressionPlan(
      WeightScheme.w8a8Float.settings(from: QuantizerSettings()),
      rulesFile: Array(kept.utf8), file: "rules.json")
    let result = try compress(to: "some", some, .safetensors).result
    #expect(try result.denseLinear(named: "model.layers.0.mlp.down_proj") != nil)
  }

  /// What the memory equations say that weights take, in files and in memory, is what they take.
  @Test(arguments: WeightScheme.allCases) func bytesAreThoseOfTheMemoryEquations(
    scheme: WeightScheme
  ) throws {
    let described = try DecoderSource(source)
    let shape = try described.family.memoryShape(named: "nano-0.15m")
    #expect(shape.isRotatable)
    var base = QuantizerSettings()
    base.outliers = WeightScheme.usualOutliers(width: shape.hiddenSize)
    let (_, result) = try compress(to: "out", CompressionPlan(scheme, from: base), .zstd)
    let precision = WeightPrecision(scheme)
    #expect(StoredWeights(shape, precision).bytes == result.storedBytes)
    let standard = try DecoderSource(result).standardPrecision()
    let decoder = try Decoder(result, headBits: standard.headBits)
    #expect(Accounting.actual.weights(shape, precision) == decoder.weightBytes)
    // The files are a shape of their own, by which a plan for them is made.
    let own = try decoder.family.memoryShape(named: "out")
    #expect(Accounting.actual.weights(own, precision) == decoder.weightBytes)
  }
}
