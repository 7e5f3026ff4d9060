import Foundation
import JSON

/// A call of a tool that a model wrote.
public struct ToolCall: Sendable, Hashable {
  /// Names this call among all.
  public let id = AnswerHead.randomID()
  /// The tool's name.
  public let name: String
  /// The arguments, an object.
  public let arguments: JSONValue

  /// The call as `call`, an object with `name` and `arguments` (Qwen, Hermes) or `parameters`
  /// (Llama), says it.
  init?(_ call: JSONValue) {
    guard let name = call["name"]?.string else { return nil }
    let given = call["arguments"] ?? call["parameters"] ?? .object([:])
    guard given.object != nil else { return nil }
    self.name = name
    arguments = given
  }

  /// The call as Qwen3-Coder writes it: `<function=NAME>`, then `<parameter=KEY>` and the value on
  /// lines of its own.
  init?(tagged text: String) {
    guard let start = text.range(of: "<function="),
      let end = text.range(of: ">", range: start.upperBound..<text.endIndex)
    else { return nil }
    name = String(text[start.upperBound..<end.lowerBound])
    var arguments: OrderedObject<JSONValue> = [:]
    var rest = text[end.upperBound...]
    while let open = rest.range(of: "<parameter="),
      let named = rest.range(of: ">", range: open.upperBound..<rest.endIndex),
      let close = rest.range(of: "</parameter>", range: named.upperBound..<rest.endIndex)
    {
      let value = rest[named.upperBound..<close.lowerBound].trimmingCharacters(in: .newlines)
      let key = String(rest[open.upperBound..<named.lowerBound])
      let parsed = try? JSONValue(parsing: value.utf8)
      arguments[key] = parsed.flatMap { $0.string == nil ? $0 : nil } ?? .string(value)
      rest = rest[close.upperBound...]
    }
    self.arguments = .object(arguments)
  }
}

/// Finds the calls of tools in an answer as it arrives, and lets all other text through.
///
/// Qwen and Hermes write `<tool_call>`, an object, `</tool_call>`; Llama an object that is the
/// whole answer, or several with semicolons between. What looks like a call and is none of the
/// tools offered stays text.
public struct ToolCallReader: Sendable {
  private static let open = "<tool_call>"
  private static let close = "</tool_call>"

  private enum Mode {
    /// Nothing but blank text has come.
    case start
    case text
    /// Behind a call; line breaks that follow it belong to it.
    case behind
    /// Behind the opening tag.
    case tagged
    /// An answer that began with a brace.
    case object
  }

  private let names: Set<String>
  private var mode = Mode.start
  private var held = ""
  /// The calls found so far.
  public private(set) var calls: [ToolCall] = []

  /// Looks for calls of tools of these names.
  public init(names: Set<String>) { self.names = names }

  /// Takes the next piece and returns the text that is no part of a call.
  public mutating func push(_ piece: String) -> String {
    held += piece
    var text = ""
    while true {
      switch mode {
      case .start:
        let begun = held.drop(while: \.isWhitespace)
        guard let first = begun.first else { return "" }
        mode = first == "{" ? .object : .text
      case .object: return text
      case .behind:
        held = String(held.drop(while: \.isNewline))
        if held.isEmpty { return text }
        mode = .text
      case .text:
        if let range = held.range(of: Self.open) {
          text += held[..<range.lowerBound]
          held = String(held[range.upperBound...])
          mode = .tagged
        } else {
          // What may be the beginning of a tag waits.
          var kept = min(Self.open.count - 1, held.count)
          while kept > 0, !Self.open.hasPrefix(held.suffix(kept)) { kept -= 1 }
          text += held.dropLast(kept)
          held = String(held.suffix(kept))
          return text
        }
      case .tagged:
        guard let range = held.range(of: Self.close) else { return text }
        let body = String(held[..<range.lowerBound])
        if !take(body) { text += Self.open + body + Self.close }
        held = String(held[range.upperBound...])
        mode = .behind
      }
    }
  }

  /// What was held back and is no call, at the end of the answer.
  public mutating func finish() -> String {
    defer { held = "" }
    switch mode {
    case .start, .behind, .text: return held
    case .tagged: return take(held) ? "" : Self.open + held
    case .object:
      let before = calls
      let parts = held.split(separator: ";").map { String($0) }
      if take(held) || parts.allSatisfy({ take($0) }) { return "" }
      calls = before
      return held
    }
  }

  private mutating func take(_ body: String) -> Bool {
    let value = try? JSONValue(parsing: body.utf8)
    guard let call = value.flatMap({ ToolCall($0) }) ?? ToolCall(tagged: body),
      names.contains(call.name)
    else { return false }
    calls.append(call)
    return true
  }
}
