import Foundation
import Testing

/// Tools, and responses of items, of a model whose template takes tools.
@Suite struct ToolTests {
  private static var tools: [[String: Any]] {
    let properties: [[String: Any]] = [
      ["a": ["type": "integer"], "b": ["type": "integer"]], ["zone": ["enum": ["UTC", "CET"]]],
    ]
    return zip(["add", "now"], properties).map { name, properties in
      let required = name == "add" ? ["a", "b"] : []
      return [
        "name": name, "description": "What \(name) does.",
        "parameters": ["type": "object", "properties": properties, "required": required],
      ]
    }
  }
  private static var ofChat: [[String: Any]] {
    tools.map { ["type": "function", "function": $0] }
  }
  private static var ofResponses: [[String: Any]] {
    tools.map { $0.merging(["type": "function"]) { $1 } }
  }

  private let folder: TemporaryFolder
  private let server: TestServer

  init() throws {
    folder = try TemporaryFolder()
    let model = try ModelCopy(in: folder, named: "tools")
    let template = """
      {%- if tools %}<|im_start|>system
      {{ tools | tojson }} <tool_call></tool_call><|im_end|>
      {% endif %}
      {%- for message in messages %}<|im_start|>{{ message.role }}
      {{ message.content }}{% for call in message.tool_calls or [] %}{{ call.function.arguments | tojson }}{% endfor %}<|im_end|>
      {% endfor %}
      {%- if add_generation_prompt %}<|im_start|>assistant
      {% endif %}
      """
    try Data(template.utf8).write(to: model.folder.appendingPathComponent("chat_template.jinja"))
    server = try TestServer(model: model.path)
  }

  @Test func calledAsDemanded() throws {
    let named: [String: Any] = ["type": "function", "function": ["name": "now"]]
    for (choice, names) in [("required", ["add", "now"]), (named, ["now"])] as [(Any, [String])] {
      let reply = try server.post(
        "/v1/chat/completions",
        [
          "messages": ServeTests.user, "tools": Self.ofChat, "tool_choice": choice, "seed": 3,
          "temperature": 1.5, "parallel_tool_calls": false, "reasoning_effort": "none",
          "max_tokens": 300,
        ])
      #expect(reply.choices.first?["finish_reason"] as? String == "tool_calls", "\(reply.text)")
      let calls = try #require(reply.message["tool_calls"] as? [[String: Any]])
      let function = try #require(calls.first?["function"] as? [String: Any])
      #expect(calls.count == 1 && names.contains(function["name"] as? String ?? ""))
      let arguments = try #require(function["arguments"] as? String)
      let values = try JSONSerialization.jsonObject(with: Data(arguments.utf8)) as? [String: Any]
      #expect(function["name"] as? String == "now" || values?["a"] is Int && values?["b"] is Int)
    }
    for (field, body) in [
      ("tool_choice", ["tool_choice": "required"]),
      (
        "tool_choice",
        [
          "tools": Self.ofChat,
          "tool_choice": ["type": "function", "function": ["name": "gone"]],
        ]
      ),
      ("tool_choice", ["tools": Self.ofChat, "tool_choice": "always"]),
    ] as [(String, [String: Any])] {
      let reply = try server.post(
        "/v1/chat/completions", body.merging(["messages": ServeTests.user]) { $1 })
      #expect(reply.status == 400 && reply.field == field, "\(reply.text)")
    }
  }

  /// A response is the text of the chat with the same seed, in items; streamed, its events make up
  /// the same items.
  @Test func responsesAreTextsOfTheChat() throws {
    let fields: [String: Any] = ["seed": 7, "thinking_token_budget": 40, "thinking_force": true]
    let chat = try server.post(
      "/v1/chat/completions", fields.merging(["messages": ServeTests.user]) { $1 })
    let asked = fields.merging(["input": Nano.problem]) { $1 }
    let whole = try server.post("/v1/responses", asked)
    #expect(whole.status == 200, "\(whole.text)")
    #expect(whole.json["status"] as? String == "completed")
    #expect(whole.texts == [chat.message["reasoning"] as? String, chat.content])
    let usage = whole.json["usage"] as? [String: Any]
    let expected = chat.json["usage"] as? [String: Any]
    #expect(usage?["total_tokens"] as? Int == expected?["total_tokens"] as? Int)

    let streamed = try server.post("/v1/responses", asked.merging(["stream": true]) { $1 })
    let events = streamed.events
    #expect(events.map { $0["sequence_number"] as? Int } == Array(events.indices))
    #expect(events.first?["type"] as? String == "response.created")
    #expect(events.last?["type"] as? String == "response.completed")
    for (type, text) in zip(["reasoning_text", "output_text"], whole.texts) {
      let deltas = events.filter { $0["type"] as? String == "response.\(type).delta" }
      #expect(deltas.compactMap { $0["delta"] as? String }.joined() == text)
    }
  }

  @Test func itemsThereAndBack() throws {
    let first = try server.post(
      "/v1/responses",
      [
        "instructions": "Use the tools.", "input": [["role": "user", "content": "Add 2 and 3."]],
        "tools": Self.ofResponses, "tool_choice": ["type": "function", "name": "add"],
        "seed": 1, "reasoning": ["effort": "none", "summary": "auto"],
        "max_output_tokens": 300,
      ])
    let call = try #require(
      (first.json["output"] as? [[String: Any]])?.first {
        $0["type"] as? String == "function_call"
      }, "\(first.text)")
    #expect(call["name"] as? String == "add")
    let id = try #require(call["call_id"] as? String)
    let next = try server.post(
      "/v1/responses",
      [
        "input": [
          ["role": "user", "content": [["type": "input_text", "text": "Add 2 and 3."]]], call,
          ["type": "function_call_output", "call_id": id, "output": "5"],
        ], "tools": Self.ofResponses, "tool_choice": "none", "max_output_tokens": 2, "seed": 1,
      ])
    #expect(next.json["status"] as? String == "incomplete", "\(next.text)")
    for (field, body) in [
      ("input", [:]), ("input[0].type", ["input": [["type": "image"]]]),
      ("previous_response_id", ["input": "x", "previous_response_id": "resp_1"]),
      ("tools[0].type", ["input": "x", "tools": [["type": "web_search"]]]),
      ("wat", ["input": "x", "wat": 1]),
    ] as [(String, [String: Any])] {
      let reply = try server.post("/v1/responses", body)
      #expect(reply.status == 400 && reply.field == field, "\(reply.text)")
    }
  }
}

extension LoopbackClient.Reply {
  /// The texts of a response's items.
  var texts: [String?] {
    (json["output"] as? [[String: Any]] ?? []).map { item in
      (item["content"] as? [[String: Any]])?.first?["text"] as? String
    }
  }
}
