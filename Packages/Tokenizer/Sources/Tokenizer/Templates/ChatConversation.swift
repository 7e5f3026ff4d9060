import Foundation
import JSON

/// How the prompt of a conversation ends.
public enum PromptEnd: Sendable, Hashable {
  /// With the opening of the assistant's turn.
  case reply
  /// With the last message and what ends it.
  case message
  /// Within the last message, at the end of its content: it is gone on with.
  case openMessage
}

/// What a request to a chat model holds: the messages, and what else its template is given.
///
/// Not `Decodable`, because keyed containers lose the order of members, which templates print.
public struct ChatConversation: Sendable, Equatable {
  /// The turns; never empty.
  public var messages: [ChatMessage]
  /// The tools that the model may call; nil is `none` to the template.
  public var tools: [JSONValue]?
  /// Further variables of the template (`chat_template_kwargs`), such as `enable_thinking`.
  public var variables: [String: JSONValue]
  /// How its prompt ends.
  public var end = PromptEnd.reply

  /// A conversation of these turns.
  public init(
    messages: [ChatMessage], tools: [JSONValue]? = nil, variables: [String: JSONValue] = [:]
  ) {
    self.messages = messages
    self.tools = tools
    self.variables = variables
  }

  /// Roles that every template is asked to take; others only where its source names them.
  static let roles: Set<String> = ["system", "developer", "user", "assistant", "tool", "function"]

  /// Parses a JSON array of messages, or an object with such an array as `messages` and perhaps
  /// `tools` and `chat_template_kwargs`.
  /// - Throws: ``TokenizerError`` for what is no such conversation, for one without messages, and
  ///   for members of the object that would be ignored.
  public init(parsing bytes: some Sequence<UInt8>, file: String) throws(TokenizerError) {
    let document = try JSONValue(parsing: bytes, file: file, failure: TokenizerError.self)
    if let object = document.object {
      let known: Set<String> = ["messages", "tools", "chat_template_kwargs"]
      if let other = object.keys.first(where: { !known.contains($0) }) {
        throw .invalidMessage(
          key: file,
          reason: "\"\(other)\" is not read; messages, tools and chat_template_kwargs are")
      }
    }
    guard let messages = (document["messages"] ?? document).array else {
      throw .invalidMessage(key: file, reason: "expected an array of messages")
    }
    if messages.isEmpty { throw .invalidMessage(key: file, reason: "holds no messages") }
    self.messages = []
    for (index, message) in messages.enumerated() {
      self.messages.append(try ChatMessage(message, key: "\(file): messages[\(index)]"))
    }
    if let given = document["tools"], !given.isNull {
      guard let tools = given.array, tools.allSatisfy({ $0.object != nil }) else {
        throw .invalidMessage(key: "\(file): tools", reason: "expected an array of objects")
      }
      self.tools = tools.isEmpty ? nil : tools
    }
    variables = [:]
    if let given = document["chat_template_kwargs"], !given.isNull {
      guard let object = given.object else {
        throw .invalidMessage(
          key: "\(file): chat_template_kwargs", reason: "expected an object")
      }
      for (name, value) in object.members { variables[name] = value }
    }
  }

  /// The conversation as a template takes it: roles checked, those that give directions called
  /// `system` where the template names no `developer`, whose words most would drop, and contents of
  /// several parts made one text where the template does not look at parts itself.
  /// - Throws: ``TokenizerError/invalidMessage(key:reason:)`` naming the message.
  func prepared(for template: String) throws(TokenizerError) -> ChatConversation {
    let readsParts = Self.loopsOverContents(template)
    func names(_ role: String) -> Bool {
      ["'\(role)'", "\"\(role)\""].contains(where: template.contains)
    }
    var result = self
    for (index, message) in messages.enumerated() {
      guard Self.roles.contains(message.role) || names(message.role) else {
        throw .invalidMessage(
          key: "messages[\(index)].role",
          reason: "\"\(message.role)\" is none of "
            + Self.roles.sorted().joined(separator: ", ")
            + ", and the chat template names no such role")
      }
      let flat = try message.flattened(key: "messages[\(index)]")
      if !readsParts { result.messages[index] = flat }
      if message.role == "developer", !names("developer") {
        result.messages[index] = result.messages[index].said(by: "system")
      }
    }
    return result
  }

  /// Whether a template goes through the parts of a content: `{% for part in message.content %}`.
  /// Asking whether a content is a string is not enough: most that ask drop what is none.
  static func loopsOverContents(_ template: String) -> Bool {
    template.components(separatedBy: "{%").dropFirst().contains { rest in
      let tag = rest.components(separatedBy: "%}")[0]
      let words = tag.split { " \n\t-+".contains($0) }
      guard words.first == "for", let within = words.firstIndex(of: "in") else { return false }
      let what = words[(within + 1)...].joined(separator: " ")
      return what.contains("content") && !what.contains("split")
    }
  }
}
