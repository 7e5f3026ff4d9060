import Foundation
import JSON
import Synchronization
import Tokenizer

/// Turns what a user says into the prompt that a model was trained on.
public struct PromptBuilder: Sendable {
  private let files: ModelFiles
  private let tokenizer: TextTokenizer
  private let thinks: Bool
  private let specialText: SpecialText
  /// The templates that were read, by whether they are to take tools; nil for one that is not there.
  private let templates = Shelf()

  private final class Shelf: Sendable {
    let known = Mutex<[Bool: ChatTemplate?]>([:])
  }

  /// A builder with the chat template among `files`.
  ///
  /// - Parameters:
  ///   - files: the model's files.
  ///   - tokenizer: its tokenizer.
  ///   - thinks: false asks the template for an answer without thinking.
  ///   - specialText: whether special tokens that messages spell stay text.
  public init(
    files: ModelFiles, tokenizer: TextTokenizer, thinks: Bool,
    specialText: SpecialText = .treatSpecialTextAsPlain
  ) {
    self.files = files
    self.tokenizer = tokenizer
    self.thinks = thinks
    self.specialText = specialText
  }

  /// The prompt of a conversation, and what the user should know of it.
  public struct Prompt {
    /// The prompt.
    public private(set) var text: PromptText
    /// Whether it is encoded with what the model wants around a text, as no template wrote it.
    let addsSpecialTokens: Bool
    /// What was not as the user may think, for people.
    public let warnings: [String]

    /// Appends how the reply begins.
    mutating func append(_ beginning: String) { text.append(beginning) }
  }

  /// The prompt of a conversation.
  ///
  /// - Throws: `TokenizerError` for a template that cannot be read, or refuses the conversation.
  public func prompt(_ conversation: ChatConversation) throws -> Prompt {
    guard let template = try template(usesTools: conversation.tools != nil) else {
      return try withoutTemplate(conversation)
    }
    var warnings: [String] = []
    if conversation.tools != nil, !template.source.contains("tools") {
      throw UserError("the model's chat template takes no tools")
    }
    var conversation = conversation
    if !thinks { conversation.variables.merge(Self.noThought) { given, _ in given } }
    var text = try tokenizer.prompt(conversation, template, specialText: specialText)
    if !thinks, conversation.end == .reply {
      let switches = Self.noThought.keys.contains(where: template.source.contains)
      if !text.closeThought(), !switches {
        warnings.append("the model's chat template has no switch for thinking; it may think")
      }
    }
    return Prompt(text: text, addsSpecialTokens: false, warnings: warnings)
  }

  /// The prompt's ids of a conversation.
  ///
  /// - Throws: `TokenizerError` when the template refuses the conversation.
  public func ids(_ messages: [ChatMessage]) throws -> [Int32] {
    ids(try prompt(ChatConversation(messages: messages)))
  }

  /// The ids of a prompt.
  public func ids(_ prompt: Prompt) -> [Int32] {
    if prompt.addsSpecialTokens {
      return tokenizer.encode(
        prompt.text.text, addSpecialTokens: true, specialText: specialText)
    }
    return tokenizer.encode(prompt.text)
  }

  /// The model's template, or nil where it has none; read once.
  private func template(usesTools: Bool) throws -> ChatTemplate? {
    try templates.known.withLock { known in
      if let template = known[usesTools] { return template }
      var template: ChatTemplate?
      do {
        template = try ChatTemplate.load(files: files, usesTools: usesTools)
      } catch TokenizerError.noChatTemplate {}
      known[usesTools] = .some(template)
      return template
    }
  }

  /// The variables by which templates are asked for no thought.
  private static let noThought: [String: JSONValue] = [
    "enable_thinking": .bool(false), "thinking": .bool(false),
  ]

  /// One message as it is; several with their roles, as a transcript that the assistant goes on
  /// with.
  private func withoutTemplate(_ conversation: ChatConversation) throws -> Prompt {
    if conversation.tools != nil {
      throw UserError(
        "\(files.place): has no chat template, so tools cannot be put into the prompt")
    }
    var warnings = ["\(files.place): has no chat template; "]
    let messages = try conversation.messages.enumerated().map {
      try $1.flattened(key: "messages[\($0)]")
    }
    var text: String
    if messages.count == 1, messages[0].role == "user" {
      warnings[0] += "the prompt is used as it is"
      text = messages[0].content ?? ""
    } else {
      warnings[0] += "the conversation is written as \"role: text\""
      text = messages.map { "\($0.role): \($0.content ?? "")" }.joined(separator: "\n\n")
      switch conversation.end {
      case .reply: text += "\n\nassistant:"
      case .message: text += "\n\n"
      case .openMessage: break
      }
    }
    if !thinks { warnings.append("without a chat template nothing can be said about thinking") }
    return Prompt(text: PromptText(text), addsSpecialTokens: true, warnings: warnings)
  }
}

extension PromptText {
  /// Closes a thought that the prompt leaves open at its end; false where there is none.
  fileprivate mutating func closeThought() -> Bool {
    guard let open = text.range(of: "<think>", options: .backwards),
      text[open.upperBound...].allSatisfy(\.isWhitespace)
    else { return false }
    replaceEnd(
      from: text.utf8.distance(from: text.startIndex, to: open.upperBound), with: "\n\n</think>\n\n"
    )
    return true
  }
}
