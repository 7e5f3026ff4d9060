import Foundation
import Testing

@testable import Evaluation

struct RunComparisonTests {
  let runs: ScriptedRuns

  init() throws { runs = try ScriptedRuns() }

  @Test func runsAreComparedItemByItem() throws {
    // The second run solves items 0 to 9 once more, and item 19 no more.
    let first = try runs.journal("a.jsonl") { request in
      ("\\boxed{\(request.index >= 10 ? request.index + 1 : 0)}", .stop)
    }
    let second = try runs.journal("b.jsonl", engine: "other") { request in
      let isRight = request.index < 10 ? request.sample == 0 : request.index < 19
      return ("\\boxed{\(isRight ? request.index + 1 : 0)}", .stop)
    }
    let comparison = try RunComparison(first: first, second: second)
    #expect(comparison.better == 10)
    #expect(comparison.worse == 1)
    #expect(abs(comparison.difference.value - 0.2) < 1e-12)
    // Differences: ten times 1/2, nine times 0, once -1.
    let variance = (10 * 0.09 + 9 * 0.04 + 1.44) / 19 / 20
    #expect(abs((comparison.difference.standardError ?? 0) - variance.squareRoot()) < 1e-12)
    #expect(comparison.settings == ["engine model: other, not adder"])
    #expect(try RunComparison(first: first, second: first).difference.standardError == 0)
  }

  @Test func runsOnOtherDataAreNotCompared() throws {
    let first = try runs.journal("a.jsonl") { _ in ("", .stop) }
    _ = try runs.folder.file("sums.jsonl", #"{"id": "z", "question": "0 + 0 =", "answer": 0}"#)
    let other = try Benchmark(
      runs.benchmark.definition, in: DataFolders(folders: [runs.folder.url]))
    let run = try EvaluationRun(
      benchmark: other, scenario: scenario(of: other),
      journal: runs.folder.url.appending(path: "c.jsonl"))
    _ = try run.run(with: Adder())
    #expect(throws: EvaluationError.self) {
      try RunComparison(first: first, second: run.journal)
    }
  }
}
