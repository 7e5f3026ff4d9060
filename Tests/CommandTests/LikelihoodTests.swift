import Foundation
import Testing

/// Benchmarks of which candidates are scored and nothing is generated.
@Suite struct LikelihoodTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    let rows = (0..<9).map {
      #"{"question": "Start with \#($0). Then add 2.", "choices": ["\#($0 + 2)", "nothing", "it is "#
        + #"\#($0)"], "answer": \#($0 % 3), "kind": "k\#($0 % 2)"}"#
    }
    try write("rows.jsonl", rows.joined(separator: "\n"))
    try write(
      "scored.yaml",
      """
      name: scored
      title: Scored
      version: 1
      size: 9
      fetch: Make it.
      data:
        - files: [rows.jsonl]
          fields:
            {question: question, choices: choices, answer: answer, answer-form: index, group: kind}
      form: text
      prompt: "{question}"
      choices: {count: 3, shuffle: item}
      shots: {count: 2, take: random, from-items: true}
      grading: {rule: likelihood, metric: acc_norm}
      """)
    try write(
      "text.yaml",
      """
      name: text
      title: Text
      version: 1
      size: 1
      fetch: Make it.
      data: [{files: [text.txt]}]
      form: text
      prompt: "{question}"
      grading: {rule: perplexity, window: 64}
      """)
    try write(
      "text.txt", String(repeating: "Start with 51. Then add 50. What is it? ", count: 12))
  }

  private func write(_ name: String, _ text: String) throws {
    try text.write(toFile: folder.path(name), atomically: true, encoding: .utf8)
  }

  private func run(_ bench: String, _ journal: String, _ arguments: [String] = []) throws -> Outcome
  {
    try folder.run(
      .evaluate,
      ["--model", Nano.model, "--bench", folder.path(bench), "--journal", folder.path(journal)]
        + arguments)
  }

  @Test func batchesAndShardsChangeNoLikelihood() throws {
    for (name, arguments) in [
      ("one", ["--batch", "1"]), ("all", ["--batch", "9", "--threads", "2"]),
      ("first", ["--shard", "1/2"]), ("second", ["--shard", "2/2"]),
    ] {
      let outcome = try run("scored.yaml", "\(name).jsonl", arguments)
      try #require(outcome.isSuccess, "\(outcome.errors)")
      #expect(outcome.output.contains("acc_norm"))
    }
    let merged = try folder.run(
      .evaluate, ["merge"] + ["whole", "first", "second"].map { folder.path("\($0).jsonl") })
    try #require(merged.isSuccess, "\(merged.errors)")
    let one = try Journal(folder.text("one.jsonl"))
    #expect(one.samples.count == 9)
    #expect(try Journal(folder.text("all.jsonl")) == one)
    #expect(try Journal(folder.text("whole.jsonl")) == one)
  }

  /// Runs of the same items err together; without their journals they are taken not to.
  @Test func recoveryIsPairedWhereJournalsAre() throws {
    let rows = (0..<12).map {
      #"{"sentence": "Tom gave \#($0) pens to Ann because _ had none.", "option1": "Tom", "option2": "Ann", "#
        + #""answer": "\#(1 + $0 % 2)"}"#
    }
    try write("dev.jsonl", rows.joined(separator: "\n"))
    for name in ["a", "b"] {
      let outcome = try folder.run(
        .evaluate,
        [
          "--model", Nano.model, "--bench", "winogrande-5shot", "--shots", "0", "--data",
          folder.path("."),
          "--journal", folder.path("\(name).jsonl"),
        ])
      try #require(outcome.isSuccess, "\(outcome.errors)")
    }
    func table() throws -> String {
      let outcome = try folder.run(
        .evaluate,
        ["leaderboard", "leaderboard-v1", "a.result.json", "--against", "b.result.json"].map {
          $0.hasSuffix(".json") ? folder.path($0) : $0
        })
      #expect(outcome.isSuccess, "\(outcome.errors)")
      return outcome.output
    }
    #expect(try table().contains("100.00 ± 0.00 %"))
    try FileManager.default.removeItem(atPath: folder.path("b.jsonl"))
    let unpaired = try table()
    #expect(unpaired.contains("100.00 ± ") && !unpaired.contains("100.00 ± 0.00 %"))
  }

  @Test func perplexityIsThatOfTheComparison() throws {
    let outcome = try run(
      "text.yaml", "text.jsonl",
      ["--numerics", "exact", "--head-bits", "16", "--format", "json"])
    try #require(outcome.isSuccess, "\(outcome.errors)")
    let comparison = try folder.run(
      .evaluate,
      [
        "--compare", Nano.model, Nano.model, "--text", folder.path("text.txt"), "--window", "64",
        "--numerics", "exact", "--head-bits", "16", "--format", "json",
      ])
    try #require(comparison.isSuccess, "\(comparison.errors)")
    func perplexity(_ text: String) throws -> Double {
      let rows = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]]
      return try #require(rows?.first?["perplexity"] as? Double)
    }
    // Here full windows alone count, there the rest of the text too.
    let (mine, other) = (try perplexity(outcome.output), try perplexity(comparison.output))
    #expect(abs(mine / other - 1) < 0.3)
  }

  @Test func flagsOfGenerationAreRefused() throws {
    let outcome = try run("scored.yaml", "refused.jsonl", ["--think-budget", "8"])
    #expect(!outcome.isSuccess)
    #expect(outcome.errors.contains("scored scores likelihoods"))
  }
}
