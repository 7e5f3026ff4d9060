import Foundation
import ModelLoader
import NanoModels
import Quantizers
import Tensors
import Testing

@testable import Compression

/// Compression of a shipped model, end to end.
@Suite(.enabled(if: NanoModels.directory(of: "nano-0.5m") != nil, "the nano models are absent"))
struct CompressorTests {
  let folder: URL
  let source: Checkpoint
  let pool: ThreadPool
  /// A few sequences of ids that the model knows.
  let sequences: [[Int32]] = (0..<6).map { sample in
    (0..<40).map { Int32(($0 * 37 + sample * 101) % 700) }
  }

  init() throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let model = try #require(NanoModels.directory(of: "nano-0.5m"))
    source = try Checkpoint(directory: model)
    pool = try ThreadPool(workers: 2)
  }

  func plan(
    _ method: QuantizerSettings.Method, _ bits: Int, _ groupSize: Int? = 128
  ) -> CompressionPlan {
    var settings = QuantizerSettings()
    settings.method = method
    settings.bits = bits
    settings.groupSize = groupSize
    return CompressionPlan(settings)
  }

  /// Compresses to `name`, stopping before block `stop`.
  func compress(
    to name: String, _ plan: CompressionPlan, stopBefore stop: Int? = nil,
    from given: Checkpoint? = nil
  ) throws -> (record: CompressionRecord, result: URL) {
    let source = given ?? self.source
    let target = folder.appendingPathComponent(name)
    let writer = try CheckpointWriter(
      target: target, source: source, layout: CheckpointLayout(container: .zstd))
    let store = try BlockStore(
      folder.appendingPathComponent(name + ".blocks"), source: source,
      identity: .init(
        source: "s", quantizer: "\(plan)",
        calibration: CalibrationText.digest(of: sequences)))
    var record = CompressionRecord(
      plan: plan, source: "nano-0.5m", sourceDigest: "s", calibration: nil)
    try Compressor(source, plan: plan, scaleType: writer.scaleType, pool: pool).run(
      sequences: sequences, store: store, writer: writer, record: &record
    ) { block, _, _ in block != stop }
    try writer.finish(record: record)
    store.remove()
    return (record, target)
  }

  @Test(arguments: [8, 4, 3, 2], [32, 64, 128])
  func gptqErrsLessThanRoundingInEveryLayer(bits: Int, groupSize: Int) throws {
    let gptq = try compress(to: "gptq", plan(.gptq, bits, groupSize)).record
    let rtn = try compress(to: "rtn", plan(.rtn, bits, groupSize)).record
    try #require(gptq.layers.count == 21 && rtn.layers.map(\.name) == gptq.layers.map(\.name))
    for (layer, rounded) in zip(gptq.layers, rtn.layers) {
      let error = try #require(layer.report.layerError)
      #expect(try error < #require(rounded.report.layerError), "\(layer.name)")
    }
    #expect(gptq.meanError < rtn.meanError)
  }

  @Test func aStoppedRunGoesOnToTheSameBytes() throws {
    let rules =
      #"{"rules": [{"layers": "layers\\.1\\.", "keep": true}, {"layers": "down", "bits": 8}]}"#
    let plan = try CompressionPlan(
      QuantizerSettings(), rulesFile: Array(rules.utf8), file: "rules.json")
    let whole = try compress(to: "whole", plan).result
    for stop in [1, 2] {
      #expect(throws: CompressionError.stopped) {
        try compress(to: "stopped", plan, stopBefore: stop)
      }
      let target = folder.appendingPathComponent("stopped")
      #expect(!FileManager.default.fileExists(atPath: target.path))
    }
    let resumed = try compress(to: "stopped", plan).result
    let files = try FileManager.default.contentsOfDirectory(atPath: whole.path).sorted()
    #expect(try FileManager.default.contentsOfDirectory(atPath: resumed.path).sorted() == files)
    for file in files {
      let pair = try [whole, resumed].map { try Data(contentsOf: $0.appendingPathComponent(file)) }
      #expect(pair[0] == pair[1], "\(file)")
    }
  }

  /// What fewer bits of the activations change is far below what the codes cost.
  @Test(arguments: [8, 4]) func calibrationIsComputedAsThePlanSays(bits: Int) throws {
    var errors: [Numerics: Double] = [:]
    for numerics in [Numerics.exact, .int16, .int8] {
      var plan = plan(.gptq, bits)
      plan.numerics = numerics
      let (record, result) = try compress(to: numerics.rawValue, plan)
      errors[numerics] = record.meanError
      let written = try String(
        contentsOf: result.appendingPathComponent("bitbudget.json"), encoding: .utf8)
      #expect(written.contains("\"numerics\" : \"\(numerics.rawValue)\""))
    }
    let exact = try #require(errors[.exact])
    for numerics in [Numerics.int16, .int8] {
      let found = try #require(errors[numerics])
      #expect(found != exact && abs(found / exact - 1) < 0.05, "\(numerics)")
    }
  }

  @Test func aForecastOfTimeCountsTokensAndLeavesNothing() throws {
    let compressor = try Compressor(source, plan: plan(.gptq, 4), scaleType: .bf16, pool: pool)
    let place = folder.appendingPathComponent("blocks")
    #expect(try compressor.secondsForecast(sequences: [40], beside: place) == nil)
    let few = try compressor.secondsForecast(sequences: [40], beside: place, unlessBelow: 0)
    let many = try compressor.secondsForecast(
      sequences: Array(repeating: 40, count: 400), beside: place, unlessBelow: 0)
    #expect(try #require(few) > 0)
    #expect(try #require(many) > #require(few))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    let rounding = try Compressor(source, plan: plan(.rtn, 8), scaleType: .bf16, pool: pool)
    let alone = try rounding.secondsForecast(sequences: [], beside: place, unlessBelow: 0)
    #expect(try #require(alone) > 0)
  }

  /// A run that is stopped before its third block.
  private func stopHalfway(to name: String) {
    #expect(throws: CompressionError.stopped) {
      try compress(to: name, plan(.rtn, 4), stopBefore: 2)
    }
  }

  @Test func blocksOfAnotherRunAreRefused() throws {
    stopHalfway(to: "x")
    #expect {
      try compress(to: "x", plan(.rtn, 8))
    } throws: { "\($0)".contains("method or settings") }
  }

  /// Blocks that do not say which run they are of: whoever was removing them was killed.
  @Test func blocksOfNoRunAreNeverUsed() throws {
    stopHalfway(to: "x")
    let identity = folder.appendingPathComponent("x.blocks/identity.json")
    try FileManager.default.removeItem(at: identity)
    let record = try compress(to: "x", plan(.rtn, 8)).record
    #expect(record.layers.allSatisfy { $0.scheme.bits == 8 })
    // A pipe would be waited for.
    stopHalfway(to: "y")
    let other = folder.appendingPathComponent("y.blocks/identity.json")
    try FileManager.default.removeItem(at: other)
    try #require(mkfifo(other.path, 0o600) == 0)
    #expect {
      try compress(to: "y", plan(.rtn, 4))
    } throws: { "\($0)".contains("no regular file") }
  }

  /// A run that is killed in its last step leaves its blocks aside.
  @Test func blocksThatWerePutAsideAreFoundAgain() throws {
    stopHalfway(to: "x")
    let blocks = folder.appendingPathComponent("x.blocks")
    let aside = folder.appendingPathComponent("x.blocks.done")
    try FileManager.default.moveItem(at: blocks, to: aside)
    #expect(throws: CompressionError.stopped) {
      try compress(to: "x", plan(.rtn, 4), stopBefore: 0)
    }
    let first = blocks.appendingPathComponent("block-0")
    #expect(FileManager.default.fileExists(atPath: first.path))
    #expect(!FileManager.default.fileExists(atPath: aside.path))
    _ = try compress(to: "x", plan(.rtn, 4))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["x"])
  }

  /// A second rounding to as many bits costs less than the first, and 8 bits before 4 hardly count.
  @Test func quantizedModelsAreQuantizedAgain() throws {
    let first = try compress(to: "first", plan(.rtn, 8))
    let source = try Checkpoint(directory: first.result)
    let same = try compress(to: "same", plan(.rtn, 8), from: source)
    #expect(same.record.meanError < first.record.meanError)
    let less = try compress(to: "less", plan(.gptq, 4), from: source)
    let direct = try compress(to: "direct", plan(.gptq, 4))
    #expect(abs(less.record.meanError / direct.record.meanError - 1) < 0.02)
    let (again, once) = (
      try Checkpoint(directory: less.result), try Checkpoint(directory: direct.result)
    )
    #expect(Set(again.tensors.keys) == Set(once.tensors.keys))
    #expect(try again.quantization() == once.quantization())
  }
}
