import DecoderModels
import Foundation
import ModelLoader
import NanoModels
import Tensors
import Testing
import TextGeneration

@testable import Compression

/// Text that a model writes for its own calibration.
@Suite struct SelfCalibrationTests {
  private let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  @Test(arguments: [
    ("64x512", 64 * 512), ("1x1", 1), ("0x5", nil), ("64", nil), ("64x", nil), ("x", nil),
    ("64x512x2", nil), ("-1x4", nil), ("99999999999999999999x1", nil),
  ]) func amounts(text: String, total: Int?) {
    #expect(SelfCalibration.Amount(parsing: text)?.total == total)
  }

  private func calibration(_ amount: String, seed: UInt64 = 0) throws -> SelfCalibration {
    try SelfCalibration(
      #require(.init(parsing: amount)), model: "digest", start: 0, stopTokens: [2],
      sampling: SamplingOptions(temperature: 0.6), seed: seed
    ) { text in text.utf8.prefix(8).map { Int32($0) } }
  }

  private func writer(concurrency: Int) throws -> SelfCalibration.Writer {
    let checkpoint = try Checkpoint(
      directory: #require(NanoModels.directory(of: "nano-0.15m")), workers: 1)
    let pass = ForwardPass(try Decoder(checkpoint), pool: try ThreadPool(workers: 1))
    return SelfCalibration.Writer(BatchGenerator(pass), concurrency: concurrency)
  }

  private func sequences(
    _ calibration: SelfCalibration, in file: URL, concurrency: Int = 4, stopAfter: Int = .max
  ) throws -> [[Int32]] {
    if let kept = try calibration.sequences(keptIn: file) { return kept }
    return try calibration.sequences(
      keptIn: file, writer: writer(concurrency: concurrency), text: { "\($0.count)" }
    ) { done, _ in done < stopAfter }
  }

  @Test func aStoppedRunGoesOnWithTheSameTexts() throws {
    let calibration = try calibration("12x24")
    let (whole, stopped) = (
      folder.appendingPathComponent("whole"), folder.appendingPathComponent("stopped")
    )
    let expected = try sequences(calibration, in: whole)
    #expect(expected.reduce(0) { $0 + $1.count } >= 12 * 24)
    #expect(expected.allSatisfy { $0.count <= 24 })
    #expect(throws: CompressionError.stopped) {
      _ = try sequences(calibration, in: stopped, concurrency: 2, stopAfter: 120)
    }
    let kept = try Data(contentsOf: stopped)
    #expect(!kept.isEmpty)
    // As kill -9 may leave it.
    try (kept + Data("{\"index\":".utf8)).write(to: stopped)
    #expect(try sequences(calibration, in: stopped, concurrency: 3) == expected)
    #expect(try Data(contentsOf: stopped).prefix(kept.count) == kept)
  }

  @Test func fewerTextsAreTheFirstOfMore() throws {
    let file = folder.appendingPathComponent("texts")
    let many = try sequences(calibration("8x24"), in: file)
    let few = try sequences(calibration("4x24"), in: file)
    #expect(few == Array(many.prefix(few.count)))
    #expect(few.count < many.count)
  }

  @Test func anotherModelsTextsAreRefused() throws {
    let file = folder.appendingPathComponent("texts")
    _ = try sequences(calibration("1x24"), in: file)
    #expect(throws: CompressionError.self) {
      _ = try sequences(calibration("1x24", seed: 1), in: file)
    }
  }

  @Test func tooLittleTextIsSaid() {
    let varied = (0..<4096).map { Int32($0 % 300) }
    #expect(CalibrationConcerns.of([varied], inputs: 1024).isEmpty)
    #expect(CalibrationConcerns.of([varied], inputs: 9728).count == 1)
    #expect(CalibrationConcerns.of([Array(varied.prefix(2047))], inputs: 64).count == 1)
    let same = [Int32](repeating: 7, count: 4096)
    #expect(CalibrationConcerns.of([same], inputs: 64).first?.contains("token 7") == true)
    #expect(CalibrationConcerns.of([[]], inputs: 64).count == 2)
  }

  @Test func promptsOfAllKinds() {
    for kind in CalibrationPrompts.Kind.allCases where kind != .start {
      #expect(Set(CalibrationPrompts.prompts(of: kind)).count == 12)
    }
  }
}
