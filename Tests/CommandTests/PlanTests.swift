import Foundation
import Testing

/// `plan` as people and programs use it.
@Suite struct PlanTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func recordsHaveEveryField() throws {
    let outcome = try folder.run(.plan, ["--memory", "8GiB", "--task", "math", "--json"])
    #expect(outcome.isSuccess)
    let records = try #require(
      JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [[String: Any]])
    #expect(!records.isEmpty)
    let fields: Set = [
      "model", "parameters", "weight_bits", "group_size", "kv", "think_budget", "samples", "batch",
      "weights_bytes", "kv_bytes", "total_bytes", "expected_accuracy", "accuracy_low",
      "accuracy_high", "accuracy_origin",
      "benchmark", "seconds_per_answer", "source", "reason", "command",
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
    let usual = ["--memory", "16GiB", "--bandwidth", "50GB"]
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
    (["--memory", "8GiB", "--budget", "50000"], "contexts"),
    (["--memory", "8GiB", "--samples", "0"], "samples is 0"),
  ]) func wrongUsage(arguments: [String], text: String) throws {
    expectRefusal(try folder.run(.plan, arguments), code: 2, naming: [text])
  }

  @Test func aStudyThatIsNoneIsNamed() throws {
    let outcome = try folder.run(.plan, ["--memory", "8GiB", "--study", "none.json"])
    expectRefusal(outcome, code: 1, naming: ["none.json"])
  }
}
