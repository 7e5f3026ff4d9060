import Foundation
import Testing

/// `plan` as people and programs use it.
@Suite struct PlanTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func recordsHaveEveryField() throws {
    let outcome = try folder.run(
      .plan, ["--memory", "8GiB", "--task", "math", "--family", "qwen3", "--json"])
    #expect(outcome.isSuccess)
    let records = try #require(
      JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [[String: Any]])
    #expect(!records.isEmpty)
    let fields: Set = [
      "model", "parameters", "weight_bits", "scheme", "group_size", "kv", "think_budget", "samples",
      "stop", "tokens_saved",
      "batch",
      "weights_bytes", "kv_bytes", "total_bytes", "expected_accuracy", "accuracy_low",
      "accuracy_high", "accuracy_origin",
      "benchmark", "seconds_per_answer", "draft", "source", "reason", "command",
    ]
    for record in records {
      #expect(Set(record.keys) == fields)
      let total = try #require(record["total_bytes"] as? Int)
      #expect(total <= 8 << 30)
      #expect((record["kv"] as? [String: String])?.keys.sorted() == ["format", "policy"])
    }
    // The paper's advice below 10 GB: a 4B model, its cache evicted rather than quantized.
    #expect(records[0]["model"] as? String == "4b")
    #expect(records[0]["weight_bits"] as? Int == 8)
    #expect((records[0]["reason"] as? String)?.contains("finding") == true)
    #expect((records[0]["source"] as? String)?.contains("2505.09388") == true)
    let accuracies = try records.map { try #require($0["expected_accuracy"] as? Double) }
    #expect(accuracies == accuracies.sorted(by: >))
  }

  /// Some memory is left for the system, the order is by accuracy, and seconds can be bounded.
  @Test func theTableSaysWhatItRestsOn() throws {
    let usual = ["--memory", "16GiB", "--bandwidth", "50GB", "--family", "qwen3"]
    let outcome = try folder.run(.plan, usual)
    #expect(outcome.isSuccess)
    for text in ["819.20 MiB are left for the system", "AIME25, % (range)", "derived", "50.0 GB/s"]
    {
      #expect(outcome.output.contains(text), "\(text)")
    }
    let bound = try folder.run(.plan, usual + ["--seconds", "10"])
    expectRefusal(bound, code: 1, naming: ["within 10 s", "the fastest takes"])
    expectRefusal(
      try folder.run(.plan, usual + ["--seconds", "0"]), code: 2, naming: ["--seconds 0"])
  }

  /// Hybrids stand beside the dense models: their cache is a quarter, and their figures have
  /// sources of their own.
  @Test func hybridsAreRankedBesideDenseModels() throws {
    let usual = ["--memory", "16GiB", "--bandwidth", "50GB", "--top", "0", "--task"]
    func run(_ task: String) throws -> [[String: Any]] {
      let outcome = try folder.run(.plan, usual + [task, "--json"])
      return try #require(
        JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [[String: Any]])
    }
    let records = try run("knowledge")
    let names = Set(records.compactMap { $0["model"] as? String })
    #expect(names.isSuperset(of: ["4b", "8b", "Qwen/Qwen3.5-4B", "Qwen/Qwen3.5-9B"]))
    #expect(records[0]["model"] as? String == "Qwen/Qwen3.5-9B")
    #expect((records[0]["source"] as? String)?.contains("Qwen3.5 model cards") == true)
    func cache(_ model: String) throws -> Int {
      let record = records.first {
        let kv = $0["kv"] as? [String: String]
        return $0["model"] as? String == model && $0["think_budget"] as? Int == 30_000
          && $0["samples"] as? Int == 1 && kv == ["format": "bf16", "policy": "full"]
      }
      return try #require(record?["kv_bytes"] as? Int)
    }
    // 30,383 tokens of 36 layers with 8 heads of 128 against 8 layers with 4 heads of 256, and 50
    // MiB of states.
    let (dense, hybrid) = (try cache("8b"), try cache("Qwen/Qwen3.5-9B"))
    #expect(abs(Double(dense) / Double(hybrid - 52_690_944) - 4.5) < 0.01)
    // With experts it takes the memory of 35 billion parameters and the time of three.
    let large = try folder.run(
      .plan,
      [
        "--memory", "26GiB", "--bandwidth", "50GB", "--top", "0", "--budget", "30000", "--samples",
        "1", "--json",
      ])
    let rows = try #require(
      JSONSerialization.jsonObject(with: Data(large.output.utf8)) as? [[String: Any]])
    func seconds(_ model: String) -> Double {
      rows.first { $0["model"] as? String == model && $0["weight_bits"] as? Int == 4 }?[
        "seconds_per_answer"] as? Double ?? 0
    }
    let (few, all) = (seconds("Qwen/Qwen3.5-35B-A3B"), seconds("Qwen/Qwen3.5-27B"))
    #expect(few > 0 && all > 3 * few && seconds("30b-a3b") > 0)
    let text = try folder.run(.plan, ["--memory", "16GiB", "--bandwidth", "50GB"]).output
    #expect(text.contains("different benchmarks") && text.contains("HMMT Feb 25"))
  }

  @Test func theCommandItGivesIsOneThatCommandsTake() throws {
    let outcome = try folder.run(
      .plan, ["--memory", "64MiB", "--family", "nano", "--bits", "16", "--budget", "32", "--json"])
    let records = try #require(
      JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [[String: Any]])
    let command = try #require(records.first?["command"] as? String)
    let words = command.replacingOccurrences(of: "\"...\"", with: "Hello").split(separator: " ")
    #expect(words.first?.hasSuffix("generate") == true)
    let run = try folder.run(.generate, words.dropFirst().map(String.init))
    #expect(run.isSuccess, "\(command): \(run.errors)")
  }

  /// The draft is one of the family, its bytes are within the memory, and its rate has a source.
  @Test func aDraftIsAdvisedWhereItFits() throws {
    let usual = [
      "--bandwidth", "50GB", "--model", "4b", "--bits", "8", "--kv", "int8", "--samples", "1",
      "--budget", "6000",
    ]
    let roomy = try folder.run(.plan, usual + ["--memory", "10GiB"])
    for text in ["With 0.6b at 8 bits as draft", "assumed", "--draft out/0.6b-8bit"] {
      #expect(roomy.output.contains(text), "\(text)")
    }
    #expect(try !folder.run(.plan, usual + ["--memory", "5.5GiB"]).output.contains("draft"))
    #expect(
      try !folder.run(.plan, usual + ["--memory", "10GiB", "--accept", "0.1"]).output
        .contains("draft"))
    let told = try folder.run(.plan, usual + ["--memory", "10GiB", "--accept", "0.8", "--json"])
    let records = try #require(
      JSONSerialization.jsonObject(with: Data(told.output.utf8)) as? [[String: Any]])
    let draft = try #require(records.first?["draft"] as? [String: Any])
    #expect(draft["accept_rate"] as? Double == 0.8 && draft["model"] as? String == "0.6b")
    let (with, without) = (draft["seconds_per_answer"], records[0]["seconds_per_answer"])
    #expect(try #require(with as? Double) < #require(without as? Double))
    expectRefusal(
      try folder.run(.plan, usual + ["--memory", "10GiB", "--accept", "1"]), code: 2,
      naming: ["accept rate is 1.0"])
  }

  @Test func whatFitsNothingNamesTheLeastThatWould() throws {
    let outcome = try folder.run(.plan, ["--memory", "100MiB"])
    expectRefusal(
      outcome, code: 1, naming: ["100.00 MiB", "the least that would", "0.6b at 4 bits"])
  }

  @Test func oneConfigurationFitsOrNot() throws {
    let choice = ["--fits", "--model", "4b", "--bits", "8", "--budget", "30000"]
    let one = try folder.run(.plan, choice + ["--memory", "10GiB"])
    #expect(one.isSuccess && one.output.contains("fits into 10.00 GiB"))
    let eight = try folder.run(.plan, choice + ["--samples", "8", "--memory", "10GiB"])
    #expect(eight.end == .exited(1))
    #expect(eight.output.contains("32.96 GiB"))  // The paper's KV of 8 samples at 30k tokens.
  }

  @Test(arguments: [
    (["--memory", "8"], "8GiB"), (["--memory", "8G"], "8GiB"), (["--memory=-1GiB"], "-1GiB"),
    (["--memory", "8GiB", "--family", "qwen3", "--model", "4b"], "--family and --model"),
    (["--memory", "8GiB", "--bits", "5"], "bits is 5"),
    (["--memory", "8GiB", "--kv", "int3"], "int3"),
    (["--memory", "8GiB", "--batch", "0"], "--batch 0"),
    (["--fits", "--model", "4b"], "--fits needs"),
    (["--memory", "8GiB", "--json", "--explain"], "--json and --explain"),
    (["--memory", "8GiB", "--budget", "500000"], "contexts"),
    (["--memory", "8GiB", "--samples", "0"], "samples is 0"),
  ]) func wrongUsage(arguments: [String], text: String) throws {
    expectRefusal(try folder.run(.plan, arguments), code: 2, naming: [text])
  }

  /// A scheme is on offer where it is asked for, or where waiting counts.
  @Test func schemesAreAnAxis() throws {
    let usual = ["--memory", "8GiB", "--bandwidth", "50GB", "--family", "qwen3"]
    let asked = try folder.run(
      .plan, usual + ["--scheme", "w8a8-int", "--scheme", "quik-w4a4", "--bits", "8"])
    for text in ["w8a8-int", "quik-w4a4", "arXiv:2310.09259", "AIME24 of R1-Distill-Llama-8B"] {
      let all = try folder.run(
        .plan, usual + ["--scheme", "w8a8-int", "--scheme", "quik-w4a4", "--json"])
      #expect((asked.output + all.output).contains(text), "\(text)")
    }
    let fast = try folder.run(.plan, usual + ["--latency"])
    #expect(fast.output.contains("--scheme w8a8-int --output out/4b-w8a8-int"))
    #expect(try !folder.run(.plan, usual).output.contains("w8a8-int"))
    expectRefusal(
      try folder.run(.plan, usual + ["--scheme", "w2a2"]), code: 2, naming: ["w2a2", "w8a8-int"])
    expectRefusal(
      try folder.run(
        .plan,
        [
          "--memory", "64GiB", "--bandwidth", "50GB", "--model", "30b-a3b", "--scheme",
          "w4a4-rotated",
        ]),
      code: 2, naming: ["w4a4-rotated", "rotated"])
  }

  /// Votes stop when they are decided, with where what that saves is from.
  @Test func rulesAreAnAxis() throws {
    let usual = ["--memory", "40GiB", "--bandwidth", "50GB", "--family", "qwen3"]
    let votes = try folder.run(.plan, usual)
    for text in ["--vote --stop-when decided", "% fewer tokens", "docs/thinking.md"] {
      #expect(votes.output.contains(text), "\(text)")
    }
    let thoughts = try folder.run(.plan, usual + ["--stop-thinking", "stable:4"])
    #expect(thoughts.output.contains("--stop-thinking stable:4"))
    #expect(!thoughts.output.contains("--stop-when"))
    expectRefusal(
      try folder.run(.plan, usual + ["--stop-thinking", "stable:4", "--stop-when", "decided"]),
      code: 2, naming: ["exclude each other"])
  }

  /// The study that ships with the second family says what is on offer and how good it is.
  @Test(arguments: [("math", "nano-reckoning"), ("knowledge", "nano-hops")])
  func theSecondFamilyIsRankedByItsStudy(task: String, benchmark: String) throws {
    func records(_ flags: [String]) throws -> [[String: Any]] {
      let plan = try folder.run(
        .plan, ["--memory", "64MiB", "--task", task, "--top", "0", "--json"] + flags)
      #expect(plan.isSuccess, "\(plan.errors)")
      return try #require(
        JSONSerialization.jsonObject(with: Data(plan.output.utf8)) as? [[String: Any]])
    }
    let all = try records(["--family", "nano2"])
    #expect(all.first?["source"] as? String == "measured: nano2, \(benchmark)")
    #expect(all.first?["model"] as? String == "nano2-2.2m")
    #expect(all.allSatisfy { $0["accuracy_origin"] as? String == "measured" })
    #expect(Set(all.compactMap { $0["weight_bits"] as? Int }) == [16, 8, 4, 3])
    // What is said is on offer in the place of what was measured.
    let one = try records(["--model", "nano2-0.5m", "--bits", "8", "--budget", "32"])
    #expect(one.allSatisfy { $0["weight_bits"] as? Int == 8 && $0["think_budget"] as? Int == 32 })
    // Beside models of other families nothing of it is on offer.
    let both = try records(["--family", "nano2", "--family", "nano"])
    #expect(both.allSatisfy { $0["accuracy_origin"] as? String != "measured" })
  }

  @Test func aStudyThatIsNoneIsNamed() throws {
    let outcome = try folder.run(.plan, ["--memory", "8GiB", "--study", "none.json"])
    expectRefusal(outcome, code: 1, naming: ["none.json"])
  }

  /// A plan for weights that cannot be read could not be run; sizes alone need no weights.
  @Test func weightsThatAreThereHaveToBeReadable() throws {
    let folder = try TemporaryFolder()
    let copy = try ModelCopy(in: folder)
    let flags = [
      "--fits", "--model", copy.path, "--bits", "16", "--budget", "100", "--memory", "1GiB",
    ]
    #expect(try folder.run(.plan, flags).isSuccess)
    let weights = URL(fileURLWithPath: copy.path + "/model.safetensors")
    try Data("version https://git-lfs.github.com/spec/v1\nsize 5\n".utf8).write(to: weights)
    expectRefusal(try folder.run(.plan, flags), naming: ["model.safetensors", "Git LFS pointer"])
    try FileManager.default.moveItem(
      at: weights, to: URL(fileURLWithPath: copy.path + "/pytorch_model.bin"))
    expectRefusal(try folder.run(.plan, flags), naming: ["pytorch_model.bin"])
    try copy.remove("pytorch_model.bin")
    #expect(try folder.run(.plan, flags).isSuccess)
  }
}
