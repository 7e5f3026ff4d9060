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

  /// A marker of these tokens by a noncharacter.
  init(_ tokens: [AddedToken], mark: Unicode.Scalar) {
    self.mark = mark
    matcher = AddedTokenMatcher(tokens.filter(\.isSpecial))
  }

  /// The noncharacters that stand in none of the texts.
  static func marks(besides texts: [JSONValue]) -> [Unicode.Scalar] {
    let taken = texts.reduce(into: Set<Unicode.Scalar>()) { $1.collectNoncharacters(&$0) }
    return (UInt32(0xFDD0)...0xFDEF).compactMap(Unicode.Scalar.init).filter { !taken.contains($0) }
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
  /// The prompt for a conversation, which ends as that says.
  ///
  /// An assistant's turn without content is an empty one where the template cannot take none: where
  /// it fails, or writes the word None.
  ///
  /// - Parameters:
  ///   - conversation: the messages and tools; its variables win over special tokens.
  ///   - template: the model's chat template.
  ///   - specialText: whether special tokens that messages or tools spell stay text.
  ///   - now: the time that `strftime_now` tells.
  /// - Returns: the prompt, with the parts that came from messages marked.
  /// - Throws: ``TokenizerError`` for roles and parts that the template does not take, and when it
  ///   refuses the conversation, fails, writes nothing, leaves out a last message that is to be gone
  ///   on with, or goes past its limits.
  public func prompt(
    _ conversation: ChatConversation, _ template: ChatTemplate,
    specialText: SpecialText = .treatSpecialTextAsPlain, now: Date = Date()
  ) throws(TokenizerError) -> PromptText {
    let conversation = try conversation.prepared(for: template.source)
    var (messages, tools) = (conversation.messages, conversation.tools)
    let texts = messages.map { JSONValue.object($0.fields) } + (tools ?? [])
    let marks = SpecialTextMarker.marks(besides: texts + [.string(template.source)])
    guard marks.count > 1 else {
      throw .invalidMessage(key: "messages", reason: "hold all noncharacters U+FDD0 to U+FDEF")
    }
    let marker = SpecialTextMarker(parts.addedTokens, mark: marks[0])
    if specialText != .isToken {
      messages = messages.map(marker.marked)
      tools = tools?.map { marker.marked($0) }
    }
    if conversation.end == .openMessage, let last = messages.popLast() {
      messages.append(last.followed(by: String(Character(marks[1]))))
    }
    func render(_ messages: [ChatMessage]) throws(TokenizerError) -> String {
      let text = try template.render(
        messages: messages, tools: tools, addGenerationPrompt: conversation.end == .reply,
        variables: conversation.variables, now: now)
      guard !text.allSatisfy(\.isWhitespace) else { throw .templateEmpty(file: template.file) }
      return text
    }
    var text = try renderSilences(messages, render)
    if conversation.end == .openMessage {
      guard let place = text.unicodeScalars.lastIndex(of: marks[1]) else {
        throw .invalidMessage(
          key: "messages[\(messages.count - 1)]",
          reason: "cannot be gone on with: the chat template leaves it out")
      }
      text = String(text.unicodeScalars[..<place].filter { $0 != marks[1] })
    }
    return specialText == .isToken
      ? PromptText(text) : PromptText(marked: text, mark: marker.mark)
  }

  /// Renders messages, those of assistants who said nothing as empty ones where that has to be.
  private func renderSilences(
    _ messages: [ChatMessage], _ render: ([ChatMessage]) throws(TokenizerError) -> String
  ) throws(TokenizerError) -> String {
    guard messages.contains(where: \.isSilent) else { return try render(messages) }
    let filled = messages.map { $0.isSilent ? $0.with(content: .string("")) : $0 }
    let plain: String
    do throws(TokenizerError) { plain = try render(messages) } catch { return try render(filled) }
    func nones(_ text: String) -> Int { text.components(separatedBy: "None").count }
    guard let other = try? render(filled), nones(other) < nones(plain) else { return plain }
    return other
  }
}
