import Foundation
import Testing

/// Tokens that a smaller model proposes, and what they leave alone.
@Suite struct DraftTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func generate(_ arguments: [String]) throws -> Outcome {
    try folder.run(.generate, ["--model", "nano-0.5m", "--prompt", Nano.problem] + arguments)
  }

  @Test func aDraftChangesNoText() throws {
    let flags = ["--think-budget", "48", "--force", "--samples", "2", "--vote", "--json"]
    let plain = try record(flags)
    #expect(plain["proposed_tokens"] == nil)
    for more in [["--batch", "1", "--threads", "1"], ["--kv", "int8", "--kv-residual", "64"]] {
      let kv = more.contains("--kv") ? more : []
      let drafted = try record(flags + more + ["--draft", "nano-0.15m"])
      let expected = try record(flags + kv)
      #expect(drafted["text"] as? String == expected["text"] as? String)
      #expect(drafted["votes"] as? [String: Int] == expected["votes"] as? [String: Int])
      let counts = try ["proposed_tokens", "accepted_tokens"].map {
        try #require(drafted[$0] as? Int)
      }
      // How many are proposed is a matter of time.
      #expect(counts[0] >= 0 && counts[1] <= counts[0])
      #expect(try #require(drafted["draft_seconds"] as? Double) > 0)
    }
    let shown = try generate(["--draft", "nano-0.15m", "--greedy", "--max-tokens", "30"])
    #expect(shown.isSuccess && shown.errors.contains("tokens proposed"), "\(shown.errors)")
  }

  @Test func aDraftCountsInTheMemory() throws {
    // What is refused names a memory that would do; with a draft that is more.
    func named(_ more: [String]) throws -> Int {
      let outcome = try generate(["--memory", "2MiB"] + more)
      expectRefusal(outcome, naming: ["--memory "])
      let words = outcome.errors.split(whereSeparator: { " ;,\n".contains($0) }).map(String.init)
      let last = try #require(words.last { $0.hasSuffix("MiB") && Int($0.dropLast(3)) != nil })
      return try #require(Int(last.dropLast(3)))
    }
    let (alone, drafted) = (try named([]), try named(["--draft", "nano-4m"]))
    #expect(drafted > alone + 8)
    let fits = try generate([
      "--memory", "\(drafted)MiB", "--draft", "nano-4m", "--max-tokens", "8",
    ])
    #expect(fits.isSuccess, "\(fits.errors)")
  }

  @Test func draftsThatCannotBeAreRefused() throws {
    let copy = try ModelCopy(in: folder)
    // Two tokens have changed places.
    try copy.edit("tokenizer.json") { data in
      let text = String(decoding: data, as: UTF8.self)
        .replacingOccurrences(of: "\"#\": 7,", with: "\"#\": 8,")
        .replacingOccurrences(of: "\"$\": 8,", with: "\"$\": 7,")
      data = Data(text.utf8)
    }
    let other = try generate(["--draft", copy.path])
    expectRefusal(other, naming: ["--draft \(copy.path)", "nano-0.5m", "id 7", "$"])
    expectRefusal(
      try generate(["--draft", "nano-0.15m", "--speculate"]), code: 2,
      naming: ["--speculate", "--draft"])
    expectRefusal(try generate(["--draft", "no-such-model"]), naming: ["no-such-model"])
  }

  @Test func repliesOfABenchmarkAreTheSame() throws {
    func run(_ name: String, _ more: [String]) throws -> (outcome: Outcome, texts: [String]) {
      let outcome = try folder.run(
        .evaluate,
        [
          "--model", "nano-0.5m", "--bench", "nano-math", "--limit", "3", "--think-budget", "32",
          "--journal", folder.path(name),
        ] + more)
      try #require(outcome.isSuccess, "\(outcome.errors)")
      let lines = try String(contentsOfFile: folder.path(name), encoding: .utf8).split(
        separator: "\n")
      let texts = try lines.compactMap { line -> String? in
        let record =
          try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        let response = record?["response"] as? [String: Any]
        return response.map { "\($0["thought"] ?? "")\($0["answer"] ?? "")" }
      }
      return (outcome, texts.sorted())
    }
    let plain = try run("plain.jsonl", [])
    let drafted = try run("drafted.jsonl", ["--batch", "2", "--draft", "nano-0.15m"])
    #expect(plain.texts == drafted.texts && plain.texts.count == 3)
    #expect(drafted.outcome.errors.contains("tokens proposed"))
  }

  private func record(_ arguments: [String]) throws -> [String: Any] {
    let outcome = try generate(arguments)
    try #require(outcome.isSuccess, "\(outcome.errors)")
    return try #require(
      try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
  }
}
