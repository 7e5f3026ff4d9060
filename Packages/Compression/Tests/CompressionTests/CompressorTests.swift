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

  struct Stopped: Error {}

  /// Compresses to `name`, stopping before block `stop`.
  func compress(
    to name: String, _ quantizer: any WeightQuantizer, stopBefore stop: Int? = nil
  ) throws -> (record: CompressionRecord, result: URL) {
    let target = folder.appendingPathComponent(name)
    let writer = try CheckpointWriter(
      target: target, source: source, layout: CheckpointLayout(container: .zstd))
    let store = try BlockStore(
      folder.appendingPathComponent(name + ".blocks"), source: source,
      identity: .init(
        source: "s", quantizer: "\(quantizer)",
        calibration: CalibrationText.digest(of: sequences)))
    var record = CompressionRecord(
      method: "test", scheme: quantizer.scheme, source: "nano-0.5m", sourceDigest: "s",
      calibration: nil)
    try Compressor(source, quantizer: quantizer, pool: pool).run(
      sequences: sequences, store: store, writer: writer, record: &record
    ) { block, _ in if block == stop { throw Stopped() } }
    try writer.finish(record: record)
    store.remove()
    return (record, target)
  }

  @Test func gptqErrsLessThanRounding() throws {
    let scheme = try QuantizationScheme(bits: 4, groupSize: 128, scaleType: .bf16)
    let gptq = try compress(to: "gptq", GPTQ(scheme: scheme)).record
    let rtn = try compress(to: "rtn", RoundToNearest(scheme: scheme)).record
    #expect(gptq.layers.count == 21 && rtn.layers.map(\.name) == gptq.layers.map(\.name))
    #expect(gptq.meanError < rtn.meanError)
  }

  @Test func aStoppedRunGoesOnToTheSameBytes() throws {
    let quantizer = try GPTQ(
      scheme: QuantizationScheme(bits: 4, groupSize: 128, scaleType: .bf16))
    let whole = try compress(to: "whole", quantizer).result
    for stop in [1, 2] {
      #expect(throws: Stopped.self) {
        try compress(to: "stopped", quantizer, stopBefore: stop)
      }
      let target = folder.appendingPathComponent("stopped")
      #expect(!FileManager.default.fileExists(atPath: target.path))
    }
    let resumed = try compress(to: "stopped", quantizer).result
    let files = try FileManager.default.contentsOfDirectory(atPath: whole.path).sorted()
    #expect(try FileManager.default.contentsOfDirectory(atPath: resumed.path).sorted() == files)
    for file in files {
      let pair = try [whole, resumed].map { try Data(contentsOf: $0.appendingPathComponent(file)) }
      #expect(pair[0] == pair[1], "\(file)")
    }
  }

  @Test func blocksOfAnotherRunAreRefused() throws {
    let four = RoundToNearest(scheme: try QuantizationScheme(bits: 4, scaleType: .bf16))
    #expect(throws: Stopped.self) { try compress(to: "x", four, stopBefore: 2) }
    let eight = RoundToNearest(scheme: try QuantizationScheme(bits: 8, scaleType: .bf16))
    #expect {
      try compress(to: "x", eight)
    } throws: { "\($0)".contains("method or settings") }
  }

  @Test func quantizedModelsAreNotQuantizedAgain() throws {
    let quantizer = RoundToNearest(scheme: try QuantizationScheme(bits: 8, scaleType: .bf16))
    let result = try compress(to: "once", quantizer).result
    #expect(throws: CompressionError.alreadyQuantized(directory: result.path)) {
      try Compressor(Checkpoint(directory: result), quantizer: quantizer, pool: pool)
    }
  }
}
