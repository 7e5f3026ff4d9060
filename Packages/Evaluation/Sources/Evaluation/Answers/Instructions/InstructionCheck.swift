import Foundation
import JSON

/// One verifiable instruction of IFEval (Zhou et al., arXiv:2311.07911) with its arguments.
struct InstructionCheck {
  /// The instructions by the names that the data set gives them.
  enum Kind: String, CaseIterable {
    case keywords = "keywords:existence"
    case frequency = "keywords:frequency"
    case forbidden = "keywords:forbidden_words"
    case letters = "keywords:letter_frequency"
    case language = "language:response_language"
    case sentences = "length_constraints:number_sentences"
    case paragraphs = "length_constraints:number_paragraphs"
    case words = "length_constraints:number_words"
    case firstWord = "length_constraints:nth_paragraph_first_word"
    case placeholders = "detectable_content:number_placeholders"
    case postscript = "detectable_content:postscript"
    case bullets = "detectable_format:number_bullet_lists"
    case constrained = "detectable_format:constrained_response"
    case highlights = "detectable_format:number_highlighted_sections"
    case sections = "detectable_format:multiple_sections"
    case json = "detectable_format:json_format"
    case title = "detectable_format:title"
    case twoResponses = "combination:two_responses"
    case repeatPrompt = "combination:repeat_prompt"
    case end = "startend:end_checker"
    case quotation = "startend:quotation"
    case capitalWords = "change_case:capital_word_frequency"
    case upperCase = "change_case:english_capital"
    case lowerCase = "change_case:english_lowercase"
    case noComma = "punctuation:no_comma"
  }

  let kind: Kind
  private let arguments: OrderedObject<JSONValue>

  /// An instruction by its name; nil for one that is not known or lacks an argument.
  init?(name: String, arguments: JSONValue) {
    guard let kind = Kind(rawValue: name) else { return nil }
    self.kind = kind
    if case .object(let object) = arguments {
      self.arguments = object
    } else {
      self.arguments = OrderedObject()
    }
    let missing = Self.needed[kind, default: []].contains { self.arguments[$0] == nil }
    if missing { return nil }
  }

  /// The arguments without which an instruction says nothing.
  private static let needed: [Kind: [String]] = [
    .keywords: ["keywords"], .frequency: ["keyword", "frequency"],
    .forbidden: ["forbidden_words"], .letters: ["letter", "let_frequency"],
    .language: ["language"], .sentences: ["num_sentences"], .paragraphs: ["num_paragraphs"],
    .words: ["num_words"], .firstWord: ["num_paragraphs", "nth_paragraph", "first_word"],
    .placeholders: ["num_placeholders"], .postscript: ["postscript_marker"],
    .bullets: ["num_bullets"], .highlights: ["num_highlights"],
    .sections: ["section_spliter", "num_sections"], .repeatPrompt: ["prompt_to_repeat"],
    .end: ["end_phrase"], .capitalWords: ["capital_frequency"],
  ]

