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

  /// A turn as JSON.
  /// - Parameters:
  ///   - value: an object.
  ///   - key: names the value in errors, such as `messages[2]`.
  /// - Throws: ``TokenizerError/invalidMessage(key:reason:)`` unless it is an object with a
  ///   string `role`.
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
    self.fields = fields
  }

  /// Who speaks: `system`, `user`, `assistant`, `tool`, ...
  public var role: String { fields["role"]?.string ?? "" }

  /// The text of the turn; nil where the content is null, absent or structured.
  public var content: String? { fields["content"]?.string }

  /// Parses a conversation: a JSON array of messages, or an object with such an array as
  /// `messages`.
  ///
  /// Not `Decodable`, because keyed containers lose the order of members, which the template
  /// prints.
  public static func conversation(parsing bytes: some Sequence<UInt8>, file: String)
    throws(TokenizerError) -> [ChatMessage]
  {
    let document = try JSONValue(parsing: bytes, file: file, failure: TokenizerError.self)
    guard let messages = (document["messages"] ?? document).array else {
      throw .invalidMessage(key: file, reason: "expected an array of messages")
    }
    var conversation: [ChatMessage] = []
    for (index, message) in messages.enumerated() {
      conversation.append(try ChatMessage(message, key: "\(file): messages[\(index)]"))
    }
    return conversation
  }
}
