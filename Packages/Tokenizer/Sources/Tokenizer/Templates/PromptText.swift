import Foundation
import JSON

/// A prompt in which the words of users are told apart from what the template wrote.
///
/// Text of a message that spells a special token (`<|im_end|>`) stays text: nobody can end a turn
/// or begin one by writing it. ``TextTokenizer/prompt(_:_:specialText:now:)``
/// makes such prompts, ``TextTokenizer/encode(_:addSpecialTokens:)-(PromptText,_)`` encodes them.
public struct PromptText: Sendable, Hashable {
  /// The text as the model sees it.
  public private(set) var text: String
  /// Byte offsets, ascending, at which a special token is spelled that is none.
  let plainStarts: [Int]

  /// A text whose special tokens are all meant.
  public init(_ text: String) {
    self.text = text
    plainStarts = []
  }

  /// A text with marks before what only spells special tokens.
  init(marked: String, mark: Unicode.Scalar) {
    var plain = String.UnicodeScalarView()
    var starts: [Int] = []
    var offset = 0
    for scalar in marked.unicodeScalars {
      if scalar == mark {
        starts.append(offset)
      } else {
        plain.append(scalar)
        offset += UTF8.width(scalar)
      }
    }
    text = String(plain)
    plainStarts = starts
  }

  /// Appends text in which special tokens are meant.
  public mutating func append(_ more: String) { text += more }

  /// The text up to a length in bytes of UTF-8, then other text in which special tokens are meant.
  public mutating func replaceEnd(from offset: Int, with end: String) {
    text = String(decoding: text.utf8.prefix(offset), as: UTF8.self) + end
  }
}

/// Puts a mark before each special token that a text spells.
///
/// Marks pass through what templates do with texts (cutting, joining, trimming) and are taken out
/// of the prompt afterwards.
struct SpecialTextMarker {
  /// A noncharacter that none of the texts holds.
  let mark: Unicode.Scalar
  private let matcher: AddedTokenMatcher

  /// Nil where all noncharacters stand in the texts.
  init?(_ tokens: [AddedToken], texts: [JSONValue]) {
    let taken = texts.reduce(into: Set<Unicode.Scalar>()) { $1.collectNoncharacters(&$0) }
    let candidates = (UInt32(0xFDD0)...0xFDEF).compactMap(Unicode.Scalar.init)
    guard let free = candidates.first(where: { !taken.contains($0) }) else { return nil }
    mark = free
    matcher = AddedTokenMatcher(tokens.filter(\.isSpecial))
  }

  /// A message with marks in all texts but its role. In what the assistant wrote the tags of its
  /// thoughts are meant: templates look for them.
  func marked(_ message: ChatMessage) -> ChatMessage {
    let kept: Set<String> = message.role == "assistant" ? ["<think>", "</think>"] : []
    var fields = message.fields
    for (name, value) in message.fields.members where name != "role" {
      fields[name] = marked(value, keeping: kept)
    }
    return ChatMessage(fields: fields)
  }

  /// A value with marks in all its texts, the names of members aside.
  func marked(_ value: JSONValue, keeping kept: Set<String> = []) -> JSONValue {
    switch value {
    case .string(let text): return .string(marked(text, keeping: kept))
    case .array(let elements): return .array(elements.map { marked($0, keeping: kept) })
    case .object(let object):
      return .object(OrderedObject(object.members.map { ($0, marked($1, keeping: kept)) }))
    default: return value
    }
  }

  private func marked(_ text: String, keeping kept: Set<String>) -> String {
    let bytes = Array(text.utf8)
    let starts = bytes.withUnsafeBufferPointer { matcher.starts(in: $0, keeping: kept) }
    if starts.isEmpty { return text }
    var marked: [UInt8] = []
    marked.reserveCapacity(bytes.count + 3 * starts.count)
    var copied = 0
    for start in starts {
      marked += bytes[copied..<start]
      marked += Array(String(Character(mark)).utf8)
      copied = start
    }
    return String(decoding: marked + bytes[copied...], as: UTF8.self)
  }
}

extension JSONValue {
  /// Adds the noncharacters U+FDD0 to U+FDEF of all texts.
  fileprivate func collectNoncharacters(_ found: inout Set<Unicode.Scalar>) {
    switch self {
    case .string(let text):
      for scalar in text.unicodeScalars where 0xFDD0...0xFDEF ~= scalar.value {
        found.insert(scalar)
      }
    case .array(let elements): for element in elements { element.collectNoncharacters(&found) }
    case .object(let object):
      for (name, value) in object.members {
        JSONValue.string(name).collectNoncharacters(&found)
        value.collectNoncharacters(&found)
      }
    default: break
    }
  }
}

extension TextTokenizer {
  /// The prompt for a conversation, ending with the opening of the assistant's turn.
  ///
  /// - Parameters:
  ///   - conversation: the messages and tools; its variables win over special tokens.
  ///   - template: the model's chat template.
  ///   - specialText: whether special tokens that messages or tools spell stay text.
  ///   - now: the time that `strftime_now` tells.
  /// - Returns: the prompt, with the parts that came from messages marked.
  /// - Throws: ``TokenizerError`` for roles and parts that the template does not take, and when it
  ///   refuses the conversation, fails, writes nothing, or goes past its limits.
  public func prompt(
    _ conversation: ChatConversation, _ template: ChatTemplate,
    specialText: SpecialText = .treatSpecialTextAsPlain, now: Date = Date()
  ) throws(TokenizerError) -> PromptText {
    let conversation = try conversation.prepared(for: template.source)
    let (messages, tools) = (conversation.messages, conversation.tools)
    func render(
      _ messages: [ChatMessage], _ tools: [JSONValue]?
    ) throws(TokenizerError) -> String {
      let text = try template.render(
        messages: messages, tools: tools, addGenerationPrompt: true,
        variables: conversation.variables, now: now)
      guard !text.allSatisfy(\.isWhitespace) else { throw .templateEmpty(file: template.file) }
      return text
    }
    if specialText == .isToken { return PromptText(try render(messages, tools)) }
    let texts = messages.map { JSONValue.object($0.fields) } + (tools ?? [])
    guard
      let marker = SpecialTextMarker(
        parts.addedTokens, texts: texts + [.string(template.source)])
    else {
      throw .invalidMessage(key: "messages", reason: "hold all noncharacters U+FDD0 to U+FDEF")
    }
    let text = try render(messages.map(marker.marked), tools?.map { marker.marked($0) })
    return PromptText(marked: text, mark: marker.mark)
  }
}
