/// A user message with places for the question and the options.
///
/// `{question}` and `{choices}` are replaced; any other lower-case word in braces is an error, and
/// all other braces stay as they are.
public struct PromptTemplate: Sendable, Hashable, Codable {
  /// A place in a template.
  enum Placeholder: String, CaseIterable {
    case question
    case choices
    case group
  }

  /// A stretch of the message.
  private enum Part {
    case text(Substring)
    case place(Placeholder)
  }

  /// The text with its places.
  public let text: String

  /// Checks a template.
  ///
  /// - Throws: ``EvaluationError/setting(name:value:expected:)`` for an unknown place, or when the
  ///   question has none.
  public init(_ text: String) throws(EvaluationError) {
    self.text = text
    guard try Self.placeholders(in: text).contains(.question) else {
      throw .setting(name: "prompt", value: "'\(text)'", expected: "a text with {question}")
    }
  }

  /// Reads the text from a single string.
  public init(from decoder: any Decoder) throws {
    try self.init(try decoder.singleValueContainer().decode(String.self))
  }

  /// Writes the text as a single string.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(text)
  }

  /// Whether the options are shown.
  public var showsChoices: Bool {
    Self.parts(of: text).contains { if case .place(.choices) = $0 { true } else { false } }
  }

  /// The message for one item.
  ///
  /// - Parameters:
  ///   - question: The question.
  ///   - choices: The options in the order to show them, on a line each.
  ///   - line: How an option is shown, with `{letter}`, `{number}` and `{text}`; nil for `A) text`.
  ///   - group: The item's group in words.
  /// - Returns: The message.
  public func render(
    question: String, choices: [String], line: String? = nil, group: String = ""
  ) -> String {
    let options = choices.enumerated().map { place, text in
      ChoicePresentation.fill(line ?? "{letter}) {text}", option: text, place: place)
    }.joined(separator: "\n")
    return Self.parts(of: text).map { part in
      switch part {
      case .text(let text): String(text)
      case .place(.question): question
      case .place(.choices): options
      case .place(.group): group
      }
    }.joined()
  }

  private static func placeholders(in text: String) throws(EvaluationError) -> Set<Placeholder> {
    var found: Set<Placeholder> = []
    for word in words(in: text) {
      guard let place = Placeholder(rawValue: String(text[word])) else {
        throw .setting(
          name: "prompt", value: "'{\(text[word])}'", expected: "{question}, {choices} or {group}")
      }
      found.insert(place)
    }
    return found
  }

  private static func parts(of text: String) -> [Part] {
    var parts: [Part] = []
    var start = text.startIndex
    for word in words(in: text) {
      guard let place = Placeholder(rawValue: String(text[word])) else { continue }
      parts.append(.text(text[start..<text.index(before: word.lowerBound)]))
      parts.append(.place(place))
      start = text.index(after: word.upperBound)
    }
    return parts + [.text(text[start...])]
  }

  /// The lower-case words between braces.
  private static func words(in text: String) -> [Range<String.Index>] {
    text.indices.filter { text[$0] == "{" }.compactMap { open in
      let start = text.index(after: open)
      let end = text[start...].firstIndex { !("a"..."z").contains($0) } ?? text.endIndex
      return end > start && end < text.endIndex && text[end] == "}" ? start..<end : nil
    }
  }
}

/// The letters that stand for options.
enum ChoiceLetter {
  /// A to Z.
  static let all = (UInt8(ascii: "A")...UInt8(ascii: "Z")).map { String(UnicodeScalar($0)) }

  /// The letter at a place; the place's number, from 1, where letters end.
  static func name(_ place: Int) -> String {
    all.indices.contains(place) ? all[place] : "\(place + 1)"
  }

  /// The position of an upper-case letter, from 0.
  static func position(of letter: String) -> Int? { all.firstIndex(of: letter) }
}
