import Foundation
import Testing

/// What `evaluate` does with stored runs: joins their parts, shows, grades again and compares them.
@Suite struct StoredRunTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// A run of eight problems, two replies each.
  private func evaluate(
    _ arguments: [String], environment: [String: String] = [:]
  ) throws -> Outcome {
    try folder.run(
      .evaluate,
      ["--model", Nano.model, "--limit", "8", "--samples", "2", "--max-tokens", "150"] + arguments,
      environment: environment)
  }

  /// A stored run.
  private func journal(_ name: String, _ arguments: [String] = []) throws -> String {
    let outcome = try evaluate(["--journal", folder.path(name)] + arguments)
    try #require(outcome.isSuccess, "\(outcome.errors)")
    return folder.path(name)
  }

  /// Sums over a stored result would overflow, and nothing has fewer than no tokens.
  @Test func figuresThatCannotBeAreRefused() throws {
    _ = try journal("run.jsonl")
    let result = folder.text("run.result.json")
    #expect(try folder.run(.evaluate, ["table", "run.result.json"]).isSuccess)
    for figure in ["9223372036854775807", "-1"] {
      let edited = result.replacing(#/"thought" : \d+/#, with: #""thought" : \#(figure)"#)
      #expect(edited != result)
      try edited.write(toFile: folder.path("edited.result.json"), atomically: true, encoding: .utf8)
      expectRefusal(
        try folder.run(.evaluate, ["table", "edited.result.json"]),
        naming: ["edited.result.json", "figures that cannot be"])
    }
  }

  @Test func mergedPartsAreTheUndividedRun() throws {
    let whole = try Journal(String(contentsOfFile: journal("whole.jsonl"), encoding: .utf8))
    #expect(whole.samples.count == 16)
    let parts = try ["2/3", "1/3", "3/3"].map { shard in
      try journal("part\(shard.prefix(1)).jsonl", ["--shard", shard, "--batch", "3"])
    }
    let missing = try folder.run(
      .evaluate, ["merge", folder.path("merged.jsonl")] + parts.dropLast())
    expectRefusal(missing, naming: ["5 samples have no record", "1#0"])
    #expect(try !folder.names().contains("merged.jsonl"))
    let merged = try folder.run(.evaluate, ["merge", folder.path("merged.jsonl")] + parts)
    #expect(merged.isSuccess)
    #expect(try Journal(folder.text("merged.jsonl")) == whole)
    let again = try folder.run(.evaluate, ["merge", folder.path("merged.jsonl")] + parts)
    expectRefusal(again, naming: ["merged.jsonl", "exists"])
  }

  @Test(arguments: [
    ["SLURM_ARRAY_TASK_ID": "7", "SLURM_ARRAY_TASK_MIN": "5", "SLURM_ARRAY_TASK_COUNT": "4"],
    [
      "SLURM_ARRAY_TASK_ID": "4", "SLURM_ARRAY_TASK_COUNT": "4", "SLURM_ARRAY_TASK_MIN": "0",
      "SLURM_ARRAY_TASK_STEP": "2",
    ],
    ["JOB_COMPLETION_INDEX": "2", "JOB_COMPLETION_COUNT": "4"],
  ])
  func aTaskOfAJobArrayComputesItsPart(environment: [String: String]) throws {
    for _ in 1...2 {
      let outcome = try evaluate([], environment: environment)
      #expect(outcome.isSuccess)
      #expect(outcome.errors.contains("part 3/4"))
    }
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path("runs"))
    #expect(names.filter { $0.hasSuffix("-3of4.jsonl") }.count == 1)
    #expect(names.count == 2)
  }

  @Test(arguments: [
    ["JOB_COMPLETION_INDEX": "2"],
    ["JOB_COMPLETION_INDEX": "4", "JOB_COMPLETION_COUNT": "4"],
    ["SLURM_ARRAY_TASK_ID": "one", "SLURM_ARRAY_TASK_COUNT": "4"],
    [
      "SLURM_ARRAY_TASK_ID": "-9223372036854775808", "SLURM_ARRAY_TASK_COUNT": "4",
      "SLURM_ARRAY_TASK_MIN": "1",
    ],
  ])
  func aPlaceThatIsNoPartIsRefused(environment: [String: String]) throws {
    let outcome = try evaluate([], environment: environment)
    expectRefusal(outcome, code: 2, naming: ["--shard i/n"])
  }

  /// A finished run is printed; the model, for which the memory would not do, is not loaded.
  @Test func aFinishedRunIsPrintedWithoutTheModel() throws {
    let run = try journal("run.jsonl")
    let text = folder.text("run.jsonl")
    let again = try evaluate(["--journal", run, "--memory", "2MiB"])
    #expect(again.isSuccess, "\(again.errors)")
    #expect(again.output.contains("accuracy"))
    #expect(folder.text("run.jsonl") == text)
    expectRefusal(
      try evaluate(["--journal", run, "--memory", "2MiB", "--seed", "5"]), naming: ["seed"])
    expectRefusal(
      try evaluate(["--journal", folder.path("new.jsonl"), "--memory", "2MiB"]),
      naming: ["--memory 2.00 MiB"])
  }

  /// Together a thought is generated once; the journals are those of separate runs.
  @Test func severalBudgetsAreSeparateRuns() throws {
    let together = try evaluate(
      ["--think-budgets", "16,64,32", "--force", "--journal", folder.path("run.jsonl")])
    try #require(together.isSuccess, "\(together.errors)")
    for budget in ["16", "32", "64"] {
      let alone = try String(
        contentsOfFile: journal("alone.jsonl", ["--think-budget", budget, "--force"]),
        encoding: .utf8)
      #expect(try Journal(folder.text("run-\(budget).jsonl")) == Journal(alone))
      try FileManager.default.removeItem(atPath: folder.path("alone.jsonl"))
    }
    for flags in [["--think-budgets", "8,8"], ["--think-budgets", "8", "--think-budget", "8"]] {
      expectRefusal(try evaluate(flags), code: 2, naming: ["--think-budget"])
    }
  }

  @Test func repliesAreShownWithTheirGrades() throws {
    let run = try journal("run.jsonl")
    let all = try folder.run(.evaluate, ["show", run])
    let heads = all.output.split(separator: "\n").filter { $0.hasPrefix("== ") }
    #expect(heads.count == 16)
    #expect(heads.contains { $0.contains(": right, ") && $0.contains("(by box)") })
    let wrong = try folder.run(.evaluate, ["show", run, "--wrong"])
    #expect(!wrong.output.contains(": right, "))
    let first = try folder.run(
      .evaluate, ["show", run, "--item", "nano-math-0001", "--limit", "1"])
    #expect(first.output.hasPrefix("== nano-math-0001, sample 0: "))
    #expect(first.output.components(separatedBy: "== nano").count == 2)
  }

  @Test func gradingAgainChangesNothingButTheGrades() throws {
    let run = try journal("run.jsonl")
    let definition = folder.url.appendingPathComponent("strict.yaml")
    try Data(strict.utf8).write(to: definition)
    let strictly = try folder.run(
      .evaluate,
      [
        "regrade", run, "--output", folder.path("strict.jsonl"), "--bench", definition.path,
        "--format", "table",
      ])
    try #require(strictly.isSuccess, "\(strictly.errors)")
    let correct = strictly.output.split(separator: "\n").first { $0.hasPrefix("correct ") }
    #expect(correct?.split(separator: " ").last == "0")
    let back = try folder.run(
      .evaluate, ["regrade", folder.path("strict.jsonl"), "--output", folder.path("back.jsonl")])
    #expect(back.isSuccess)
    #expect(folder.text("back.jsonl") == folder.text("run.jsonl"))
    let onto = try folder.run(.evaluate, ["regrade", run, "--output", run])
    expectRefusal(onto, naming: ["exists"])
  }

  /// nano-math, but answers behind `####`, which the model never writes.
  private let strict = """
    name: nano-math
    title: Strict
    version: 2
    size: 400
    fetch: none
    data:
      - files: [nano-math.jsonl]
        fields: {id: id, question: question, answer: answer}
    prompt: "{question}"
    extraction: [hash-mark]
    grading: {rule: integer}
    samples: 1
    limits: {tokens: 480}
    """

  @Test func runsAreComparedProblemByProblem() throws {
    let one = try journal("one.jsonl")
    let same = try folder.run(.evaluate, ["compare", one, one])
    #expect(same.output.contains("better on 0 of 8 problems, worse on 0"))
    let greedy = try journal("greedy.jsonl", ["--greedy"])
    let differs = try folder.run(.evaluate, ["compare", one, greedy])
    #expect(differs.output.contains("temperature: 0.0, not 0.6"))
    let short = try journal("short.jsonl", ["--limit", "3"])
    expectRefusal(
      try folder.run(.evaluate, ["compare", one, short]), naming: ["8 items", "to 3"])
  }
}
