import Foundation
import Testing

@testable import Evaluation

struct BudgetSweepTests {
  let folder: TemporaryFolder
  let benchmark: Benchmark

  init() throws {
    folder = try TemporaryFolder()
    benchmark = try sums(in: folder)
  }

  /// Adds; the longer it thinks the oftener it is right. Hands the replies of all budgets over.
  struct Thinker: Responder {
    var stopAfter = Int.max
    /// Whether smaller budgets are answered.
    var branches = true
    /// Told every request.
    var asked: (SampleRequest) -> Void = { _ in }

    func respond(
      to requests: [SampleRequest], each: (SampleRequest, SampleResponse) throws -> Void
    ) throws {
      var count = 0
      for request in requests {
        asked(request)
        for budget in (branches ? request.budgets : []) + [request.limits.thinking ?? 0] {
          if count == stopAfter { throw Adder.Stopped() }
          count += 1
          let isLongest = budget == request.limits.thinking
          let short = isLongest ? request : request.shortened(to: budget)
          var response = Adder.reply(to: short)
          response.thoughtTokens = budget
          if request.seed % 9 > budget { response.answer = "" }
          try each(short, response)
        }
      }
    }
  }

  func run(_ budget: Int, _ name: String? = nil, shard: Shard = .whole) throws -> EvaluationRun {
    let scenario = try Scenario(
      benchmark, samples: 3, seed: 7, sampling: Sampling(temperature: 0.6),
      limits: TokenLimits(tokens: 99, thinking: budget), engine: ["model": "thinker"])
    return try EvaluationRun(
      benchmark: benchmark, scenario: scenario, shard: shard,
      journal: folder.url.appending(path: name ?? "sweep-\(budget).jsonl"))
  }

  func bytes(_ name: String) throws -> Data {
    try Data(contentsOf: folder.url.appending(path: name))
  }

  @Test func everyRunIsTheOneItWouldBeAlone() throws {
    let budgets = [8, 2, 5]
    var requests: [SampleRequest] = []
    let results = try BudgetSweep(budgets.map { try run($0) }).run(
      with: Thinker { requests.append($0) })
    #expect(requests.count == 60)
    #expect(requests.allSatisfy { $0.limits.thinking == 8 && $0.budgets == [2, 5] })
    for (budget, result) in zip(budgets, results) {
      let (alone, _) = try run(budget, "alone-\(budget).jsonl").run(with: Thinker())
      #expect(try bytes("sweep-\(budget).jsonl") == bytes("alone-\(budget).jsonl"))
      #expect(result.summary == alone)
    }
    let accuracies = try [2, 5, 8].map { try run($0).journal }.map {
      try Summary(journal: $0).accuracy?.value ?? 0
    }
    #expect(accuracies == accuracies.sorted() && Set(accuracies).count == 3)
  }

  @Test func aStoppedSweepGoesOnWithWhatItLacks() throws {
    let runs = try [2, 5, 8].map { try run($0) }
    #expect(throws: Adder.Stopped.self) {
      try BudgetSweep(runs).run(with: Thinker(stopAfter: 31))
    }
    _ = try run(5).run(with: Thinker())
    var (requests, last): ([SampleRequest], RunProgress?) = ([], nil)
    _ = try BudgetSweep(runs).run(with: Thinker { requests.append($0) }, progress: { last = $0 })
    #expect(requests.count == 50)
    #expect(requests.contains { $0.budgets == [2] } && requests.contains { $0.budgets.isEmpty })
    #expect(last?.done == 180 && last?.total == 180 && last?.fresh == 180 - 60 - 21)
    for budget in [2, 5, 8] {
      _ = try run(budget, "alone.jsonl").run(with: Thinker())
      #expect(try bytes("sweep-\(budget).jsonl") == bytes("alone.jsonl"))
      try FileManager.default.removeItem(at: folder.url.appending(path: "alone.jsonl"))
    }
  }

  @Test func aResponderThatForgetsBudgetsIsNoticed() throws {
    let sweep = try BudgetSweep([run(2), run(8)])
    #expect(
      throws: EvaluationError.samplesMissing(
        file: try run(2).journal.path, count: 60, examples: ["s0#0", "s0#1", "s0#2"])
    ) { try sweep.run(with: Thinker(branches: false)) }
  }

  @Test func runsThatDifferInMoreAreRefused() throws {
    #expect(throws: EvaluationError.self) { try BudgetSweep([]) }
    #expect(throws: EvaluationError.self) { try BudgetSweep([run(2), run(2, "other.jsonl")]) }
    #expect(throws: EvaluationError.self) { try BudgetSweep([run(2), run(5, "sweep-2.jsonl")]) }
    #expect(throws: EvaluationError.self) {
      try BudgetSweep([run(2), run(5, shard: Shard("1/2"))])
    }
    let other = try Scenario(
      benchmark, samples: 2, seed: 7, sampling: Sampling(temperature: 0.6),
      limits: TokenLimits(tokens: 99, thinking: 3), engine: ["model": "thinker"])
    let fewer = try EvaluationRun(
      benchmark: benchmark, scenario: other, journal: folder.url.appending(path: "fewer.jsonl"))
    #expect(throws: EvaluationError.self) { try BudgetSweep([run(2), fewer]) }
  }

  @Test func aFinishedSweepNeedsNobodyToAnswer() throws {
    let sweep = try BudgetSweep([run(2), run(5)])
    #expect(try sweep.finished() == nil)
    let results = try sweep.run(with: Thinker())
    #expect(try sweep.finished()?.map(\.summary) == results.map(\.summary))
    #expect(try BudgetSweep([run(2), run(8)]).finished() == nil)
    let whole = try bytes("sweep-5.jsonl")
    let file = folder.url.appending(path: "sweep-5.jsonl")
    var lines = whole.split(separator: 10)
    for damaged in [whole.dropLast(1), whole.dropLast(9), whole + Data("{\"item\":".utf8)] {
      try Data(damaged).write(to: file)
      #expect(try sweep.finished() == nil)
    }
    lines.swapAt(1, 2)
    try Data(lines.joined(separator: [10]) + [10]).write(to: file)
    #expect(try sweep.finished() == nil)
    try bytes("sweep-2.jsonl").write(to: file)
    #expect(throws: EvaluationError.self) { try sweep.finished() }
    #expect(throws: EvaluationError.self) {
      try BudgetSweep([run(5), run(2)]).run(with: Thinker())
    }
  }
}
