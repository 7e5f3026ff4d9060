import Foundation
import Testing

@testable import Evaluation

struct SummaryTests {
  let folder: TemporaryFolder
  let benchmark: Benchmark

  init() throws {
    folder = try TemporaryFolder()
    benchmark = try sums(in: folder)
  }

  /// Replies chosen by item and sample.
  struct Scripted: Responder {
    let reply: (SampleRequest) -> (answer: String, finish: FinishReason)
    func respond(
      to requests: [SampleRequest], each: (SampleRequest, SampleResponse) throws -> Void
    ) throws {
      for request in requests {
        var response = Adder.reply(to: request)
        (response.answer, response.finish) = reply(request)
        try each(request, response)
      }
    }
  }

  func journal(
    _ name: String, engine: String = "adder",
    reply: @escaping (SampleRequest) -> (answer: String, finish: FinishReason)
  ) throws -> URL {
    let run = try EvaluationRun(
      benchmark: benchmark, scenario: scenario(of: benchmark, engine: ["model": engine]),
      journal: folder.url.appending(path: name))
    _ = try run.run(with: Scripted(reply: reply))
    return run.journal
  }

  @Test func badEndingsAreCountedAndWarnedAbout() throws {
    let summary = try Summary(
      journal: journal("a.jsonl") { request in
        switch request.index {
        case 0: ("\\boxed{1", .length)
        case 1: ("no idea", .stop)
        case 2: (" \n", .budget)
        case 3: ("", .failed)
        default: ("\\boxed{\(request.index + 1)}", .stop)
        }
      })
    #expect(
      summary.flags
        == ReplyFlags(truncated: 2, budget: 2, unparsed: 2, unanswered: 2, failed: 2))
    #expect(summary.steps == ["box": 32, "open-box": 2, "none": 6])
    #expect(summary.accuracy?.value == 0.85)
    #expect(summary.warnings.count == 4)
    #expect(summary.warnings.first?.hasPrefix("2 of 40 replies (5.0 %) were cut off") == true)
    #expect(summary.groups.map(\.size) == [1, 2])
    #expect(summary.groups.first?.pass == summary.accuracy)
  }

  @Test func runsAreComparedItemByItem() throws {
    // The second run solves items 0 to 9 once more, and item 19 no more.
    let first = try journal("a.jsonl") { request in
      ("\\boxed{\(request.index >= 10 ? request.index + 1 : 0)}", .stop)
    }
    let second = try journal("b.jsonl", engine: "other") { request in
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
    let first = try journal("a.jsonl") { _ in ("", .stop) }
    _ = try folder.file("sums.jsonl", #"{"id": "z", "question": "0 + 0 =", "answer": 0}"#)
    let other = try Benchmark(
      benchmark.definition, in: DataFolders(folders: [folder.url]))
    let run = try EvaluationRun(
      benchmark: other, scenario: scenario(of: other),
      journal: folder.url.appending(path: "c.jsonl"))
    _ = try run.run(with: Adder())
    #expect(throws: EvaluationError.self) {
      try RunComparison(first: first, second: run.journal)
    }
  }

  @Test func everyFormatHasTheSameFields() throws {
    let first = try Summary(journal: journal("a.jsonl") { _ in ("\\boxed{3}", .stop) })
    let second = try Summary(
      journal: journal("b.jsonl", engine: "a, \"b\" | c") { _ in ("\\boxed{4}", .stop) })
    let table = SummaryTable([("one", first), ("two", second)])
    let objects = try JSONDecoder().decode([JSONValue].self, from: Data(table.text(.json).utf8))
    #expect(objects.count == 2)
    #expect(objects[0][["accuracy"]] == .number(0.05))
    #expect(objects[1][["engine model"]] == .string("a, \"b\" | c"))
    #expect(objects[0][["peak_bytes"]] == .null)
    let records = try CSVParser.records(of: table.text(.csv), file: "csv").map(\.fields)
    #expect(records.map(\.count) == Array(repeating: table.fields.count, count: 3))
    #expect(records[0] == table.fields)
    #expect(records[2].contains("a, \"b\" | c"))
    let lines = table.text(.table).split(separator: "\n")
    #expect(lines.count == table.fields.count)
    #expect(Set(lines.map(\.count)).count == 1)
    #expect(lines.contains { $0.hasPrefix("maj@2_se") && $0.contains("0.0500") })
    let markdown = table.text(.markdown).split(separator: "\n")
    #expect(markdown.count == table.fields.count + 1)
    #expect(markdown[1] == "| --- | --- | --- |")
    #expect(markdown.contains { $0.contains("a, \"b\" \\| c") })
  }

  @Test func settingsAreChecked() throws {
    let limits = benchmark.definition.limits
    for (limit, samples) in [(0, 1), (-1, 1), (5, 0), (5, 1001)] {
      #expect(throws: EvaluationError.self) {
        try Scenario(
          benchmark, limit: limit, samples: samples, seed: 1, sampling: Sampling(), limits: limits,
          engine: [:])
      }
    }
    #expect(throws: EvaluationError.self) { try Sampling(temperature: .nan) }
    #expect(throws: EvaluationError.self) { try Sampling(topP: 1.5) }
    #expect(throws: EvaluationError.self) { try Sampling(topK: 0) }
    #expect(throws: EvaluationError.self) { try Sampling(minP: 1) }
    #expect(throws: EvaluationError.self) { try TokenLimits(tokens: 0) }
    let few = try Scenario(
      benchmark, limit: 5, seed: 1, sampling: Sampling(), limits: limits, engine: [:])
    #expect(few.items == 5)
    #expect(few.fingerprint != (try scenario(of: benchmark)).fingerprint)
  }
}
