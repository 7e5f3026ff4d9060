import Foundation
import Testing

/// Requests to `serve` that say what their KV caches keep.
@Suite struct ServePolicyTests {
  /// Some ways to keep a cache: the flags of `generate` and the fields of a request.
  private static let policies: [(flags: [String], fields: [String: String], name: String)] = [
    (["--kv", "int8"], [:], "int8"), (["--kv", "bf16"], ["kv": "bf16"], "bf16"),
    (["--kv", "int4/int2"], ["kv": "int4/int2"], "int4/int2"),
    (
      ["--kv", "int4", "--kv-evict", "rkv:96,buffer=32"],
      ["kv": "int4", "kv_evict": "rkv:96,buffer=32"], "rkv:96,buffer=32+int4"
    ),
    (["--kv-evict", "streaming:80"], ["kv_evict": "streaming:80"], "streaming:80"),
    (["--kv", "snapkv:96,buffer=32"], ["kv": "snapkv:96,buffer=32"], "snapkv:96,buffer=32"),
  ]
  private static var asked: [String: Any] {
    [
      "messages": ServeTests.user, "seed": 5, "thinking_token_budget": 150,
      "thinking_force": true,
    ]
  }

  /// All at once, in one batch: each text is the one that `generate` prints.
  @Test func textsAreThoseOfGenerate() throws {
    let server = try TestServer(["--kv", "int8", "--concurrency", "4"])
    let clients = try Self.policies.map { policy in
      let body = Self.asked.merging(policy.fields) { $1 }
      let client = try server.connect()
      client.request(
        "POST", "/v1/chat/completions",
        String(decoding: try JSONSerialization.data(withJSONObject: body), as: UTF8.self))
      return client
    }
    for (policy, client) in zip(Self.policies, clients) {
      let reply = try client.reply()
      #expect(reply.status == 200, "\(reply.text)")
      let printed = try TemporaryFolder().run(
        .generate,
        [
          "--model", Nano.model, "--prompt", Nano.problem, "--seed", "5", "--think-budget", "150",
          "--force",
        ] + policy.flags)
      let thought = reply.message["reasoning"] as? String ?? ""
      #expect(
        printed.output
          == "--- thinking ---\n\(thought)\n--- answer ---\n\(reply.content ?? "")\n",
        "\(policy.name)")
      #expect(reply.json["kv_cache"] as? String == policy.name)
    }
    // What is held in the end is kept for prompts to come.
    let held = try server.metric("bitbudget_kv_held_bytes") ?? 0
    #expect(try server.metric("bitbudget_kv_reserved_bytes") ?? 0 >= held)
  }

  /// Who asks for the same policy again begins with what is kept, and nobody else does.
  @Test func beginningsAreKeptByPolicy() throws {
    let server = try TestServer()
    let words = String(repeating: "Read this with care. ", count: 12) + Nano.problem
    func cached(_ kv: String) throws -> Int {
      let reply = try server.post(
        "/v1/chat/completions",
        [
          "messages": [["role": "user", "content": words]], "seed": 5, "max_tokens": 4, "kv": kv,
        ])
      let usage = reply.json["usage"] as? [String: Any]
      let details = usage?["prompt_tokens_details"] as? [String: Any]
      return try #require(details?["cached_tokens"] as? Int, "\(reply.text)")
    }
    #expect(try cached("bf16") == 0)
    #expect(try cached("f32") == 0)
    #expect(try cached("int4") == 0)
    for kv in ["bf16", "f32", "int4"] { #expect(try cached(kv) >= 64, "\(kv)") }
  }

  @Test func everyEndpointTakesThem() throws {
    let server = try TestServer()
    for (path, body) in [
      ("/v1/completions", ["prompt": "So", "max_tokens": 4]),
      ("/v1/responses", ["input": "So", "max_output_tokens": 4]),
    ] as [(String, [String: Any])] {
      let reply = try server.post(path, body.merging(["kv": "int4", "kv_evict": "h2o:64"]) { $1 })
      #expect(reply.status == 200 && reply.json["kv_cache"] as? String == "h2o:64+int4")
    }
    // Of a cache that forgets tokens no prompt is scored.
    let scored: [String: Any] = [
      "prompt": "So it is", "echo": true, "logprobs": 1, "max_tokens": 1,
    ]
    #expect(try server.post("/v1/completions", scored.merging(["kv": "int4"]) { $1 }).status == 200)
    let refused = try server.post("/v1/completions", scored.merging(["kv": "h2o:64"]) { $1 })
    #expect(refused.status == 400 && refused.field == "echo" && refused.errorText.contains("h2o"))
    let evicting = try TestServer(["--kv-evict", "h2o:64"])
    #expect(try evicting.post("/v1/completions", scored).field == "echo")
    #expect(
      try evicting.post("/v1/completions", scored.merging(["kv": "bf16"]) { $1 }).status == 200)
  }

  @Test func whatCannotBeIsNamed() throws {
    let server = try TestServer()
    for (fields, field, reason) in [
      (#""kv": "int3""#, "kv", "int3"), (#""kv": 4"#, "kv", "string"),
      (#""kv": "int4+L99=int8""#, "kv", "layer 99"), (#""kv": """#, "kv", "format"),
      (#""kv_evict": "rkv""#, "kv_evict", "rkv:2048"),
      (#""kv_evict": "forget:64""#, "kv_evict", "streaming"),
      (#""kv": "int8", "kv_evict": "rkv:99999999999""#, "kv_evict", "budget"),
      (#""kv_evict": "rkv:96,kernel=5001""#, "kv_evict", "kernel"),
      (#""kv": "\#(String(repeating: "x", count: 5000))""#, "kv", "4096"),
      (#""kv": "int8+thoughts=int8:64,int4:64", "kv_evict": "h2o:64""#, "kv_evict", "thoughts"),
    ] {
      let reply = try server.post(
        "/v1/chat/completions",
        text: #"{"messages": [{"role": "user", "content": "Hello"}], \#(fields)}"#)
      #expect(reply.status == 400 && reply.field == field, "\(fields): \(reply.text)")
      #expect(reply.errorText.contains(reason), "\(fields): \(reply.text)")
    }
    #expect(try server.get("/health").status == 200)
  }

  @Test func theMemoryIsThatOfThePolicy() throws {
    let server = try TestServer()
    let usual = try server.get("/memory?prompt=100&reply=400&texts=2").json
    let policies = try #require(usual["policies"] as? [[String: Any]])
    #expect(usual["kv"] as? String == "bf16" && policies.count > 2)
    for policy in policies {
      let name = try #require(policy["kv"] as? String)
      let escaped = name.replacing("+", with: "%2B")
      let told = try server.get("/memory?prompt=100&reply=400&texts=2&kv=\(escaped)").json
      #expect(told["kv"] as? String == name)
      #expect(told["kv_at_end"] as? Int == policy["bytes"] as? Int)
    }
    #expect(try server.get("/memory?kv=int3").field == "kv")
    #expect(try server.get("/memory?kv_evict=rkv").field == "kv_evict")
  }
}