  /// Whether a reply follows the instruction. An empty reply follows none.
  func isFollowed(by reply: String) -> Bool {
    guard !reply.stripped.isEmpty else { return false }
    switch kind {
    case .keywords: return texts("keywords").allSatisfy { Pattern.matches($0, in: reply, "i") > 0 }
    case .forbidden:
      return texts("forbidden_words").allSatisfy {
        Pattern.matches("\\b\($0)\\b", in: reply, "i") == 0
      }
    case .frequency:
      let found = Pattern.matches(text("keyword").stripped, in: reply, "i")
      return compare(found, number("frequency"), text("relation"))
    case .letters:
      let letter = text("letter").lowercased()
      let found = reply.lowercased().count { String($0) == letter }
      return compare(found, number("let_frequency"), text("let_relation"))
    case .language:
      return LanguageGuess(reply).map { $0.code == text("language") } ?? true
    case .sentences:
      return compare(
        SentenceCount.of(reply), number("num_sentences"), text("relation"))
    case .words:
      return compare(Pattern.matches("\\w+", in: reply), number("num_words"), text("relation"))
    case .capitalWords:
      return compare(
        EnglishWords.of(reply).count(where: \.isUpperCased), number("capital_frequency"),
        text("capital_relation"))
    case .upperCase:
      return reply.isUpperCased && LanguageGuess(reply).map { $0.code == "en" } ?? true
    case .lowerCase:
      return reply.isLowerCased && LanguageGuess(reply).map { $0.code == "en" } ?? true
    case .noComma: return !reply.contains(",")
    case .repeatPrompt:
      return reply.stripped.lowercased()
        .hasPrefix(text("prompt_to_repeat").stripped.lowercased())
    case .end:
      let end = reply.stripped.trimmingCharacters(in: CharacterSet(charactersIn: "\""))
      return end.lowercased().hasSuffix(text("end_phrase").stripped.lowercased())
    case .quotation:
      let text = reply.stripped
      return text.count > 1 && text.hasPrefix("\"") && text.hasSuffix("\"")
    case .constrained:
      return ["My answer is yes.", "My answer is no.", "My answer is maybe."]
        .contains { reply.stripped.contains($0) }
    default: return hasForm(reply)
    }
  }

  /// The instructions on the form of a reply.
  private func hasForm(_ reply: String) -> Bool {
    switch kind {
    case .paragraphs: hasParagraphs(reply)
    case .firstWord: beginsParagraph(reply)
    case .placeholders: Pattern.matches("\\[.*?\\]", in: reply) >= number("num_placeholders")
    case .postscript: hasPostscript(reply)
    case .bullets:
      Pattern.matches("^\\s*\\*[^\\*].*$", in: reply, "m")
        + Pattern.matches("^\\s*-.*$", in: reply, "m") == number("num_bullets")
    case .highlights: highlights(reply) >= number("num_highlights")
    case .sections:
      Pattern.split(
        "\\s?\(text("section_spliter").stripped)\\s?\\d+\\s?", reply
      ).count - 1 >= number("num_sections")
    case .json: isJSON(reply)
    case .title:
      Pattern.found("<<[^\\n]+>>", in: reply).contains {
        !$0.trimmingCharacters(in: CharacterSet(charactersIn: "<>")).stripped.isEmpty
      }
    case .twoResponses: hasTwoResponses(reply)
    default: false
    }
  }

  private func hasParagraphs(_ reply: String) -> Bool {
    let pieces = Pattern.split("\\s?\\*\\*\\*\\s?", reply)
    var count = pieces.count
    for (index, piece) in pieces.enumerated() where piece.stripped.isEmpty {
      guard index == 0 || index == pieces.count - 1 else { return false }
      count -= 1
    }
    return count == number("num_paragraphs")
  }

  private func beginsParagraph(_ reply: String) -> Bool {
    let pieces = reply.components(separatedBy: "\n\n")
    let count = pieces.count { !$0.stripped.isEmpty }
    let wanted = number("nth_paragraph")
    guard wanted >= 1, wanted <= count, pieces.indices.contains(wanted - 1),
      let first = pieces[wanted - 1].stripped.split(whereSeparator: \.isWhitespace).first
    else { return false }
    let word = first.drop { $0 == "'" }.drop { $0 == "\"" }.prefix { !".,?!'\"".contains($0) }
    return count == number("num_paragraphs")
      && word.lowercased() == text("first_word").lowercased()
  }

  private func hasPostscript(_ reply: String) -> Bool {
    let marker = text("postscript_marker").stripped
    let pattern =
      switch marker {
      case "P.P.S": "\\s*p\\.\\s?p\\.\\s?s.*$"
      case "P.S.": "\\s*p\\.\\s?s\\..*$"
      default: "\\s*\(marker.lowercased()).*$"
      }
    return Pattern.matches(pattern, in: reply.lowercased(), "m") > 0
  }

