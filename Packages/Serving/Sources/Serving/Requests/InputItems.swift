import JSON
import Tokenizer

/// The items of a response's `input` as the turns of a conversation.
///
/// What an assistant said, thought and called comes in items of its own; together they are one
/// turn.
struct InputItems {
  private(set) var messages: [ChatMessage] = []
  private var turn: OrderedObject<JSONValue> = [:]

  /// Reads items.
  ///
  /// - Throws: `APIError` naming the item and the field.
  init(_ items: [JSONValue]) throws(APIError) {
    for (index, value) in items.enumerated() {
      var item = try FieldReader(value, path: "input[\(index)]")
      let usual = value["role"] == nil ? nil : "message"
      let types = ["message", "reasoning", "function_call", "function_call_output"]
      guard let type = try item.word("type", among: types) ?? usual else {
        throw .invalid(item.name("type"), "is missing")
      }
      item.pass("id", "status")
      switch type {
      case "message": try takeMessage(&item)
      case "reasoning": try takeThought(&item)
      case "function_call": try takeCall(&item)
      default: try takeResult(&item)
      }
      try item.finish()
    }
    endTurn()
  }

  /// Ends the assistant's turn, where one has begun.
  private mutating func endTurn() {
    guard !turn.isEmpty else { return }
    var fields: OrderedObject<JSONValue> = [
      "role": .string("assistant"), "content": turn["content"] ?? .string(""),
    ]
    for key in ["reasoning_content", "tool_calls"] { fields[key] = turn[key] }
    turn = [:]
    append(.object(fields))
  }

  private mutating func append(_ message: JSONValue) {
    guard let message = try? ChatMessage(message) else { return }
    messages.append(message)
  }

  private mutating func takeMessage(_ item: inout FieldReader) throws(APIError) {
    let roles = ["user", "assistant", "system", "developer"]
    guard let role = try item.word("role", among: roles) else {
      throw .invalid(item.name("role"), "is missing")
    }
    item.pass("phase")
    let text = try Self.text(&item, "content", ["input_text", "output_text", "text"])
    if role == "assistant" {
      if turn["content"] != nil || turn["tool_calls"] != nil { endTurn() }
      turn["content"] = .string(text)
    } else {
      endTurn()
      append(.object(["role": .string(role), "content": .string(text)]))
    }
  }

  private mutating func takeThought(_ item: inout FieldReader) throws(APIError) {
    endTurn()
    item.pass("summary", "encrypted_content")
    guard item.value("content") != nil else { return }
    turn["reasoning_content"] = .string(try Self.text(&item, "content", ["reasoning_text"]))
  }

  private mutating func takeCall(_ item: inout FieldReader) throws(APIError) {
    guard let name = try item.string("name") else {
      throw .invalid(item.name("name"), "is missing")
    }
    guard let text = try item.string("arguments") else {
      throw .invalid(item.name("arguments"), "is missing")
    }
    guard let arguments = try? JSONValue(parsing: text.utf8), arguments.object != nil else {
      throw .invalid(item.name("arguments"), "expected the text of an object")
    }
    guard let id = try item.string("call_id") else {
      throw .invalid(item.name("call_id"), "is missing")
    }
    let call: JSONValue = .object([
      "id": .string(id), "type": .string("function"),
      "function": .object(["name": .string(name), "arguments": arguments]),
    ])
    turn["tool_calls"] = .array((turn["tool_calls"]?.array ?? []) + [call])
  }

  private mutating func takeResult(_ item: inout FieldReader) throws(APIError) {
    endTurn()
    guard let id = try item.string("call_id") else {
      throw .invalid(item.name("call_id"), "is missing")
    }
    let text = try Self.text(&item, "output", ["input_text", "output_text", "text"])
    append(
      .object([
        "role": .string("tool"), "tool_call_id": .string(id), "content": .string(text),
      ]))
  }

  /// A text, or the texts of parts of these types on lines of their own.
  private static func text(
    _ item: inout FieldReader, _ key: String, _ types: [String]
  ) throws(APIError) -> String {
    guard let value = item.value(key) else { throw .invalid(item.name(key), "is missing") }
    if let text = value.string { return text }
    guard let parts = value.array else {
      throw .invalid(item.name(key), "expected a text or an array, found \(value.summary)")
    }
    var texts: [String] = []
    for (index, value) in parts.enumerated() {
      var part = try FieldReader(value, path: "\(item.name(key))[\(index)]")
      guard try part.word("type", among: types) != nil else {
        throw .invalid(part.name("type"), "is missing")
      }
      guard let text = try part.string("text") else {
        throw .invalid(part.name("text"), "is missing")
      }
      part.pass("annotations", "logprobs")
      try part.finish()
      texts.append(text)
    }
    return texts.joined(separator: "\n")
  }
}
