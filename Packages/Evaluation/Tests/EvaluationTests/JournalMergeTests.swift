import Foundation
import Testing

@testable import Evaluation

struct JournalMergeTests {
  let folder: TemporaryFolder
  let benchmark: Benchmark

  init() throws {
    folder = try TemporaryFolder()
    benchmark = try sums(in: folder)
  }

  func file(_ name: String) -> URL { folder.url.appending(path: name) }

  func compute(_ name: String, _ shard: String = "1/1", engine: String = "adder") throws -> URL {
    let run = try EvaluationRun(
      benchmark: benchmark, scenario: scenario(of: benchmark, engine: ["model": engine]),
      shard: Shard(shard), journal: file(name))
    _ = try run.run(with: Adder(shuffle: 5))
    return run.journal
  }

  @Test func shardsGiveTheBytesOfTheWholeRun() throws {
    let whole = try compute("whole.jsonl")
    let parts = try [3, 1, 2].map { try compute("part\($0).jsonl", "\($0)/3") }
    let summary = try EvaluationRun.merge(parts, into: file("merged.jsonl"))
    #expect(try Data(contentsOf: file("merged.jsonl")) == Data(contentsOf: whole))
    #expect(summary == (try Summary(journal: whole)))
    #expect(try Summary(journal: parts[0]).replies == 13)
    #expect(try Summary(journal: parts[0]).expectedReplies == 13)
  }

  @Test func missingRepeatedForeignAndExistingAreRefused() throws {
    let parts = try [1, 2].map { try compute("part\($0).jsonl", "\($0)/3") }
    let target = file("merged.jsonl")
    #expect(
      throws: EvaluationError.samplesMissing(
        file: parts.map(\.path).joined(separator: " + "), count: 13,
        examples: ["1#0", "2#1", "4#0"])
    ) { try EvaluationRun.merge(parts, into: target) }
    #expect(
      throws: EvaluationError.journalLine(
        file: parts[0].path, line: 2,
        reason: "repeats sample 0 of item 0 of \(parts[0].path)")
    ) { try EvaluationRun.merge([parts[0], parts[0]], into: target) }
    let other = try compute("other.jsonl", "3/3", engine: "subtractor")
    #expect(
      throws: EvaluationError.otherRun(
        file: other.path, differences: ["engine model: subtractor, not adder"])
    ) { try EvaluationRun.merge(parts + [other], into: target) }
    #expect(throws: EvaluationError.self) { try EvaluationRun.merge([], into: target) }
    #expect(!Shared.exists(target))
    #expect(throws: EvaluationError.file(path: parts[0].path, reason: "exists")) {
      try EvaluationRun.merge(parts, into: parts[0])
    }
    let left = try FileManager.default.contentsOfDirectory(atPath: folder.url.path)
    #expect(!left.contains { $0.hasSuffix(".partial") })
  }
}
