import Foundation
import Testing

@testable import Evaluation

struct RegradeTests {
  @Test func storedTextsAreGradedByTheNewRules() throws {
    let folder = try TemporaryFolder()
    let benchmark = try sums(in: folder)
    let journal = folder.url.appending(path: "run.jsonl")
    let run = try EvaluationRun(
      benchmark: benchmark, scenario: scenario(of: benchmark), journal: journal)
    let (summary, _) = try run.run(with: Adder())
    let original = try Data(contentsOf: journal)

    let same = folder.url.appending(path: "same.jsonl")
    _ = try EvaluationRun.regrade(journal, with: benchmark.definition, into: same)
    #expect(try Data(contentsOf: same) == original)

    let yaml = sumsYAML.replacing("version: 1", with: "version: 2")
      .replacing("{rule: integer}", with: "{rule: integer, to: 10}")
    let stricter = try BenchmarkDefinition(yaml: yaml, file: "sums.yaml")
    let other = folder.url.appending(path: "other.jsonl")
    let (before, after) = try EvaluationRun.regrade(journal, with: stricter, into: other)
    #expect(before == summary)
    #expect(after.correct < before.correct)
    #expect(after.flags.unparsed > 0)
    #expect(after.scenario.version == 2)
    #expect(after.fingerprint != before.fingerprint)
    #expect(try Data(contentsOf: journal) == original)
  }

  @Test func anotherBenchmarkIsRefusedAndAMissingJournalNotCreated() throws {
    let folder = try TemporaryFolder()
    let benchmark = try sums(in: folder)
    let journal = folder.url.appending(path: "run.jsonl")
    #expect(throws: EvaluationError.self) {
      try EvaluationRun.regrade(journal, with: benchmark.definition, into: journal)
    }
    #expect(!Shared.exists(journal))
    let run = try EvaluationRun(
      benchmark: benchmark, scenario: scenario(of: benchmark), journal: journal)
    _ = try run.run(with: Adder())
    var other = benchmark.definition
    other.name = "products"
    #expect(
      throws: EvaluationError.notComparable(
        reason: "\(journal.path) is a run of sums, not products")
    ) { try EvaluationRun.regrade(journal, with: other, into: journal) }
  }
}