  private func highlights(_ reply: String) -> Int {
    let single = Pattern.found("\\*[^\\n\\*]*\\*", in: reply)
    let double = Pattern.found("\\*\\*[^\\n\\*]*\\*\\*", in: reply)
    return (single + double).count {
      !$0.trimmingCharacters(in: CharacterSet(charactersIn: "*")).stripped.isEmpty
    }
  }

  private func hasTwoResponses(_ reply: String) -> Bool {
    let pieces = reply.components(separatedBy: "******")
    for (index, piece) in pieces.enumerated() where piece.stripped.isEmpty {
      guard index == 0 || index == pieces.count - 1 else { return false }
    }
    let valid = pieces.map(\.stripped).filter { !$0.isEmpty }
    return valid.count == 2 && valid[0] != valid[1]
  }

  private func isJSON(_ reply: String) -> Bool {
    var text = reply.stripped
    for mark in ["```json", "```Json", "```JSON", "```"] where text.hasPrefix(mark) {
      text.removeFirst(mark.count)
    }
    if text.hasSuffix("```") { text.removeLast(3) }
    return (try? JSONValue(parsing: Data(text.stripped.utf8), dialect: .python)) != nil
  }

  private func compare(_ found: Int, _ wanted: Int, _ relation: String) -> Bool {
    relation == "less than" ? found < wanted : found >= wanted
  }

  private func text(_ name: String) -> String { arguments[name]?.fieldText ?? "" }

  private func number(_ name: String) -> Int { Int(text(name)) ?? 0 }

  private func texts(_ name: String) -> [String] {
    guard case .array(let elements) = arguments[name] else { return [] }
    return elements.compactMap(\.fieldText)
  }
}

/// Regular expressions as instructions use them; a pattern that is none matches nothing.
enum Pattern {
  /// How often it matches; `options` are `i` and `m` as behind a slash.
  static func matches(_ pattern: String, in text: String, _ options: String = "") -> Int {
    expression(pattern, options)?
      .numberOfMatches(in: text, range: NSRange(text.startIndex..., in: text)) ?? 0
  }

  /// What it matches.
  static func found(_ pattern: String, in text: String) -> [String] {
    let whole = NSRange(text.startIndex..., in: text)
    return (expression(pattern, "")?.matches(in: text, range: whole) ?? []).compactMap {
      Range($0.range, in: text).map { String(text[$0]) }
    }
  }

  /// The pieces between its matches.
  static func split(_ pattern: String, _ text: String) -> [String] {
    let whole = NSRange(text.startIndex..., in: text)
    var pieces: [String] = []
    var start = text.startIndex
    for match in expression(pattern, "")?.matches(in: text, range: whole) ?? [] {
      guard let range = Range(match.range, in: text) else { continue }
      pieces.append(String(text[start..<range.lowerBound]))
      start = range.upperBound
    }
    return pieces + [String(text[start...])]
  }

  /// A text with all its matches replaced by a template.
  static func replace(_ pattern: String, _ text: String, _ template: String) -> String {
    expression(pattern, "")?.stringByReplacingMatches(
      in: text, range: NSRange(text.startIndex..., in: text), withTemplate: template) ?? text
  }

  private static func expression(_ pattern: String, _ options: String) -> NSRegularExpression? {
    var chosen: NSRegularExpression.Options = []
    if options.contains("i") { chosen.insert(.caseInsensitive) }
    if options.contains("m") { chosen.insert(.anchorsMatchLines) }
    return try? NSRegularExpression(pattern: pattern, options: chosen)
  }
}

extension String {
  /// The text without white space around it.
  var stripped: String { trimmingCharacters(in: .whitespacesAndNewlines) }

  /// Whether there are letters that have a case, and all of them are upper case.
  var isUpperCased: Bool { contains(where: \.isCased) && self == uppercased() }

  /// Whether there are letters that have a case, and all of them are lower case.
  var isLowerCased: Bool { contains(where: \.isCased) && self == lowercased() }
}
