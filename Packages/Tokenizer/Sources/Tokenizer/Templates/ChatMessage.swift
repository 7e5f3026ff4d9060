import JSON

/// One turn of a conversation: a role, a content, and whatever else the template knows
/// (`tool_calls`, `reasoning_content`, `name`, ...), kept as it was written.
public struct ChatMessage: Sendable, Equatable {
  /// All members, in written order.
  public let fields: OrderedObject<JSONValue>

  /// A plain text turn.
  public init(role: String, content: String) {
    var fields = OrderedObject<JSONValue>()
    fields["role"] = .string(role)
    fields["content"] = .string(content)
    self.fields = fields
  }

  /// A turn of members that were checked.
  init(fields: OrderedObject<JSONValue>) { self.fields = fields }

  /// A turn as JSON.
  /// - Parameters:
  ///   - value: an object.
  ///   - key: names the value in errors, such as `messages[2]`.
  /// - Throws: ``TokenizerError/invalidMessage(key:reason:)`` unless it is an object with a
  ///   string `role` and a `content` that is a text or parts, which all but those of assistants have.
  public init(_ value: JSONValue, key: String = "message") throws(TokenizerError) {
    guard let fields = value.object else {
      throw .invalidMessage(key: key, reason: "expected an object, found \(value.kind.rawValue)")
    }
    guard let role = fields["role"] else {
      throw .invalidMessage(key: key, reason: "has no role")
    }
    guard role.string != nil else {
      throw .invalidMessage(
        key: "\(key).role", reason: "expected a string, found \(role.kind.rawValue)")
    }
    let content = fields["content"] ?? .null
    guard content.isNull || content.string != nil || content.array != nil else {
      throw .invalidMessage(
        key: "\(key).content",
        reason: "expected a string, or an array of parts, found \(content.kind.rawValue)")
    }
    // An assistant may have called tools and said nothing.
    if content.isNull, role.string != "assistant" {
      throw .invalidMessage(key: "\(key).content", reason: "is missing")
    }
    self.fields = fields
  }

  /// Who speaks: `system`, `user`, `assistant`, `tool`, ...
  public var role: String { fields["role"]?.string ?? "" }

  /// The text of the turn; nil where the content is null, absent or structured.
  public var content: String? { fields["content"]?.string }

  /// The turn as that of another role.
  func said(by role: String) -> ChatMessage {
    var fields = fields
    fields["role"] = .string(role)
    return ChatMessage(fields: fields)
  }

  /// Whether an assistant's turn has no content, which one that calls tools may lack.
  var isSilent: Bool { role == "assistant" && (fields["content"] ?? .null).isNull }

  /// The turn with another content.
  func with(content: JSONValue) -> ChatMessage {
    var fields = fields
    fields["content"] = content
    return ChatMessage(fields: fields)
  }

  /// The turn with more text at the end of its content: of its last part where it has several.
  func followed(by text: String) -> ChatMessage {
    guard var parts = fields["content"]?.array, var last = parts.last?.object else {
      return with(content: .string((content ?? "") + text))
    }
    last["text"] = .string((last["text"]?.string ?? "") + text)
    parts[parts.count - 1] = .object(last)
    return with(content: .array(parts))
  }

  /// The turn with a content of several text parts (`[{"type": "text", "text": ...}]`) as one text,
  /// its parts on lines of their own.
  /// - Throws: ``TokenizerError/invalidMessage(key:reason:)`` naming a part that is no text.
  public func flattened(key: String = "message") throws(TokenizerError) -> ChatMessage {
    guard let parts = fields["content"]?.array else { return self }
    var texts: [String] = []
    for (index, part) in parts.enumerated() {
      let place = "\(key).content[\(index)]"
      let type = part["type"]?.string ?? part.kind.rawValue
      guard type == "text" else {
        throw .invalidMessage(
          key: place, reason: "is of type \"\(type)\"; the model reads text alone")
      }
      guard let text = part["text"]?.string else {
        throw .invalidMessage(key: place, reason: "has no string \"text\"")
      }
      texts.append(text)
    }
    return with(content: .string(texts.joined(separator: "\n")))
  }
}
