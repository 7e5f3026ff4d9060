import Foundation
import Testing

/// What `chat` does with lines from a pipe.
@Suite struct ChatTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func chat(_ lines: [String], _ flags: String = "") throws -> Outcome {
    try Data((lines.joined(separator: "\n") + "\n").utf8).write(
      to: folder.url.appendingPathComponent("lines"))
    return try folder.shell("chat --model \(Nano.model) --seed 3 \(flags) < lines")
  }

  @Test func theFirstTurnIsWhatGeneratePrints() throws {
    let turn = try chat([Nano.problem])
    let printed = try folder.run(
      .generate, ["--model", Nano.model, "--prompt", Nano.problem, "--seed", "3"])
    #expect(turn.isSuccess && turn.output == printed.output, "\(turn.errors)")
    #expect(turn.errors.contains("prompt tokens"))
  }

  /// What was run once is not run again, and that changes no text.
  @Test func theCacheIsKeptBetweenTurns() throws {
    let words = String(repeating: "Read this with care. ", count: 12) + Nano.problem
    let first = try chat([words, "/save saved.json"])
    #expect(first.isSuccess, "\(first.errors)")
    let both = try chat([words, "Again, please."], "--hide-thinking")
    let alone = try chat(["Again, please."], "--hide-thinking --load saved.json")
    #expect(both.isSuccess && alone.isSuccess, "\(both.errors)\(alone.errors)")
    #expect(!alone.output.isEmpty && both.output.hasSuffix(alone.output))
    let ran = try [both, alone].map { outcome in
      let line = try #require(outcome.errors.split(separator: "\n").last { $0.contains("(ran ") })
      return line.split(whereSeparator: { !$0.isNumber }).prefix(2).compactMap { Int($0) }
    }
    #expect(ran[0][1] == ran[1][1] && ran[1][0] == ran[1][1])
    #expect(ran[0][0] + 64 <= ran[0][1], "\(both.errors)")
  }

  @Test func commandsAndMistakes() throws {
    let turns = try chat([
      "/think 20", "/kv int4", "/memory 1GiB", "/system Be brief.", Nano.problem, "/memory",
      "/help", "/clear", "/quit",
      "never",
    ])
    #expect(turns.isSuccess, "\(turns.errors)")
    for words in ["at most 20 tokens", "KV cache int4", "weights", "/save FILE"] {
      #expect(turns.errors.contains(words), "\(words): \(turns.errors)")
    }
    expectRefusal(try chat(["/wat"]), naming: ["/wat", "/help"])
    expectRefusal(try chat(["/load nowhere.json"]), naming: ["nowhere.json"])
    expectRefusal(try chat(["/kv int5"]), naming: ["int5"])
  }
}
