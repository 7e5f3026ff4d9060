import Foundation
import Testing

/// `study` from its file to the page and to `plan`.
@Suite struct StudyTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func writeStudy(_ change: (String) -> String = { $0 }) throws -> String {
    let text = """
      name: small
      title: A small study
      tasks: {nano-math: math}
      weights: {method: rtn}
      limit: 4
      temperature: 0.6
      rules: [decided, "stable:2"]
      grids:
        - benchmarks: [nano-math]
          models: [nano-0.15m]
          bits: [16, 4]
          kv: [bf16, "rkv:32,buffer=16"]
          budgets: [16, 48]
          samples: [1, 3]

      """
    try Data(change(text).utf8).write(to: folder.url.appendingPathComponent("small.yaml"))
    return "small.yaml"
  }

  private func points(_ key: String = "points") throws -> [[String: Any]] {
    let file = folder.url.appendingPathComponent("out/study-small/results.json")
    let results = try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any]
    return try #require(results?[key] as? [[String: Any]])
  }

  @Test(arguments: ["numerics: int7", "head-bits: '4'"])
  func aWayOfComputingThatIsUnknownIsRefusedBeforeAnyWork(line: String) throws {
    let file = try writeStudy { $0.replacing("limit: 4", with: "limit: 4\n\(line)") }
    let words = line.split(separator: ":")
    expectRefusal(
      try folder.run(.study, ["run", file]), code: 1, naming: ["small.yaml", String(words[0])])
    #expect(!FileManager.default.fileExists(atPath: folder.path("out/study-small/models")))
  }

  @Test func numericsAreThoseOfTheFileAndStored() throws {
    let file = try writeStudy {
      $0.replacing("limit: 4", with: "limit: 2\nnumerics: exact\nhead-bits: '16'")
        .replacing("[bf16, \"rkv:32,buffer=16\"]", with: "[bf16]")
    }
    #expect(try folder.run(.study, ["run", file]).isSuccess)
    let found = try points()
    #expect(!found.isEmpty)
    for point in found {
      #expect(point["numerics"] as? String == "exact" && point["head_bits"] as? String == "16")
    }
  }

  @Test func fromTheFileToThePlan() throws {
    let file = try writeStudy()
    let before = try folder.run(.study, ["status", file])
    #expect(before.end == .exited(1) && before.output.contains("16 scenarios in 4 runs"))
    expectRefusal(try folder.run(.study, ["report", file]), code: 1, naming: ["nothing of small"])

    // Two parts are not the whole until both are done.
    #expect(try folder.run(.study, ["run", file, "--shard", "2/2"]).isSuccess)
    let half = try folder.run(.study, ["report", file])
    #expect(half.isSuccess && half.errors.contains("8 of 16 scenarios"))
    let page = folder.url.appendingPathComponent("out/study-small/report/index.html")
    #expect(try String(contentsOf: page, encoding: .utf8).contains("Incomplete: 8 of 16"))

    #expect(try folder.run(.study, ["run", file]).isSuccess)
    #expect(try folder.run(.study, ["status", file]).isSuccess)
    #expect(try points().count == 16)
    let numerics = try Set(points().compactMap { $0["numerics"] as? String })
    #expect(numerics == ["bf16", "int8"])
    // Votes of three at each of 8 points, thoughts of each run.
    let rules = try points("rules")
    #expect(rules.count { $0["rule"] as? String == "decided" } == 8)
    #expect(rules.count { $0["rule"] as? String == "stable:2" } == 4)
    #expect(
      rules.allSatisfy { $0["rule"] as? String != "decided" || $0["difference"] as? Double == 0 })
    #expect(try folder.run(.study, ["report", file]).isSuccess)
    #expect(try !String(contentsOf: page, encoding: .utf8).contains("Incomplete"))
    // What was measured is enough to draw it again.
    let again = try folder.run(
      .study, ["report", "out/study-small/results.json", "--output", "again"])
    #expect(again.isSuccess, "\(again.errors)")
    #expect(
      try Data(contentsOf: page)
        == Data(contentsOf: folder.url.appendingPathComponent("again/index.html")))

    let plan = try folder.run(
      .plan,
      [
        "--memory", "64MiB", "--model", "nano-0.15m", "--budget", "48", "--json", "--study",
        "out/study-small/results.json",
      ])
    let records = try #require(
      JSONSerialization.jsonObject(with: Data(plan.output.utf8)) as? [[String: Any]])
    #expect(records.first?["source"] as? String == "measured: small, nano-math")
    #expect(records.first?["expected_accuracy"] is Double)
  }

  /// A run that was stopped behind its last reply has neither the order of its records nor a result.
  @Test func whatIsLeftBehindTheLastReplyIsDoneAgain() throws {
    let file = try writeStudy {
      $0.replacing("[bf16, \"rkv:32,buffer=16\"]", with: "[bf16]")
        .replacing("bits: [16, 4]", with: "bits: [16]")
    }
    #expect(try folder.run(.study, ["run", file]).isSuccess)
    let journal = folder.url.appendingPathComponent(
      "out/study-small/journals/nano-math-nano-0.15m-16bit-bf16-16.jsonl")
    let result = journal.deletingPathExtension().appendingPathExtension("result.json")
    let whole = try Data(contentsOf: journal)
    var lines = whole.split(separator: 10)
    lines.swapAt(2, 5)
    try Data(lines.joined(separator: [10]) + [10]).write(to: journal)
    try FileManager.default.removeItem(at: result)
    #expect(try folder.run(.study, ["run", file]).isSuccess)
    #expect(try Data(contentsOf: journal) == whole)
    #expect(FileManager.default.fileExists(atPath: result.path))
  }

  /// Times measured by themselves take the place of those that came along, for the whole cache alone.
  @Test func timesAreMeasuredByThemselves() throws {
    let file = try writeStudy()
    #expect(try folder.run(.study, ["run", file]).isSuccess)
    func seconds() throws -> [String: Double] {
      #expect(try folder.run(.study, ["report", file]).isSuccess)
      return try Dictionary(
        points().map { point in
          let key = ["weight_bits", "kv", "think_budget", "samples"].map { "\(point[$0] ?? "")" }
          return (key.joined(separator: " "), try #require(point["seconds"] as? Double))
        }, uniquingKeysWith: { first, _ in first })
    }
    let before = try seconds()
    let timed = try folder.run(.study, ["time", file, "--repetitions", "2"])
    #expect(
      timed.isSuccess && timed.errors.contains("4 times measured, 2 takes"), "\(timed.errors)")
    // The middle of the repetitions is what the report has.
    let journals = folder.url.appendingPathComponent("out/study-small/times")
    let takes = try FileManager.default.contentsOfDirectory(atPath: journals.path)
      .filter { $0.contains("-16bit-") && $0.hasSuffix("-48.jsonl") }
    #expect(takes.count == 2)
    let means = try takes.map { take in
      let costs = try records(journals.appendingPathComponent(take), keepingCost: true)
        .compactMap { ($0["response"] as? [String: Any])?["cost"] as? [String: Any] }
        .compactMap { $0["seconds"] as? Double }
      #expect(costs.count == 4)
      return costs.reduce(0, +) / 4
    }
    let after = try seconds()
    #expect(abs(try #require(after["16 bf16 48 1"]) - (means[0] + means[1]) / 2) < 1e-9)
    #expect(after.keys == before.keys)
    for (key, value) in after {
      #expect((value == before[key]) == key.contains("rkv"), "\(key)")
    }
    // Times of other weights are refused.
    try FileManager.default.removeItem(
      at: folder.url.appendingPathComponent("out/study-small/models"))
    try FileManager.default.removeItem(
      at: folder.url.appendingPathComponent("out/study-small/journals"))
    _ = try writeStudy { $0.replacingOccurrences(of: "method: rtn", with: "method: hqq") }
    expectRefusal(
      try folder.run(.study, ["run", file]), code: 1, naming: ["weights digest", "take1"])
    expectRefusal(
      try folder.run(.study, ["time", file, "--repetitions", "0"]), code: 2,
      naming: ["--repetitions 0"])
  }

  /// One thought for all budgets and one pool for all group sizes give what separate runs give.
  @Test func branchesAndPoolsAreTheSameAsSeparateRuns() throws {
    let file = try writeStudy {
      $0.replacingOccurrences(of: "[bf16,", with: "[bf16, \"bf16:0,int4\",")
    }
    #expect(try folder.run(.study, ["run", file]).isSuccess)
    for (name, cache) in [
      ("bf16", []), ("bf16-0-int4", ["--kv", "bf16:0,int4"]),
      ("rkv-32-buffer=16", ["--kv-evict", "rkv:32,buffer=16"]),
    ] {
      for budget in [16, 48] {
        let journal = folder.url.appendingPathComponent("alone-\(name)-\(budget).jsonl")
        let run = try folder.run(
          .evaluate,
          [
            "--bench", "nano-math", "--model", "nano-0.15m", "--limit", "4", "--samples", "3",
            "--think-budget", "\(budget)", "--force", "--temperature", "0.6", "--journal",
            journal.path,
          ] + cache)
        #expect(run.isSuccess, "\(run.errors)")
        let shared = folder.url.appendingPathComponent(
          "out/study-small/journals/nano-math-nano-0.15m-16bit-\(name)-\(budget).jsonl")
        #expect(try records(journal) == records(shared))
      }
    }
  }

  /// The lines of a journal without what may differ between equal runs.
  private func records(_ url: URL, keepingCost: Bool = false) throws -> [NSDictionary] {
    try String(contentsOf: url, encoding: .utf8).split(separator: "\n").map { line in
      var record = try #require(
        JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
      if !keepingCost, var response = record["response"] as? [String: Any] {
        response["cost"] = nil
        record["response"] = response
      }
      return record as NSDictionary
    }
  }

  @Test func resultsOfAnotherRunAreRefused() throws {
    let file = try writeStudy()
    #expect(try folder.run(.study, ["run", file]).isSuccess)
    for (old, new, difference) in [
      ("limit: 4", "limit: 3", "problems: 4, not 3"), ("[1, 3]", "[1, 4]", "replies: 3, not 4"),
      ("temperature: 0.6", "temperature: 0.7", "temperature: 0.6, not 0.7"),
      ("limit: 4", "limit: 4\nseed: 9", "seed: 0, not 9"),
    ] {
      _ = try writeStudy { $0.replacingOccurrences(of: old, with: new) }
      let report = try folder.run(.study, ["report", file])
      expectRefusal(report, code: 1, naming: ["belongs to another run", difference])
    }
  }

  @Test(arguments: [
    ("grids:", "colour: red\ngrids:", "colour"), ("models: [nano-0.15m]", "models: []", "models"),
    ("bits: [16, 4]", "bits: [16, 5]", "'5'"), ("name: small", "name: ../small", "name"),
    ("tasks: {nano-math: math}", "tasks: {}", "nano-math"),
  ]) func wrongFiles(old: String, new: String, named: String) throws {
    let file = try writeStudy { $0.replacingOccurrences(of: old, with: new) }
    expectRefusal(try folder.run(.study, ["run", file]), code: 1, naming: ["small.yaml", named])
  }
}
