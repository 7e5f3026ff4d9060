import Foundation
import Testing

/// `load` on a model in its process and on endpoints.
@Suite struct LoadCommandTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func run(_ arguments: [String]) throws -> Outcome {
    try folder.run(.load, arguments, environment: ["http_proxy": "", "OPENAI_API_KEY": ""])
  }

  private func rows(_ file: String) throws -> [[String: Any]] {
    let report = try JSONSerialization.jsonObject(with: Data(folder.text(file).utf8))
    return try #require((report as? [String: Any])?["rows"] as? [[String: Any]])
  }

  @Test func modelsOfThisProcess() throws {
    for (label, price) in [("one", "2"), ("two", "4")] {
      let outcome = try run([
        "--model", Nano.model, "--scale", "0.02", "--cases", "chat,instruction", "--requests", "3",
        "--price-per-hour", price, "--label", label, "--output", "\(label).json",
      ])
      #expect(outcome.isSuccess, "\(outcome.errors)")
      let rows = try rows("\(label).json")
      #expect(rows.map { $0["promptTokens"] as? Double } == [10, 5])
      #expect(rows.map { $0["tokens"] as? Double } == [5, 3])
      #expect(rows.allSatisfy { $0["requests"] as? Int == 3 && $0["failed"] as? Int == 0 })
    }
    let table = try run(["table", "one.json", "two.json", "--svg", "load.svg"])
    #expect(table.isSuccess, "\(table.errors)")
    #expect(table.output.contains("mean gain"))
    #expect(folder.text("load.svg").hasPrefix("<svg"))
    let together = try run([
      "--model", Nano.model, "--scale", "0.02", "--cases", "chat,summary", "--requests", "4",
      "--steps", "2", "--mode", "async", "--output", "async.json",
    ])
    #expect(together.isSuccess, "\(together.errors)")
    #expect(try rows("async.json").allSatisfy { ($0["rate"] as? Double ?? 0) > 0 })
    expectRefusal(try run(["table", "one.json", "async.json"]), naming: ["sync and async"])
    expectRefusal(
      try run(["--model", Nano.model, "--cases", "large-rag"]), naming: ["no use case is left"])
  }

  /// A stream of three tokens, behind a prompt whose words are a token each and ten more.
  private static func stream(_ request: StubEndpoint.Request, isWhole: Bool) -> [String] {
    let messages = request.field("messages") as? [[String: Any]]
    let words = (messages?.first?["content"] as? String ?? "").split(separator: " ").count
    let deltas =
      [#""role": "assistant", "content": """#, #""reasoning_content": "a""#]
      + [#""content": "b""#, #""content": "c""#]
    return deltas.map { #"data: {"choices": [{"index": 0, "delta": {\#($0)}}]}"# + "\n\n" }
      + [
        #"data: {"choices": [], "usage": {"prompt_tokens": \#(words + 10), "completion_tokens": 3}}"#
          + "\n\n"
      ] + (isWhole ? ["data: [DONE]\n\n"] : [])
  }

  private static func stub(isWhole: Bool = true) throws -> StubEndpoint {
    try StubEndpoint { request in
      request.path == "/v1/models"
        ? .body(#"{"data": [{"id": "m"}]}"#)
        : .pieces(stream(request, isWhole: isWhole), pause: 0.02)
    }
  }

  @Test func endpointsAreTimedByTheirStreams() throws {
    let stub = try Self.stub()
    defer { stub.end() }
    let outcome = try run([
      "--endpoint", stub.address, "--scale", "0.1", "--cases", "chat", "--requests", "1",
      "--output", "there.json",
    ])
    #expect(outcome.isSuccess, "\(outcome.errors)")
    let row = try #require(try rows("there.json").first)
    #expect(row["promptTokens"] as? Double == 51)
    #expect(row["tokens"] as? Double == 3)
    func median(_ name: String) -> Double {
      (row[name] as? [String: Any])?["p50"] as? Double ?? 0
    }
    // The first piece has no text.
    #expect(median("first") >= 0.039)
    #expect(median("latency") >= 0.119)
    #expect(median("latency") + 1e-9 >= median("first") + 2 * median("between"))
    let asked = try #require(stub.requests.last)
    #expect(asked.field("max_tokens") as? Int == 26)
    #expect(asked.field("ignore_eos") as? Bool == true)
    let prompts = stub.requests.dropFirst().map(\.body)
    #expect(Set(prompts).count == prompts.count)
  }

  @Test func brokenStreamsAreRefused() throws {
    let stub = try Self.stub(isWhole: false)
    defer { stub.end() }
    expectRefusal(
      try run(["--endpoint", stub.address, "--scale", "0.1"]), naming: ["without [DONE]"])
  }
}
