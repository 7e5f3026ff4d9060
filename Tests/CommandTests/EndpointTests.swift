import Foundation
import Synchronization
import Testing

/// Benchmarks that ask endpoints: our own server, and stubs that misbehave.
@Suite struct EndpointTests {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    let rows = (0..<8).map {
      #"{"id": "s\#($0)", "question": "Start with \#($0). Then add 1. What is it?", "#
        + #""answer": \#($0 + 1)}"#
    }
    try write("rows.jsonl", rows.joined(separator: "\n"))
    for (name, more) in [
      ("sums", ""), ("sums-text", "form: text\nstops: [\"Then\", \"it\"]"),
      ("sums-begun", "prefill: \"The answer\"\nstops: [\"{5}\"]"),
    ] {
      try write(
        "\(name).yaml",
        """
        name: \(name)
        title: Sums
        version: 1
        size: 8
        fetch: Make it.
        data:
          - files: [rows.jsonl]
            fields: {id: id, question: question, answer: answer}
        prompt: "{question}"
        extraction: [box, open-box]
        grading: {rule: integer}
        samples: 1
        limits: {tokens: 24}
        \(more)
        """)
    }
  }

  private func write(_ name: String, _ text: String) throws {
    try text.write(toFile: folder.path(name), atomically: true, encoding: .utf8)
  }

  func run(
    _ bench: String, _ journal: String, _ arguments: [String],
    environment: [String: String] = [:]
  ) throws -> Outcome {
    try folder.run(
      .evaluate, ["--bench", "\(bench).yaml", "--journal", journal] + arguments,
      environment: ["OPENAI_API_KEY": "", "http_proxy": ""].merging(environment) { $1 })
  }

  // MARK: Our own server

  @Test func ourServerGivesTheJournalOfTheEngine() throws {
    let server = try TestServer(["--concurrency", "3"])
    let there = ["--endpoint", "http://127.0.0.1:\(server.port)"]
    for (bench, flags) in [
      ("sums", ["--samples", "2", "--seed", "18446744073709551615", "--limit", "3"]),
      ("sums", ["--samples", "11", "--batch", "8", "--temperature", "1.2", "--limit", "2"]),
      (
        "sums",
        [
          "--think-budgets", "8,16", "--force", "--limit", "2", "--max-tokens", "300", "--samples",
          "3",
        ]
      ),
      ("sums-text", ["--temperature", "0.8", "--top-k", "20", "--repeat-penalty", "1.1"]),
      ("sums-begun", ["--greedy", "--shard", "2/2"]),
    ] {
      let here = try run(bench, "here.jsonl", ["--model", Nano.model] + flags)
      #expect(here.isSuccess, "\(here.errors)")
      let asked = try run(bench, "there.jsonl", there + flags)
      #expect(asked.isSuccess, "\(asked.errors)")
      let names = flags.contains("--think-budgets") ? ["-8", "-16"] : [""]
      for name in names {
        let journals = try ["here", "there"].map { try Journal(folder.text("\($0)\(name).jsonl")) }
        #expect(!journals[0].samples.isEmpty)
        #expect(journals[0] == journals[1])
        for place in ["here", "there"] {
          try FileManager.default.removeItem(atPath: folder.path("\(place)\(name).jsonl"))
        }
      }
    }
    // What only the server knows is confirmed by it, or refused.
    let confirmed = try run("sums", "kv.jsonl", there + ["--limit", "1", "--kv", "bf16"])
    #expect(confirmed.isSuccess, "\(confirmed.errors)")
    for dialect in ["bitbudget", "chat"] {
      expectRefusal(
        try run(
          "sums", "layers.jsonl", there + ["--kv", "int4+L99=int8", "--dialect", dialect]),
        naming: ["layer 99"])
    }
  }

  /// In every dialect our server keeps caches as it is asked to, as one does that keeps all so.
  @Test(
    arguments: [("sums", "bitbudget"), ("sums", "chat"), ("sums-text", "completions")],
    [["--kv", "int4"], ["--kv", "int8/int4", "--kv-evict", "rkv:80,buffer=16"]])
  func ourServerKeepsWhatIsAskedFor(asked: (bench: String, dialect: String), kv: [String]) throws {
    let servers = [try TestServer(["--kv", "int8"]), try TestServer(kv)]
    var sources = servers.map {
      ["--endpoint", "http://127.0.0.1:\($0.port)", "--dialect", asked.dialect]
    }
    if asked.dialect == "bitbudget" { sources.append(["--model", Nano.model]) }
    let journals = try sources.enumerated().map { index, source in
      let flags = kv + ["--samples", "2", "--limit", "3", "--max-tokens", "200"]
      let run = try run(asked.bench, "\(index).jsonl", source + flags)
      #expect(run.isSuccess, "\(run.errors)")
      return try Journal(folder.text("\(index).jsonl"))
    }
    #expect(journals[0].samples.count == 6 && journals.allSatisfy { $0 == journals[0] })
  }

  /// A beginning of the answer goes to our server in vLLM's words.
  @Test func begunAnswersAreGoneOnWithInTheDialectChat() throws {
    let server = try TestServer()
    let greedy = ["--greedy", "--limit", "3"]
    let asked = try run(
      "sums-begun", "there.jsonl",
      ["--endpoint", "http://127.0.0.1:\(server.port)", "--dialect", "chat"] + greedy)
    #expect(asked.isSuccess, "\(asked.errors)")
    let here = try run("sums-begun", "here.jsonl", ["--model", Nano.model] + greedy)
    #expect(here.isSuccess, "\(here.errors)")
    let journals = try ["here", "there"].map { try Journal(folder.text("\($0).jsonl")) }
    #expect(journals[0].samples.count == 3)
    // What is drawn is the same; what stands before a thought is told as part of it here, and as part
    // of the answer there.
    func said(_ journal: Journal) throws -> [String] {
      try journal.samples.map { sample in
        let record = try JSONSerialization.jsonObject(with: Data(sample.utf8)) as? [String: Any]
        let response = try #require(record?["response"] as? [String: Any])
        let text = ["thought", "answer"].map { response[$0] as? String ?? "" }.joined()
        let prompt = try #require(response["promptTokens"] as? Int)
        let drawn = text.replacing("<think>", with: "").replacing("</think>", with: "")
        return "\(prompt) \(String(drawn.filter { !$0.isWhitespace }.sorted()))"
      }
    }
    #expect(try said(journals[0]) == said(journals[1]))
  }

  /// In the dialects of others too, replies that are asked for together are those asked for alone,
  /// with the same counts of tokens.
  @Test(arguments: [("sums", "chat"), ("sums-text", "completions")])
  func togetherOurServerGivesWhatItGivesAlone(bench: String, dialect: String) throws {
    let server = try TestServer(["--concurrency", "3"])
    var journals: [Journal] = []
    for batch in ["8", "1"] {
      let run = try run(
        bench, "\(batch).jsonl",
        [
          "--endpoint", "http://127.0.0.1:\(server.port)", "--dialect", dialect, "--samples", "5",
          "--limit", "2", "--temperature", "1.2", "--batch", batch,
        ])
      #expect(run.isSuccess && !run.errors.contains("one by one"), "\(run.errors)")
      journals.append(try Journal(folder.text("\(batch).jsonl")))
    }
    #expect(journals[0].samples.count == 10)
    #expect(journals[0] == journals[1])
  }

  @Test func runsGoOnThroughOurServer() throws {
    let server = try TestServer()
    let address = "http://127.0.0.1:\(server.port)"
    let whole = try run("sums", "whole.jsonl", ["--model", Nano.model])
    #expect(whole.isSuccess, "\(whole.errors)")
    let lines = folder.text("whole.jsonl").split(separator: "\n", omittingEmptySubsequences: false)
    try write("part.jsonl", lines.prefix(4).joined(separator: "\n") + "\n")
    #expect(try run("sums", "part.jsonl", ["--endpoint", address]).isSuccess)
    #expect(
      try Journal(folder.text("part.jsonl")) == Journal(folder.text("whole.jsonl")))
  }

  // MARK: Others

  static let models = #"{"data": [{"id": "m"}]}"#

  /// The number that a question of the benchmark begins with.
  private static func number(_ request: StubEndpoint.Request) -> Int {
    let text = request.body.range(of: "Start with ").map { request.body[$0.upperBound...] }
    return text.flatMap { Int($0.prefix { $0.isNumber }) } ?? -1
  }

  private static func choice(_ answer: Int) -> String {
    #"{"message": {"role": "assistant", "content": "\\boxed{\#(answer)}", "#
      + #""reasoning_content": "so"}, "finish_reason": "stop"}"#
  }

  private static func good(_ request: StubEndpoint.Request, model: String = "m") -> String {
    #"{"model": "\#(model)", "choices": [\#(choice(number(request) + 1))], "#
      + #""usage": {"prompt_tokens": 9, "completion_tokens": 5, "#
      + #""completion_tokens_details": {"reasoning_tokens": 2}}}"#
  }

  /// What is wrong at first, or always, with each of the eight problems.
  private static func bad(_ request: StubEndpoint.Request, isFirst: Bool) -> StubEndpoint.Answer? {
    let two = #"{"choices": [\#(choice(1)), \#(choice(1))]}"#
    switch number(request) {
    case 0 where isFirst: return .body("slow down", status: 429, headers: ["Retry-After": "0"])
    case 1 where isFirst: return .body("<html>oh</html>", status: 500)
    case 2 where isFirst: return .cut(good(request), announced: 5000)
    case 3 where isFirst: return .silence(seconds: 5)
    case 4: return .body(#"{"choices": "#)
    case 5: return .body(two)
    case 6: return .body(good(request, model: "another"))
    case 7:
      return .body(#"{"error": {"message": "too long\u001b[31m"}}"#, status: 400)
    default: return nil
    }
  }

  @Test func repliesThatCannotBeHadAreMarked() throws {
    let seen = Mutex<Set<Int>>([])
    let stub = try StubEndpoint { request in
      if request.path == "/v1/models" { return .body(Self.models) }
      let isFirst = seen.withLock { $0.insert(Self.number(request)).inserted }
      return Self.bad(request, isFirst: isFirst) ?? .body(Self.good(request))
    }
    defer { stub.end() }
    let flags = ["--endpoint", stub.address, "--attempts", "2", "--timeout", "1"]
    let first = try run("sums", "j.jsonl", flags + ["--format", "csv"])
    #expect(first.isSuccess, "\(first.errors)")
    #expect(first.errors.contains("4 of 8 replies could not be had and are in no score"))
    let records = try Journal(folder.text("j.jsonl")).samples
    #expect(records.count == 8)
    for (record, words) in zip(
      records,
      ["", "", "", "", "expected JSON", "one choice", "'another'", "400: too long[31m"])
    {
      #expect(record.contains("\"finish\":\"failed\"") == !words.isEmpty)
      #expect(words.isEmpty || record.contains(words))
      #expect(record.contains("\"correct\":true") == words.isEmpty)
    }
    #expect(records[0].contains("\"thoughtTokens\":2") && records[0].contains("\"answerTokens\":3"))
    // What is wrong with a request is not sent twice.
    #expect(stub.requests.count { Self.number($0) == 7 } == 1)
    #expect(stub.requests.count { Self.number($0) == 4 } == 2)
    // The same run asks nobody; asked to, it asks for what failed.
    let count = stub.requests.count
    #expect(try run("sums", "j.jsonl", flags).isSuccess)
    #expect(stub.requests.dropFirst(count).allSatisfy { $0.path == "/v1/models" })
    let well = try StubEndpoint { request in
      .body(request.path == "/v1/models" ? Self.models : Self.good(request))
    }
    defer { well.end() }
    let again = try run("sums", "j.jsonl", ["--endpoint", well.address, "--retry-failed"])
    #expect(again.isSuccess, "\(again.errors)")
    #expect(Set(well.requests.map(Self.number)) == [-1, 4, 5, 6, 7])
    let mended = try Journal(folder.text("j.jsonl")).samples
    #expect(mended.count { $0.contains("\"correct\":true") } == 8)
    #expect(mended.prefix(4) == records.prefix(4))
  }

  @Test func questionsCarryWhatWasAsked() throws {
    let stub = try StubEndpoint { request in
      switch request.path {
      case "/v1/models": .body(Self.models)
      case "/v1/completions":
        .body(#"{"choices": [{"text": " \\boxed{1}", "finish_reason": "length"}]}"#)
      default: .body(Self.good(request))
      }
    }
    defer { stub.end() }
    let chat = try run(
      "sums-begun", "c.jsonl",
      [
        "--endpoint", stub.address, "--limit", "1", "--think-budget", "8", "--thinking-field",
        "thinking_budget", "--reasoning-effort", "low", "--top-p", "0.5",
      ], environment: ["BITBUDGET_API_KEY": "key"])
    #expect(chat.isSuccess, "\(chat.errors)")
    let asked = try #require(stub.requests.last)
    #expect(asked.headers["authorization"] == "Bearer key")
    #expect(asked.field("model") as? String == "m")
    #expect((asked.field("messages") as? [Any])?.count == 2)
    #expect(asked.field("continue_final_message") as? Bool == true)
    #expect(asked.field("thinking_budget") as? Int == 8)
    #expect(asked.field("reasoning_effort") as? String == "low")
    #expect(asked.field("top_p") as? Double == 0.5)
    #expect(asked.field("temperature") == nil)
    #expect(asked.field("stop") as? [String] == ["{5}"])
    #expect(asked.field("max_tokens") as? Int == 24)
    #expect((asked.field("seed") as? Int).map { (0...0x7FFF_FFFF).contains($0) } == true)
    let text = try run(
      "sums-text", "t.jsonl", ["--endpoint", stub.address, "--greedy", "--limit", "1"],
      environment: ["OPENAI_API_KEY": "other"])
    #expect(text.isSuccess, "\(text.errors)")
    let last = try #require(stub.requests.last)
    #expect(last.headers["authorization"] == "Bearer other")
    #expect(last.field("prompt") as? String == "Start with 0. Then add 1. What is it?")
    #expect(last.field("temperature") as? Double == 0)
    #expect(folder.text("t.jsonl").contains("\"finish\":\"length\""))
  }

  @Test func oneEndpointStandsInForAnother() throws {
    let broken = try StubEndpoint { request in
      request.path == "/v1/models" ? .body(Self.models) : .body("", status: 503)
    }
    let well = try StubEndpoint { request in
      .body(request.path == "/v1/models" ? Self.models : Self.good(request))
    }
    defer {
      broken.end()
      well.end()
    }
    let both = try run(
      "sums", "b.jsonl", ["--endpoint", broken.address, "--endpoint", well.address + "/v1/"])
    #expect(both.isSuccess, "\(both.errors)")
    #expect(folder.text("b.jsonl").components(separatedBy: "\"correct\":true").count == 9)
    #expect(broken.requests.count > 1)
    // Where nothing else is, the run ends before everything is marked.
    let alone = try run(
      "sums", "a.jsonl",
      ["--endpoint", broken.address, "--attempts", "1", "--samples", "4", "--batch", "1"])
    expectRefusal(alone, naming: ["8 requests in a row", "503"])
  }

  @Test func whatCannotBeDoneIsRefused() throws {
    let stub = try StubEndpoint { request in
      request.path == "/v1/models"
        ? .body(#"{"data": [{"id": "m"}, {"id": "n"}]}"#)
        : .body(#"{"error": {"message": "no such key"}}"#, status: 401)
    }
    defer { stub.end() }
    let there = ["--endpoint", stub.address, "--model-name", "m"]
    for (flags, code, words) in [
      (["--endpoint", stub.address], 1, ["m, n", "--model-name"]),
      (["--endpoint", stub.address, "--model-name", "o"], 1, ["no model 'o'", "m, n"]),
      (there, 1, ["401", "no such key"]),
      (there + ["--kv", "int4"], 1, ["does not tell", "int4"]),
      (there + ["--think-budget", "9"], 1, ["--thinking-field"]),
      (there + ["--think-budget", "9", "--force"], 1, ["--force"]),
      (there + ["--dialect", "completions"], 1, ["completions", "form"]),
      (there + ["--model", "nano"], 2, ["--model"]),
      (["--model-name", "m"], 2, ["--endpoint"]),
      (["--endpoint", "ftp://x"], 2, ["ftp://x"]),
    ] as [([String], Int32, [String])] {
      expectRefusal(try run("sums", "r.jsonl", flags), code: code, naming: words)
    }
    try write("text.txt", String(repeating: "some words ", count: 100))
    try write(
      "scored.yaml",
      """
      name: scored
      title: A text
      version: 1
      size: 1
      fetch: Make it.
      data:
        - files: [text.txt]
      form: text
      prompt: "{question}"
      grading: {rule: perplexity, window: 64}
      """)
    expectRefusal(
      try run("scored", "r.jsonl", there), naming: ["--endpoint", "windows of tokens"])
  }
}
