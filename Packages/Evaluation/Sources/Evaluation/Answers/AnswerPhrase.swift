/// Finds answers that stand in running text instead of a box.
enum AnswerPhrase {
  /// The last "answer is ..." with an answer of the rule's kind.
  ///
  /// - Returns: Nil where there is none; rules without a fixed form of answer have none.
  static func last(in text: ArraySlice<UInt8>, grading: GradingRule) -> String? {
    var end = text.endIndex
    while let word = lastAnswerWord(in: text[..<end]) {
      let found =
        switch grading {
        case .integer: integer(after: word + 6, in: text)
        case .letter(let count): letter(after: word + 6, in: text, count: count)
        case .text, .latex, .mathematics: String?.none
        }
      if let found { return found }
      end = word
    }
    return nil
  }

  /// The last line that is not blank, when it is just a letter: `X`, `(X)`, `X.` or `X)`.
  static func lastLine(in text: ArraySlice<UInt8>, grading: GradingRule) -> String? {
    guard case .letter(let count) = grading else { return nil }
    let trimmed = text.trimmed
    let start = trimmed.lastIndex { $0 == 10 || $0 == 13 }.map { $0 + 1 } ?? trimmed.startIndex
    let line = Array(trimmed[start...].filter { !$0.isMarkdown })[...].trimmed
    guard let letter = letter(at: line.startIndex, in: line, count: count),
      letter.end == line.endIndex
    else { return nil }
    return letter.text
  }

  /// What follows the last `####` on its line.
  static func afterHashMark(in text: ArraySlice<UInt8>) -> String? {
    guard let mark = text.lastRange(of: "####") else { return nil }
    let line = text[mark.upperBound...].prefix { $0 != 10 && $0 != 13 }.trimmed
    return line.isEmpty ? nil : String(decoding: line, as: UTF8.self)
  }

  /// The last number: digits, perhaps with sign, thousands commas and decimals.
  static func lastNumber(in text: ArraySlice<UInt8>) -> String? {
    guard let last = text.lastIndex(where: \.isDigit) else { return nil }
    var start = last
    while start > text.startIndex, text[start - 1].isDigit || isInnerMark(text, at: start - 1) {
      start -= 1
    }
    if start > text.startIndex, text[start - 1] == UInt8(ascii: "-") { start -= 1 }
    let number = Array(text[start...last])
    return String(decoding: LatexText.withoutThousandsCommas(number) ?? number, as: UTF8.self)
  }

  /// A point or comma between digits.
  private static func isInnerMark(_ text: ArraySlice<UInt8>, at position: Int) -> Bool {
    ".,".utf8.contains(text[position]) && position > text.startIndex && text[position - 1].isDigit
  }

  private static func lastAnswerWord(in text: ArraySlice<UInt8>) -> Int? {
    text.indices.last { text[$0].lowercased == UInt8(ascii: "a") && text.hasWord("answer", at: $0) }
  }

  // MARK: Whole numbers

  /// `is`, `:` or `=` and then a whole number that does not go on as something else.
  private static func integer(after start: Int, in text: ArraySlice<UInt8>) -> String? {
    var position = skip(in: text, from: start) { $0.isMarkdown || $0.isBlank }
    if text.hasWord("is", at: position) {
      position += 2
    } else if let byte = text.byte(at: position), ":=".utf8.contains(byte) {
      position += 1
    } else {
      return nil
    }
    while let byte = text.byte(at: position) {
      if text.has("\\(", at: position) {
        position += 2
      } else if byte.isMarkdown || byte.isBlank || "$:".utf8.contains(byte) {
        position += 1
      } else {
        break
      }
    }
    return integer(at: position, in: text)
  }

  private static func integer(at start: Int, in text: ArraySlice<UInt8>) -> String? {
    var position = start
    if let sign = text.byte(at: position), "+-".utf8.contains(sign) { position += 1 }
    let digits = position
    position = skip(in: text, from: position, while: \.isDigit)
    guard position > digits else { return nil }
    while position - digits <= 3 || text[digits..<position].contains(UInt8(ascii: ",")),
      text.byte(at: position) == UInt8(ascii: ","),
      skip(in: text, from: position + 1, while: \.isDigit) == position + 4
    {
      position += 4
    }
    guard !goesOn(text, at: position) else { return nil }
    return String(
      decoding: text[start..<position].filter { $0 != UInt8(ascii: ",") }, as: UTF8.self)
  }

  /// Whether a number continues as a decimal, a fraction, a power or a product.
  private static func goesOn(_ text: ArraySlice<UInt8>, at position: Int) -> Bool {
    guard let byte = text.byte(at: position) else { return false }
    let following = text.byte(at: position + 1)
    switch byte {
    case UInt8(ascii: "."): return following?.isDigit == true
    case UInt8(ascii: "/"), UInt8(ascii: "^"): return true
    case UInt8(ascii: "\\"): return following?.isLetter == true
    default: return false
    }
  }

  // MARK: Letters

  /// Words and marks that may stand between "answer" and the letter.
  private static let fillers: [StaticString] = [
    "is", ":", "=", "option", "choice", "the", "correct", "$", "\\(", "\\text{",
  ]

  private static func letter(after start: Int, in text: ArraySlice<UInt8>, count: Int) -> String? {
    var position = start
    var connectors = 0
    while let byte = text.byte(at: position) {
      if byte.isMarkdown || byte.isBlank {
        position += 1
      } else if let found = letter(at: position, in: text, count: count) {
        return found.text
      } else if let filler = fillers.first(where: { text.hasWord($0, at: position) }) {
        connectors += ["is", ":", "="].contains(filler.description) ? 1 : 0
        guard connectors <= 2 else { return nil }
        position += filler.utf8CodeUnitCount
      } else {
        return nil
      }
    }
    return nil
  }

  /// A letter at a position, as `X`, `X.`, `X)` or `(X)`; in parentheses it may be lower case.
  private static func letter(
    at start: Int, in text: ArraySlice<UInt8>, count: Int
  ) -> (text: String, end: Int)? {
    let isEnclosed = text.byte(at: start) == UInt8(ascii: "(")
    let position = isEnclosed ? start + 1 : start
    guard let byte = text.byte(at: position) else { return nil }
    let letter = isEnclosed ? byte.uppercased : byte
    guard LetterAnswer.isOption(letter, count: count) else { return nil }
    let following = text.byte(at: position + 1)
    if isEnclosed, following != UInt8(ascii: ")") { return nil }
    let isPartOfWord =
      following.map { $0.isLetter || $0.isDigit || $0 == UInt8(ascii: "'") } == true
      || text.has("\u{2019}", at: position + 1)
    guard !isPartOfWord else { return nil }
    let isMarked = following.map { ".)".utf8.contains($0) } == true
    return (String(UnicodeScalar(letter)), position + (isMarked ? 2 : 1))
  }

  private static func skip(
    in text: ArraySlice<UInt8>, from start: Int, while condition: (UInt8) -> Bool
  ) -> Int {
    var position = start
    while let byte = text.byte(at: position), condition(byte) { position += 1 }
    return position
  }
}
