import Foundation
import Testing

/// Answers to Arena-Hard's questions, and a judge who compares them.
@Suite struct JudgeCommandTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    let ids = 0..<3
    let rows = ids.map {
      #"{"question_id": "q\#($0)", "turns": [{"content": "Start with \#($0)."}]}"#
    }
    let answers = ids.map {
      #"{"question_id": "q\#($0)", "model_id": "gpt", "choices": [{"turns": [{"content": "GPT \#($0)"}]}]}"#
    }
    try FileManager.default.createDirectory(
      at: folder.url.appendingPathComponent("arena-hard"), withIntermediateDirectories: true)
    for (name, lines) in [("arena-hard/question.jsonl", rows), ("gpt.jsonl", answers)] {
      try lines.joined(separator: "\n").write(
        toFile: folder.path(name), atomically: true, encoding: .utf8)
    }
  }

  private func run(_ arguments: [String]) throws -> Outcome {
    try folder.run(
      .evaluate, arguments + ["--data", "."],
      environment: ["OPENAI_API_KEY": "", "http_proxy": ""])
  }

  private func answer() throws {
    let outcome = try run([
      "--model", Nano.model, "--bench", "arena-hard", "--max-tokens", "8", "--journal",
      "answers.jsonl",
    ])
    #expect(outcome.isSuccess, "\(outcome.errors)")
    #expect(outcome.errors.contains("without a judge nothing is scored"))
    #expect(!outcome.output.contains("accuracy"))
  }

  @Test func aJudgeIsAskedInBothOrders() throws {
    try answer()
    // Prefers whatever stands first, significantly where that is the other model's answer.
    let stub = try StubEndpoint { request in
      guard request.path != "/v1/models" else { return .body(#"{"data": [{"id": "judge"}]}"#) }
      let isOther = request.body.contains("Assistant A's Answer|>\\nGPT")
      return .body(
        #"{"model": "judge", "choices": [{"message": {"role": "assistant", "content": "Well. [["#
          + (isOther ? "A>>B" : "A>B") + #"]]"}, "finish_reason": "stop"}]}"#)
    }
    defer { stub.end() }
    let flags = ["judge", "answers.jsonl", "--baseline", "gpt.jsonl"]
    expectRefusal(try run(flags), naming: ["without a judge nothing is scored", "--endpoint"])
    let there =
      flags + ["--endpoint", stub.address, "--journal", "judged.jsonl", "--format", "csv"]
    let outcome = try run(there)
    #expect(outcome.isSuccess, "\(outcome.errors)")
    let lines = outcome.output.components(separatedBy: "\r\n")
    #expect(lines[0].hasPrefix("answers of,against,judge,questions,other answer first,"))
    #expect(lines[1].hasPrefix("\(Nano.model),gpt,judge,3,0.0,1.0,0.5,0.5,0.5,"))
    #expect(stub.requests.count { $0.path == "/v1/chat/completions" } == 6)
    let asked = try #require(stub.requests.last)
    let messages = (asked.field("messages") as? [[String: String]]) ?? []
    #expect(messages.map { $0["role"] } == ["system", "user"])
    #expect(asked.field("temperature") as? Double == 0)
    // The same command asks nobody again.
    #expect(try run(there).output == outcome.output)
    #expect(stub.requests.count { $0.path == "/v1/chat/completions" } == 6)
  }

  @Test func ourOwnServerMayJudge() throws {
    try answer()
    let server = try TestServer()
    let outcome = try run([
      "judge", "answers.jsonl", "--baseline", "answers.jsonl", "--endpoint",
      "http://127.0.0.1:\(server.port)", "--max-tokens", "8", "--format", "table",
    ])
    #expect(outcome.isSuccess, "\(outcome.errors)")
    // A model of half a million parameters knows no verdicts, and that is no score.
    #expect(outcome.output.contains("no verdict"))
    #expect(try folder.names().contains { $0.hasPrefix("answers-judged-") })
  }
}
