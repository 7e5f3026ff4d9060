import Foundation
import Testing

/// What clients of all kinds send to `serve`, at the level of HTTP.
@Suite struct ServeProtocolTests {
  /// Some clients hold a body back until they are asked for it, and send none that is not wanted.
  @Test func bodiesAreAskedFor() throws {
    let server = try TestServer(["--max-body", "2000"])
    let body = #"{"prompt": "So"}"#
    func begin(_ path: String, _ length: Int) throws -> LoopbackClient {
      let client = try server.connect(seconds: 20)
      client.send(
        "POST \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: \(length)\r\nExpect: 100-continue\r\n\r\n"
      )
      return client
    }
    let client = try begin("/tokenize", body.utf8.count)
    let asked = String(decoding: try client.read(until: "\r\n\r\n"), as: UTF8.self)
    #expect(asked == "HTTP/1.1 100 Continue\r\n\r\n")
    client.send(body)
    #expect(try client.reply().status == 200)
    #expect(try begin("/nowhere", body.utf8.count).reply().status == 404)
    #expect(try begin("/tokenize", 3000).reply().status == 413)
  }

  @Test func limitsOfSizeAndTime() throws {
    let server = try TestServer([
      "--max-body", "2000", "--body-seconds", "1", "--idle-seconds", "2", "--max-header", "4000",
    ])
    #expect(
      try server.post("/tokenize", ["prompt": String(repeating: "x", count: 3000)]).status == 413)
    let endless = try server.connect()
    endless.send("POST /tokenize HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in 0..<40 { endless.send("64\r\n" + String(repeating: "x", count: 100) + "\r\n") }
    #expect(try endless.reply().status == 413)
    let slow = try server.connect()
    slow.send("POST /tokenize HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n{")
    #expect(try slow.reply().status == 408)
    let large = try server.connect()
    large.request("GET", "/health", headers: ["X-Large": String(repeating: "x", count: 5000)])
    #expect(try large.reply().status == 431)
    let idle = try server.connect()
    idle.send("GET /health HTTP/1.1\r\nHo")
    #expect(idle.isClosedByServer())
    #expect(try server.get("/health").status == 200)
  }

  @Test func codedBodiesAreRefused() throws {
    let server = try TestServer()
    let reply = try server.post("/tokenize", text: "\u{1F}", headers: ["Content-Encoding": "gzip"])
    #expect(reply.status == 415 && reply.errorText.contains("gzip"), "\(reply.text)")
    let plain = try server.post(
      "/tokenize", ["prompt": "So"], headers: ["Content-Encoding": "identity"])
    #expect(plain.status == 200)
  }

