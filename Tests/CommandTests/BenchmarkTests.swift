import Foundation
import Testing

/// Every shipped benchmark, from its data to a table, with a model that knows none of the answers.
@Suite struct BenchmarkTests {
  private static let data = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../../shared/data/benchmarks").standardizedFileURL

  private let folder: TemporaryFolder
  /// The model with room for long questions.
  private let model: ModelCopy

  init() throws {
    folder = try TemporaryFolder()
    model = try ModelCopy(in: folder, named: "roomy")
    try model.configure("max_position_embeddings", "16384")
  }

  private func evaluate(_ benchmark: String, data: String) throws -> Outcome {
    try folder.run(
      .evaluate,
      [
        "--model", model.path, "--bench", benchmark, "--data", data, "--limit", "5", "--samples",
        "2", "--max-tokens", "40", "--journal", folder.path("\(benchmark).jsonl"),
      ])
  }

  private func records(_ benchmark: String) throws -> [[String: Any]] {
    try folder.text("\(benchmark).jsonl").split(separator: "\n").dropFirst().map {
      try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] ?? [:]
    }
  }

  @Test(
    .enabled(
      if: FileManager.default.fileExists(atPath: data.path),
      "needs benchmark data (shared/data/benchmarks)"),
    arguments: ["aime24", "aime25", "arc-challenge", "gsm8k", "math500", "mmlu"])
  func realDataRunsToItsTable(benchmark: String) throws {
    let outcome = try evaluate(benchmark, data: Self.data.path)
    try #require(outcome.isSuccess, "\(outcome.errors)")
    #expect(outcome.output.contains("accuracy") && outcome.output.contains(benchmark))
    #expect(try records(benchmark).count == 10)
  }

  @Test(arguments: ["nano-math", "nano-facts", "nano-reckoning", "nano-hops"])
  func shippedDataRunsToItsTable(benchmark: String) throws {
    let outcome = try evaluate(benchmark, data: folder.url.path)
    try #require(outcome.isSuccess, "\(outcome.errors)")
    #expect(try records(benchmark).count == 10)
  }

  /// GPQA's file is never published; this one has its columns, and invented rows.
  @Test func gpqaIsReadFromItsOfficialColumns() throws {
    let columns = [
      "Pre-Revision Question", "Pre-Revision Correct Answer", "Pre-Revision Incorrect Answer 1",
      "Self-reported question-writing time (minutes)", "Question", "Correct Answer",
      "Incorrect Answer 1", "Incorrect Answer 2", "Incorrect Answer 3", "Explanation",
      "Subdomain", "High-level domain", "Record ID", "Canary String",
    ]
    let rows = (1...7).map { row in
      [
        "old", "old", "old", "30", "\"Made up, number \(row):\r\nwhich is right?\"",
        " right \(row) ",
        "\"wrong, one\"", "\"wrong \"\"two\"\"\"", "wrong three", "none", "none", "Physics",
        "rec\(row)", "none",
      ].joined(separator: ",")
    }
    let text = "\u{feff}" + ([columns.joined(separator: ",")] + rows).joined(separator: "\r\n")
    try Data(text.utf8).write(to: folder.url.appendingPathComponent("gpqa_diamond.csv"))
    let outcome = try evaluate("gpqa", data: folder.url.path)
    try #require(outcome.isSuccess, "\(outcome.errors)")
    #expect(outcome.errors.contains("gpqa has 198 items; the data here has 7"))
    let records = try records("gpqa")
    #expect(records.map { $0["item"] as? String } == (1...5).flatMap { ["rec\($0)", "rec\($0)"] })
    for record in records {
      let order = try #require(record["order"] as? [Int])
      #expect(order.sorted() == [0, 1, 2, 3])
      // The right answer is the first in the data; its letter is its place among those shown.
      let place = try #require(order.firstIndex(of: 0))
      #expect(record["key"] as? String == ["A", "B", "C", "D"][place])
    }
    let shown = try folder.run(.evaluate, ["show", folder.path("gpqa.jsonl"), "--limit", "1"])
    #expect(shown.output.hasPrefix("== rec1, sample 0: "))
  }

  @Test func allAreListed() throws {
    let names = [
      "aime24", "aime25", "arc-challenge", "arc-challenge-25shot", "arc-challenge-llama",
      "arena-hard",
      "bbh", "gpqa", "gpqa-scored", "gsm8k", "gsm8k-5shot", "gsm8k-llama", "hellaswag-10shot",
      "humaneval",
      "humaneval-plus", "ifeval", "math-hard", "math500", "mbpp", "mbpp-plus", "mmlu", "mmlu-5shot",
      "mmlu-cot-llama", "mmlu-llama",
      "mmlu-pro", "musr", "nano-facts", "nano-hops", "nano-math", "nano-reckoning",
      "truthfulqa-mc2", "wikitext2",
      "winogrande-5shot", "leaderboard-v1", "leaderboard-v1-llama", "leaderboard-v2",
    ]
    for arguments in [["list"], ["--list"]] {
      let outcome = try folder.run(.evaluate, arguments)
      #expect(outcome.isSuccess)
      let first = outcome.output.split(separator: "\n").compactMap {
        $0.split(separator: " ").first
      }
      #expect(first.dropFirst().map(String.init) == names)
    }
    let absent = try evaluate("gpqa", data: folder.url.path)
    expectRefusal(absent, naming: ["gpqa_diamond.csv", "Idavidrein/gpqa"])
  }
}
