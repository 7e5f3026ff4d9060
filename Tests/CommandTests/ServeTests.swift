import Foundation
import Testing

/// What `serve` answers, next to what `generate` prints.
@Suite struct ServeTests {
  static let user = [["role": "user", "content": Nano.problem]]

  static func chat(_ more: [String: Any]) -> [String: Any] {
    ["messages": user].merging(more) { $1 }
  }

  @Test func textsAreThoseOfGenerate() throws {
    let server = try TestServer()
    for (flags, fields) in [
      (["--seed", "7"], ["seed": 7]),
      (
        ["--seed", "3", "--temperature", "1.2", "--top-p", "0.9"],
        ["seed": 3, "temperature": 1.2, "top_p": 0.9]
      ),
      (
        ["--seed", "5", "--think-budget", "40", "--force"],
        ["seed": 5, "thinking_token_budget": 40, "thinking_force": true]
      ),
      (["--greedy", "--no-thinking"], ["temperature": 0, "reasoning_effort": "none"]),
    ] as [([String], [String: Any])] {
      let printed = try TemporaryFolder().run(
        .generate, ["--model", Nano.model, "--prompt", Nano.problem] + flags)
      let reply = try server.post("/v1/chat/completions", Self.chat(fields))
      #expect(reply.status == 200, "\(reply.text)")
      let thought = reply.message["reasoning_content"] as? String
      #expect(reply.message["reasoning"] as? String == thought)
      let parts = [
        thought.map { "--- thinking ---\n\($0)\n--- answer ---\n" } ?? "", reply.content ?? "",
      ]
      #expect(printed.output == parts.joined() + "\n")
      // Streamed, the pieces are the same text.
      let streamed = try server.post(
        "/v1/chat/completions", Self.chat(fields.merging(["stream": true]) { $1 }))
      #expect(streamed.text.hasSuffix("data: [DONE]\n\n"))
      let deltas = streamed.events.flatMap { $0["choices"] as? [[String: Any]] ?? [] }.compactMap {
        $0["delta"] as? [String: Any]
      }
      #expect(deltas.compactMap { $0["content"] as? String }.joined() == reply.content)
      #expect(
        deltas.compactMap { $0["reasoning_content"] as? String }.joined() == thought ?? "")
    }
  }

  @Test func severalTextsAndTheirVote() throws {
    let server = try TestServer()
    let budget: [String: Any] = [
      "seed": 3, "thinking_token_budget": 60, "thinking_force": true, "n": 4,
    ]
    let several = try server.post("/v1/chat/completions", Self.chat(budget))
    #expect(several.choices.map { $0["index"] as? Int } == [0, 1, 2, 3])
    let own = several.choices.compactMap {
      ($0["usage"] as? [String: Any])?["completion_tokens"] as? Int
    }
    let together = (several.json["usage"] as? [String: Any])?["completion_tokens"] as? Int
    #expect(own.count == 4 && own.reduce(0, +) == together)
    // The last is that of a request for one, of a seed higher by three.
    let last = try server.post(
      "/v1/chat/completions", Self.chat(budget.merging(["seed": 6, "n": 1]) { $1 }))
    #expect(
      (several.choices[3]["message"] as? [String: Any])?["content"] as? String == last.content)
    #expect(last.choices[0]["usage"] == nil)
    var vote = budget
    vote["n"] = nil
    vote["vote"] = 4
    let voted = try server.post("/v1/chat/completions", Self.chat(vote))
    #expect(voted.choices.count == 1)
    let votes = try #require(voted.json["votes"] as? [String: Any])
    #expect(votes["of"] as? Int == 4)
    let usages = [several, voted].map { $0.json["usage"] as? [String: Any] }
    #expect(usages[0]?["total_tokens"] as? Int == usages[1]?["total_tokens"] as? Int)
    let contents = several.choices.compactMap {
      ($0["message"] as? [String: Any])?["content"] as? String
    }
    #expect(contents.contains(voted.content ?? ""))
  }

  @Test func promptsAreScored() throws {
    let server = try TestServer()
    for tokens in [0, 1] {
      let reply = try server.post(
        "/v1/completions",
        [
          "prompt": ["So the result is", [5, 6, 7]], "echo": true, "logprobs": 1,
          "max_tokens": tokens, "temperature": 0,
        ])
      #expect(reply.status == 200, "\(reply.text)")
      #expect(reply.choices.count == 2)
      for choice in reply.choices {
        let logprobs = try #require(choice["logprobs"] as? [String: Any])
        let values = try #require(logprobs["token_logprobs"] as? [Any])
        let names = try #require(logprobs["tokens"] as? [String])
        let top = try #require(logprobs["top_logprobs"] as? [Any])
        #expect(values.count == names.count && top.count == names.count)
        #expect(values.first is NSNull)
        #expect(values.dropFirst().allSatisfy { ($0 as? Double ?? 1) <= 0 })
      }
      #expect(
        (reply.choices[1]["logprobs"] as? [String: Any])?["tokens"].map { ($0 as? [Any])?.count }
          == 3 + tokens)
    }
  }

  /// What a prompt begins with is kept, and changes no bit of what follows.
  @Test func beginningsAreKept() throws {
    let server = try TestServer()
    let words = String(repeating: "Read this with care. ", count: 12) + Nano.problem
    func ask(_ server: TestServer, _ more: String) throws -> (text: String?, cached: Int) {
      let reply = try server.post(
        "/v1/chat/completions",
        ["messages": [["role": "user", "content": words + more]], "seed": 5, "max_tokens": 60])
      let usage = reply.json["usage"] as? [String: Any]
      let details = usage?["prompt_tokens_details"] as? [String: Any]
      let thought = reply.message["reasoning"] as? String ?? ""
      return (thought + (reply.content ?? ""), details?["cached_tokens"] as? Int ?? -1)
    }
    #expect(try ask(server, "").cached == 0)
    let kept = try ask(server, " Be brief.")
    #expect(kept.cached >= 64)
    let fresh = try ask(TestServer(["--prefix-cache", "0"]), " Be brief.")
    #expect(fresh.cached == 0 && fresh.text == kept.text)
    #expect(try server.metric("bitbudget_prefix_hits_total") == Double(kept.cached))
    // What is kept is all that is held.
    #expect(try server.metric("bitbudget_kv_held_bytes") ?? 0 > 0)
  }

  @Test func answersOfAGivenForm() throws {
    let server = try TestServer()
    let schema = try JSONSerialization.jsonObject(
      with: Data(
        #"{"type": "object", "required": ["a", "b"], "properties": {"a": {"enum": ["x", "y"]}, "b": {"type": "integer"}}}"#
          .utf8))
    for seed in 0..<6 {
      let reply = try server.post(
        "/v1/chat/completions",
        Self.chat([
          "seed": seed, "temperature": 1.5, "max_tokens": 200, "reasoning_effort": "none",
          "response_format": [
            "type": "json_schema", "json_schema": ["name": "pair", "schema": schema],
          ],
        ]))
      let content = try #require(reply.content, "\(reply.text)")
      let value = try JSONSerialization.jsonObject(with: Data(content.utf8)) as? [String: Any]
      #expect(value?.count == 2 && value?["b"] is Int, "\(content)")
      #expect(["x", "y"].contains(value?["a"] as? String))
    }
    let refused = try server.post(
      "/v1/chat/completions",
      Self.chat([
        "response_format": ["type": "json_schema", "json_schema": ["schema": ["pattern": "a"]]]
      ]))
    #expect(refused.status == 400 && refused.errorText.contains("pattern"))
  }

  // GuideLLM asks for it: each part says how many tokens the reply took so far.
  @Test(arguments: ["/v1/chat/completions", "/v1/completions"])
  func partsAreCounted(path: String) throws {
    let server = try TestServer()
    var asked: [String: Any] = [
      "stream": true, "max_tokens": 6, "seed": 1, "ignore_eos": true,
      "stream_options": ["include_usage": true, "continuous_usage_stats": true],
    ]
    if path.contains("chat") { asked["messages"] = Self.user } else { asked["prompt"] = "So" }
    let reply = try server.post(path, asked)
    let counts = reply.events.compactMap {
      ($0["usage"] as? [String: Any])?["completion_tokens"] as? Int
    }
    #expect(counts.count > 2 && counts.last == 6 && counts == counts.sorted(), "\(counts)")
    #expect(Set(counts).count > 2, "\(counts)")
  }

  /// A stream that counts its tokens says of each of several texts how many it took, where it ends.
  @Test(arguments: ["/v1/chat/completions", "/v1/completions"])
  func streamedTextsHaveTheirOwnCounts(path: String) throws {
    let server = try TestServer()
    var asked: [String: Any] = ["n": 3, "max_tokens": 30, "seed": 1, "temperature": 1.2]
    if path.contains("chat") { asked["messages"] = Self.user } else { asked["prompt"] = "So" }
    func counts(_ choices: [[String: Any]]) -> [Int: [Int]] {
      Dictionary(
        choices.compactMap { choice in
          ((choice["usage"] as? [String: Any])?["completion_tokens"] as? Int).map {
            (choice["index"] as? Int ?? -1, [$0])
          }
        }, uniquingKeysWith: +)
    }
    func streamed(_ options: [String: Any]) throws -> (own: [Int: [Int]], all: Int?) {
      let more: [String: Any] = ["stream": true, "stream_options": options]
      let reply = try server.post(path, asked.merging(more) { $1 })
      #expect(reply.status == 200, "\(reply.text)")
      let usage = reply.events.last?["usage"] as? [String: Any]
      return (
        counts(reply.events.flatMap { $0["choices"] as? [[String: Any]] ?? [] }),
        usage?["completion_tokens"] as? Int
      )
    }
    let whole = counts(try server.post(path, asked).choices)
    #expect(whole.count == 3)
    let told = try streamed(["include_usage": true])
    #expect(told.own == whole)
    #expect(told.all == whole.values.joined().reduce(0, +))
    #expect(try streamed([:]).own.isEmpty)
  }

  @Test func tokensThereAndBack() throws {
    let server = try TestServer()
    let ids = try server.post("/tokenize", ["prompt": "So it is <|im_end|> 5."])
    let tokens = try #require(ids.json["tokens"] as? [Int])
    #expect(ids.json["count"] as? Int == tokens.count)
    let text = try server.post("/detokenize", ["tokens": tokens])
    #expect((text.json["prompt"] as? String)?.contains("So it is") == true)
    #expect(try server.post("/detokenize", ["tokens": [1 << 20]]).field == "tokens")
    #expect(try server.get("/v1/models").text.contains(Nano.model))
    #expect(try server.get("/v1/models/\(Nano.model)").json["id"] as? String == Nano.model)
    #expect(try server.get("/v1/models/other").status == 404)
    #expect(try server.get("/health").status == 200)
  }

  /// Words of a message that spell a special token cannot end a turn.
  @Test func specialTextStaysText() throws {
    let server = try TestServer()
    let ids = try ["<|im_end|>", "hello"].map { text in
      try #require(
        try server.post("/tokenize", ["messages": [["role": "user", "content": text]]]).json[
          "tokens"] as? [Int])
    }
    let raw = try #require(
      try server.post("/tokenize", ["prompt": "<|im_end|>", "add_special_tokens": false]).json[
        "tokens"] as? [Int])
    let end = try #require(raw.first)
    #expect(raw.count == 1)
    #expect(ids[0].count { $0 == end } == ids[1].count { $0 == end })
  }

  static let wrong: [(field: String, body: String)] = [
    ("n", #""n": -1"#), ("n", #""n": 1000000"#), ("n", #""n": 1.5"#), ("n", #""n": "2""#),
    ("max_tokens", #""max_tokens": 0"#), ("max_tokens", #""max_tokens": 99999999999"#),
    ("max_tokens", #""max_tokens": 100000"#), ("top_k", #""top_k": -7"#),
    ("temperature", #""temperature": -0.1"#), ("temperature", #""temperature": 1e300"#),
    ("temperature", #""temperature": "hot""#), ("seed", #""seed": -1"#),
    ("seed", #""seed": 1e300"#),
    ("top_p", #""top_p": 0"#), ("stop", #""stop": [1]"#),
    ("stop", #""stop": "\#(String(repeating: "x", count: 5000))""#),
    ("temprature", #""temprature": 1"#),
    ("model", #""model": "another""#), ("logit_bias", #""logit_bias": {"5": 1}"#),
    ("thinking_token_budget", #""thinking_token_budget": -5"#),
    ("thinking_token_budget", #""thinking_token_budget": 5, "max_tokens": 8"#),
    ("reasoning_effort", #""reasoning_effort": "low", "max_tokens": 8"#),
    ("vote", #""vote": 3, "n": 2"#), ("top_logprobs", #""top_logprobs": 3"#),
  ]

  @Test func wrongFieldsAreNamed() throws {
    let server = try TestServer()
    for (field, text) in Self.wrong {
      let reply = try server.post(
        "/v1/chat/completions",
        text: #"{"messages": [{"role": "user", "content": "Hello"}], \#(text)}"#)
      #expect(reply.status == (field == "model" ? 404 : 400), "\(text): \(reply.text)")
      #expect(reply.field == field, "\(text): \(reply.text)")
    }
  }

  @Test func brokenBodiesAreRefused() throws {
    let server = try TestServer()
    let deep = String(repeating: "[", count: 100_000)
    for body in [
      "", "{", "[]", "null", deep, #"{"messages": \#(deep)"#, #"{"a": 1, "a": 2}"#,
      #"{"messages": NaN}"#, #"{"messages": []}"#, #"{"messages": [1]}"#,
      #"{"messages": [{"role": "wizard", "content": "x"}]}"#,
    ] {
      #expect(
        try server.post("/v1/chat/completions", text: body).status == 400, "\(body.prefix(40))")
    }
    let client = try server.connect()
    client.send("POST /tokenize HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 16\r\n\r\n")
    client.send(Array("{\"prompt\": \"".utf8) + [0xFF] + Array("\"}".utf8) + [0x20])
    #expect(try client.reply().status == 400)
    let long = String(repeating: "word ", count: 5000)
    let reply = try server.post(
      "/v1/chat/completions", ["messages": [["role": "user", "content": long]]])
    #expect(reply.status == 400 && reply.errorText.contains("1024"), "\(reply.text)")
    #expect(try server.get("/nowhere").status == 404)
    #expect(try server.get("/v1/completions").status == 405)
    #expect(try server.get("/health").status == 200)
  }

  @Test func keysAndOrigins() throws {
    let server = try TestServer(
      ["--origin", "https://example.org"], environment: ["BITBUDGET_API_KEY": "secret"])
    #expect(try server.get("/health").status == 200)
    #expect(try server.get("/v1/models").status == 401)
    #expect(try server.get("/v1/models", headers: ["Authorization": "Bearer secreT"]).status == 401)
    #expect(try server.get("/v1/models", headers: ["Authorization": "Bearer secret"]).status == 200)
    #expect(try server.get("/health", headers: ["Origin": "https://evil.example"]).status == 403)
    let allowed = try server.get("/health", headers: ["Origin": "https://example.org"])
    #expect(allowed.headers["access-control-allow-origin"] == "https://example.org")
    let client = try server.connect()
    client.request(
      "OPTIONS", "/v1/chat/completions",
      headers: ["Origin": "https://example.org", "Access-Control-Request-Method": "POST"])
    #expect(try client.reply().status == 204)
    let open = try TestServer()
    #expect(try open.get("/health", headers: ["Host": "evil.example"]).status == 403)
    expectRefusal(
      try TemporaryFolder().run(.serve, ["--host", "0.0.0.0"]), code: 2, naming: ["--api-key"])
    let nobody = String(repeating: "x", count: 70) + ".invalid"
    let refused = try TemporaryFolder().run(.serve, ["--host", nobody, "--api-key", "secret"])
    expectRefusal(refused, naming: [nobody, "no address of this name is known"])
    #expect(!refused.errors.contains("SocketAddress"))
  }

  @Test func moreThanTheQueueTakes() throws {
    let folder = try TemporaryFolder()
    let endless = try ModelCopy(in: folder, named: "endless")
    try endless.configure("max_position_embeddings", "1000000")
    let server = try TestServer(
      ["--concurrency", "1", "--queue", "1"], model: endless.path)
    func begin() throws -> LoopbackClient {
      let client = try server.connect()
      client.request(
        "POST", "/v1/chat/completions",
        #"{"messages": [{"role": "user", "content": "Hello"}], "ignore_eos": true, "stream": true, "max_tokens": 500000}"#
      )
      return client
    }
    let running = try begin()
    _ = try running.read(until: "content")
    let waiting = try begin()
    usleep(200_000)
    let refused = try begin().reply()
    #expect(refused.status == 429 && refused.headers["retry-after"] != nil, "\(refused.text)")
    // Who goes away makes place, and its cache is freed.
    running.close()
    _ = try waiting.read(until: "content")
    waiting.close()
    let end = Date() + 20
    while try server.metric("bitbudget_texts_running") != 0, Date() < end { usleep(20_000) }
    #expect(try server.metric("bitbudget_texts_running") == 0)
  }

  @Test func terminationLetsTextsFinish() throws {
    let server = try TestServer()
    let client = try server.connect()
    client.request(
      "POST", "/v1/chat/completions",
      #"{"messages": [{"role": "user", "content": "Hello"}], "ignore_eos": true, "stream": true, "max_tokens": 400}"#
    )
    _ = try client.read(until: "role")
    server.send(SIGTERM)
    #expect(String(decoding: try client.read(until: "[DONE]"), as: UTF8.self).contains("length"))
    #expect(server.finish().end == .exited(143))
  }
}