  @Test func brokenChunksAreTheClientsMistake() throws {
    let server = try TestServer()
    let client = try server.connect(seconds: 20)
    client.send(
      "POST /tokenize HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
    #expect(try client.reply().status == 400)
    #expect(try server.get("/health").status == 200)
  }

  /// Of a request that is refused before its body is read nothing more is taken.
  @Test(arguments: ["GET /health", "POST /nowhere", "POST /v1/models", "OPTIONS /health"])
  func bodiesThatNobodyReadsEndTheConnection(request: String) throws {
    let server = try TestServer()
    let client = try server.connect(seconds: 20)
    client.send("\(request) HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n")
    client.send("5\r\nhello\r\n")
    #expect(try client.reply().headers["connection"] == "close")
    let end = Date() + 15
    var isOpen = true
    while isOpen, Date() < end {
      isOpen = client.send("5\r\nhello\r\n")
      usleep(20_000)
    }
    #expect(!isOpen)
  }

  @Test func requestsFollowOneAnother() throws {
    let server = try TestServer()
    let client = try server.connect(seconds: 20)
    let one = "GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    let other = "POST /tokenize HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    client.send(one + other + "8\r\n{\"prompt\r\n8\r\n\": \"So\"}\r\n0\r\n\r\n" + one)
    let replies = try (0..<3).map { _ in try client.reply() }
    #expect(replies.map(\.status) == [200, 200, 200])
    #expect(replies[1].json["count"] as? Int ?? 0 > 0)
  }

  @Test(arguments: ["close", "Close", "TE, CLOSE"]) func whoWantsToCloseIsHeard(wish: String) throws
  {
    let server = try TestServer()
    let client = try server.connect(seconds: 20)
    client.send("GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: \(wish)\r\n\r\n")
    #expect(try client.reply().status == 200)
    #expect(client.isClosedByServer())
  }

  /// Monitors of HTTP/1.0 name no host; pages in a browser always do.
  @Test func monitorsNeedNoHost() throws {
    let server = try TestServer()
    let client = try server.connect(seconds: 20)
    client.send("GET /health HTTP/1.0\r\n\r\n")
    #expect(try client.reply().status == 200)
    let wrong = try server.connect(seconds: 20)
    wrong.send("GET /health HTTP/1.0\r\nHost: evil.example\r\n\r\n")
    #expect(try wrong.reply().status == 403)
  }

  /// Clients of HTTP/1.0 know no chunks, and wait for the end of the connection.
  @Test func oldClientsReadToTheEnd() throws {
    let server = try TestServer()
    func asked(_ request: String, _ body: String = "") throws -> LoopbackClient.Reply {
      let client = try server.connect(seconds: 20)
      client.send("\(request) HTTP/1.0\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
      let reply = try client.reply()
      #expect(client.isClosedByServer(), "\(request)")
      #expect(reply.headers["connection"] == "close")
      #expect(reply.headers["transfer-encoding"] == nil)
      return reply
    }
    #expect(try asked("GET /health").status == 200)
    #expect(try asked("GET /nowhere").status == 404)
    #expect(try asked("POST /tokenize", #"{"prompt": "So"}"#).json["count"] as? Int ?? 0 > 0)
    let streamed = try asked(
      "POST /v1/completions", #"{"prompt": "So", "max_tokens": 8, "seed": 3, "stream": true}"#)
    #expect(streamed.text.hasPrefix("data: {") && streamed.text.hasSuffix("data: [DONE]\n\n"))
    let whole = try server.post(
      "/v1/completions", ["prompt": "So", "max_tokens": 8, "seed": 3])
    let pieces = streamed.events.compactMap {
      ($0["choices"] as? [[String: Any]])?.first?["text"] as? String
    }
    #expect(pieces.joined() == whole.choices.first?["text"] as? String)
  }

  @Test func namesWithSlashesAreFound() throws {
    let server = try TestServer(["--served-name", "org/model"])
    for path in ["org%2Fmodel", "org/model"] {
      #expect(try server.get("/v1/models/\(path)").json["id"] as? String == "org/model")
    }
  }

  /// What clients send back after calls of tools has no content, which the template joins to texts.
  @Test func assistantsMaySayNothing() throws {
    let server = try TestServer()
    func ids(_ content: Any?) throws -> [Int] {
      var said: [String: Any] = [
        "role": "assistant",
        "tool_calls": [
          [
            "id": "call_1", "type": "function", "function": ["name": "add", "arguments": "{}"],
          ]
        ],
      ]
      said["content"] = content
      let messages: [[String: Any]] = [
        ["role": "user", "content": Nano.problem], said,
        ["role": "tool", "tool_call_id": "call_1", "content": "5"],
      ]
      #expect(
        try server.post("/v1/chat/completions", ["messages": messages, "max_tokens": 2]).status
          == 200)
      return try #require(
        try server.post("/tokenize", ["messages": messages]).json["tokens"] as? [Int])
    }
    let empty = try ids("")
    #expect(try ids(NSNull()) == empty && ids(nil) == empty)
  }

  /// The last message is gone on with, in vLLM's words.
  @Test func aMessageIsGoneOnWith() throws {
    let server = try TestServer()
    let begun = ["role": "assistant", "content": "So the result is "]
    func ids(_ body: [String: Any]) throws -> [Int] {
      let reply = try server.post("/tokenize", body)
      return try #require(reply.json["tokens"] as? [Int], "\(reply.text)")
    }
    let asked: [String: Any] = [
      "messages": ServeTests.user + [begun], "add_generation_prompt": false,
      "continue_final_message": true,
    ]
    let whole = try ids(asked)
    let opened = try ids(["messages": ServeTests.user])
    let closed = try ids(["messages": ServeTests.user, "add_generation_prompt": false])
    #expect(whole.starts(with: opened) && opened.starts(with: closed))
    #expect(whole.count > opened.count && opened.count > closed.count)
    let text = try server.post("/detokenize", ["tokens": whole]).json["prompt"] as? String
    #expect(text?.hasSuffix("assistant\nSo the result is ") == true)
    let more: [String: Any] = ["temperature": 0, "max_tokens": 12]
    let chat = try server.post("/v1/chat/completions", asked.merging(more) { $1 })
    let plain = try server.post("/v1/completions", more.merging(["prompt": whole]) { $1 })
    #expect(chat.status == 200, "\(chat.text)")
    #expect(chat.content == plain.choices.first?["text"] as? String)
    let both = try server.post(
      "/v1/chat/completions", asked.merging(["add_generation_prompt": true]) { $1 })
    #expect(both.status == 400 && both.field == "continue_final_message")
  }

  /// Templates know no developers; what they say is said by the system.
  @Test func developersSpeakAsTheSystem() throws {
    let server = try TestServer()
    let ids = try ["system", "developer"].map { role in
      let asked: [String: Any] = [
        "messages": [
          ["role": role, "content": [["type": "text", "text": "Be brief."]]],
          ["role": "user", "content": Nano.problem],
        ]
      ]
      return try #require(try server.post("/tokenize", asked).json["tokens"] as? [Int])
    }
    #expect(ids[0] == ids[1])
  }
}
