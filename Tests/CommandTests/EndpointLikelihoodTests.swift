import Foundation
import Testing

/// Candidates that are scored by a model behind an endpoint.
@Suite struct EndpointLikelihoodTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    let rows = (0..<6).map {
      #"{"question": "Start with \#($0). Then add 2. <think>", "choices": ["\#($0 + 2)", "nothing", "#
        + #""it is \#($0)"], "answer": \#($0 % 3)}"#
    }
    try write("rows.jsonl", rows.joined(separator: "\n"))
    let long = String(repeating: "Start with 8. Then multiply by 3. ", count: 160)
    try write(
      "long.jsonl",
      #"{"question": "\#(long)", "choices": ["24", "25 or so"], "answer": 0}"#)
    for name in ["rows", "long"] {
      try write(
        "\(name).yaml",
        """
        name: \(name)
        title: Scored
        version: 1
        size: 6
        fetch: Make it.
        data:
          - files: [\(name).jsonl]
            fields: {question: question, choices: choices, answer: answer, answer-form: index}
        form: text
        prompt: "{question}"
        choices: {count: 3, shuffle: item}
        grading: {rule: likelihood, metric: acc_norm}
        """)
    }
  }

  private func write(_ name: String, _ text: String) throws {
    try text.write(toFile: folder.path(name), atomically: true, encoding: .utf8)
  }

  private func run(_ bench: String, _ journal: String, _ arguments: [String]) throws -> Outcome {
    try folder.run(
      .evaluate, ["--bench", "\(bench).yaml", "--journal", journal] + arguments,
      environment: ["OPENAI_API_KEY": "", "http_proxy": ""])
  }

  @Test func ourServerGivesTheLikelihoodsOfTheEngine() throws {
    let here = try run("rows", "here.jsonl", ["--model", Nano.model])
    #expect(here.isSuccess, "\(here.errors)")
    let server = try TestServer(["--concurrency", "4"])
    let address = "http://127.0.0.1:\(server.port)"
    let there = try run("rows", "there.jsonl", ["--endpoint", address, "--batch", "3"])
    #expect(there.isSuccess, "\(there.errors)")
    let engine = try Journal(folder.text("here.jsonl"))
    #expect(engine.samples.count == 6 && engine.samples[0].contains("\"logprob\":-"))
    #expect(try Journal(folder.text("there.jsonl")) == engine)
    // In the words of others, too; the run is another one, since its server is any.
    let asked = try run(
      "rows", "asked.jsonl", ["--endpoint", address, "--dialect", "completions"])
    #expect(asked.isSuccess, "\(asked.errors)")
    func scores(_ name: String) -> [String] {
      folder.text(name).split(separator: "\n").dropFirst().compactMap { line in
        line.range(of: "\"candidates\":[").map {
          String(line[$0.upperBound...].prefix { $0 != "]" })
        }
      }
    }
    #expect(scores("asked.jsonl") == scores("here.jsonl"))
    // Texts that are too long lose their beginnings.
    let long = try run("long", "long.jsonl.out", ["--endpoint", address])
    #expect(long.isSuccess && long.errors.contains("2 texts are longer"), "\(long.errors)")
    expectRefusal(
      try run("rows", "chat.jsonl", ["--endpoint", address, "--form", "chat"]),
      naming: ["form chat", "--form text"])
  }

  /// Ids are the bytes of a text; of each the log-probability is -1, and that of byte 'n' -3 beside
  /// a likelier one.
  private static func answer(_ request: StubEndpoint.Request, echoes: Bool) -> StubEndpoint.Answer {
    switch request.path {
    case "/v1/models": return .body(#"{"data": [{"id": "m"}]}"#)
    case "/tokenize":
      let ids = ((request.field("prompt") as? String) ?? "").utf8.map { "\($0)" }
      return .body(#"{"tokens": [\#(ids.joined(separator: ","))], "max_model_len": 100}"#)
    case "/v1/completions":
      let prompts = (request.field("prompt") as? [[Int]]) ?? []
      let choices = prompts.enumerated().map { index, ids in
        let own = ids.enumerated().map { $0 == 0 ? "null" : $1 == 110 ? "-3.0" : "-1.0" } + ["-9.0"]
        let top =
          ids.enumerated().map {
            $0 == 0 ? "null" : $1 == 110 ? #"{"n": -3.0, "x": -0.5}"# : #"{"x": -1.0}"#
          } + ["{}"]
        func list(_ values: [String]) -> String {
          (echoes ? values : values.suffix(1)).joined(separator: ",")
        }
        return #"{"index": \#(index), "text": "", "finish_reason": "length", "logprobs": "#
          + #"{"token_logprobs": [\#(list(own))], "top_logprobs": [\#(list(top))]}}"#
      }
      return .body(#"{"model": "m", "choices": [\#(choices.reversed().joined(separator: ","))]}"#)
    default: return .body("{}", status: 404)
    }
  }

  @Test func likelihoodsAreThoseOfTheEcho() throws {
    let stub = try StubEndpoint { Self.answer($0, echoes: true) }
    defer { stub.end() }
    let outcome = try run("rows", "j.jsonl", ["--endpoint", stub.address, "--limit", "1"])
    #expect(outcome.isSuccess, "\(outcome.errors)")
    let text = folder.text("j.jsonl")
    // " nothing" has two of the bytes that are not the likeliest, " 2" and " it is 0" none.
    for score in [
      #"{"characters":7,"greedy":false,"logprob":-12,"tokens":8}"#,
      #"{"characters":1,"greedy":true,"logprob":-2,"tokens":2}"#,
      #"{"characters":7,"greedy":true,"logprob":-8,"tokens":8}"#,
    ] { #expect(text.contains(score), "\(score)") }
    let asked = try #require(stub.requests.last { $0.path == "/v1/completions" })
    #expect(asked.field("echo") as? Bool == true && asked.field("max_tokens") as? Int == 1)
    #expect(asked.field("logprobs") as? Int == 1)
    #expect((asked.field("prompt") as? [[Int]])?.count == 3)
  }

  @Test func whoCannotScoreIsRefused() throws {
    let deaf = try StubEndpoint { Self.answer($0, echoes: false) }
    let bare = try StubEndpoint { request in
      request.path == "/tokenize"
        ? .body("{}", status: 404) : Self.answer(request, echoes: true)
    }
    defer {
      deaf.end()
      bare.end()
    }
    expectRefusal(
      try run("rows", "d.jsonl", ["--endpoint", deaf.address]),
      naming: ["cannot score candidates", "log-probabilities of the prompt's 23 tokens"])
    expectRefusal(
      try run("rows", "b.jsonl", ["--endpoint", bare.address]),
      naming: ["cannot score candidates", "/tokenize", "404"])
    expectRefusal(
      try run("rows", "c.jsonl", ["--endpoint", deaf.address, "--dialect", "chat"]),
      naming: ["dialect chat", "completions"])
  }

  /// Where log-probabilities are wanted, the token that ends a text has its own; programs that score
  /// prompts count on one behind them.
  @Test func endsAreScored() throws {
    let server = try TestServer()
    func ask(_ more: [String: Any]) throws -> (choice: [String: Any], tokens: Int) {
      let body: [String: Any] = [
        "prompt": "<|im_start|>user\n\(Nano.problem)<|im_end|>\n<|im_start|>assistant\n",
        "temperature": 0, "max_tokens": 300,
      ]
      let reply = try server.post("/v1/completions", body.merging(more) { $1 })
      #expect(reply.status == 200, "\(reply.text)")
      let usage = reply.json["usage"] as? [String: Any]
      return (try #require(reply.choices.first), usage?["completion_tokens"] as? Int ?? -1)
    }
    func values(_ choice: [String: Any]) -> [Any] {
      (choice["logprobs"] as? [String: Any])?["token_logprobs"] as? [Any] ?? []
    }
    let plain = try ask([:])
    let scored = try ask(["logprobs": 1])
    #expect(scored.choice["text"] as? String == plain.choice["text"] as? String)
    #expect(scored.choice["finish_reason"] as? String == "stop")
    #expect(scored.tokens == plain.tokens)
    #expect(values(scored.choice).count == scored.tokens + 1)
    #expect(values(scored.choice).last as? Double ?? 1 <= 0)
    let cut = try ask(["logprobs": 1, "max_tokens": scored.tokens])
    #expect(cut.choice["finish_reason"] as? String == "length")
    #expect(values(cut.choice).count == scored.tokens)
  }
}
