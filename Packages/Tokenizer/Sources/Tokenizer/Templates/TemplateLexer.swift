/// A token inside `{{ }}` or `{% %}`.
struct TemplateToken: Equatable {
  enum Kind: Equatable {
    case name(String)
    case string(String)
    case integer(Int)
    case number(Double)
    case symbol(String)
    /// `}}` or `%}`, or the end of the template.
    case end
  }

  let kind: Kind
  let line: Int
}

/// A part of the template between delimiters.
enum TemplateSegment {
  case text(String)
  case output([TemplateToken])
  case statement([TemplateToken])
}

/// Splits a template into text, outputs and statements, with the white-space rules chat templates
/// are written for: `trim_blocks` and `lstrip_blocks` on, the last newline dropped.
struct TemplateLexer {
  private let source: [Unicode.Scalar]
  private var position = 0
  private(set) var line = 1
  private var segments: [TemplateSegment] = []
  /// Whether the tag before ended with a line break, so that text after it starts a line.
  private var isAtLineStart = true

  static let maximumLength = 1 << 20

  static func segments(of source: String) throws(TokenizerError) -> [TemplateSegment] {
    var lexer = TemplateLexer(source)
    guard lexer.source.count <= maximumLength else {
      throw .templateLimit(name: "characters of template", limit: maximumLength)
    }
    while lexer.position < lexer.source.count { try lexer.readSegment() }
    return lexer.segments
  }

  private init(_ text: String) {
    var scalars: [Unicode.Scalar] = []
    for scalar in text.unicodeScalars {
      if scalar == "\n", scalars.last == "\r" { scalars.removeLast() }
      if let last = scalars.last, last == "\r" { scalars[scalars.count - 1] = "\n" }
      scalars.append(scalar)
    }
    if scalars.last == "\r" || scalars.last == "\n" { scalars.removeLast() }
    source = scalars
  }

  // MARK: Segments

  private mutating func readSegment() throws(TokenizerError) {
    let start = position
    while position < source.count, !isTagStart { position += 1 }
    var text = source[start..<position]
    guard position < source.count else { return addText(text) }
    let tag = source[position + 1]
    let sign = position + 2 < source.count ? source[position + 2] : " "
    if sign == "-" {
      text = withoutTrailingSpace(text)
    } else if tag != "{", sign != "+" {
      text = withoutIndentation(text)
    }
    addText(text)
    line += source[text.endIndex..<position].count { $0 == "\n" }
    position += sign == "-" || sign == "+" ? 3 : 2
    switch tag {
    case "#": try skipComment()
    case "{": segments.append(.output(try readTokens(until: "}")))
    default:
      if try !readRaw() { segments.append(.statement(try readTokens(until: "%"))) }
    }
  }

  private var isTagStart: Bool {
    source[position] == "{" && position + 1 < source.count
      && (source[position + 1] == "%" || source[position + 1] == "{"
        || source[position + 1] == "#")
  }

  private mutating func addText(_ text: ArraySlice<Unicode.Scalar>) {
    guard !text.isEmpty else { return }
    line += text.count { $0 == "\n" }
    var string = String.UnicodeScalarView()
    string.append(contentsOf: text)
    segments.append(.text(String(string)))
  }

  private func withoutTrailingSpace(_ text: ArraySlice<Unicode.Scalar>)
    -> ArraySlice<Unicode.Scalar>
  {
    let last = text.lastIndex { !$0.properties.isWhitespace }
    return last.map { text[...$0] } ?? text.prefix(0)
  }

  /// The text without white space between its last line break and its end (`lstrip_blocks`).
  private func withoutIndentation(_ text: ArraySlice<Unicode.Scalar>) -> ArraySlice<Unicode.Scalar>
  {
    let lineStart = text.lastIndex(of: "\n").map { $0 + 1 }
    guard lineStart != nil || isAtLineStart else { return text }
    let indentation = text[(lineStart ?? text.startIndex)...]
    return indentation.allSatisfy(\.properties.isWhitespace)
      ? text[..<indentation.startIndex] : text
  }

  /// Passes the end of a tag, whose delimiter starts at `position` after its sign, and the white
  /// space it swallows.
  private mutating func endTag(sign: Unicode.Scalar?, trimsNewline: Bool) {
    position += 2
    let start = position
    if sign == "-" {
      while position < source.count, source[position].properties.isWhitespace { position += 1 }
    } else if sign == nil, trimsNewline, position < source.count, source[position] == "\n" {
      position += 1
    }
    line += source[start..<position].count { $0 == "\n" }
    isAtLineStart = position > start && source[position - 1] == "\n"
  }

  /// The sign and length of a closing delimiter at `position`, or nil.
  private func closing(_ first: Unicode.Scalar) -> (sign: Unicode.Scalar?, length: Int)? {
    func isDelimiter(_ index: Int) -> Bool {
      index + 1 < source.count && source[index] == first && source[index + 1] == "}"
    }
    guard position < source.count else { return nil }
    if source[position] == "-", isDelimiter(position + 1) { return ("-", 1) }
    if source[position] == "+", first != "}", isDelimiter(position + 1) { return ("+", 1) }
    return isDelimiter(position) ? (nil, 0) : nil
  }

  private mutating func skipComment() throws(TokenizerError) {
    let start = line
    while position < source.count {
      if let (sign, length) = closing("#") {
        position += length
        endTag(sign: sign, trimsNewline: true)
        return
      }
      if source[position] == "\n" { line += 1 }
      position += 1
    }
    throw .templateSyntax(line: start, reason: "unclosed comment")
  }

  /// Reads `raw %}...{% endraw %}` as text; false when the statement is another one.
  private mutating func readRaw() throws(TokenizerError) -> Bool {
    let mark = position
    guard skipWord("raw"), let (sign, length) = closing("%") else {
      position = mark
      return false
    }
    position += length
    endTag(sign: sign, trimsNewline: false)
    let start = position
    while position < source.count {
      let textEnd = position
      if isTagStart, source[position + 1] == "%" {
        position += 2
        var opening: Unicode.Scalar?
        if position < source.count, source[position] == "-" || source[position] == "+" {
          opening = source[position]
          position += 1
        }
        if skipWord("endraw"), let (sign, length) = closing("%") {
          var text = source[start..<textEnd]
          if opening == "-" {
            text = withoutTrailingSpace(text)
          } else if opening == nil {
            text = withoutIndentation(text)
          }
          addText(text)
          position += length
          endTag(sign: sign, trimsNewline: true)
          return true
        }
        position = textEnd
      }
      position += 1
    }
    throw .templateSyntax(line: line, reason: "unclosed raw block")
  }

  private mutating func skipWord(_ word: String) -> Bool {
    skipSpaces()
    guard source[position...].starts(with: word.unicodeScalars) else { return false }
    position += word.unicodeScalars.count
    skipSpaces()
    return true
  }

  private mutating func skipSpaces() {
    while position < source.count, source[position].properties.isWhitespace {
      if source[position] == "\n" { line += 1 }
      position += 1
    }
  }

  // MARK: Tokens

  /// The scalar at `position`, or nil at the end.
  var current: Unicode.Scalar? { position < source.count ? source[position] : nil }

  mutating func advance() {
    if current == "\n" { line += 1 }
    position += 1
  }

  mutating func stepBack() { position -= 1 }

  private mutating func readTokens(until delimiter: Unicode.Scalar) throws(TokenizerError)
    -> [TemplateToken]
  {
    var tokens: [TemplateToken] = []
    var open: [Unicode.Scalar] = []
    let start = line
    while true {
      skipSpaces()
      guard position < source.count else {
        throw .templateSyntax(line: start, reason: "unclosed tag")
      }
      if open.isEmpty, let (sign, length) = closing(delimiter) {
        tokens.append(TemplateToken(kind: .end, line: line))
        position += length
        endTag(sign: sign, trimsNewline: delimiter == "%")
        return tokens
      }
      let tokenLine = line
      let kind = try readToken()
      if case .symbol(let symbol) = kind { try balance(symbol, &open) }
      tokens.append(TemplateToken(kind: kind, line: tokenLine))
    }
  }

  private func balance(_ symbol: String, _ open: inout [Unicode.Scalar]) throws(TokenizerError) {
    switch symbol {
    case "(": open.append(")")
    case "[": open.append("]")
    case "{": open.append("}")
    case ")", "]", "}":
      guard let expected = open.popLast(), String(expected) == symbol else {
        throw .templateSyntax(line: line, reason: "unexpected '\(symbol)'")
      }
    default: break
    }
  }

  private mutating func readToken() throws(TokenizerError) -> TemplateToken.Kind {
    let first = source[position]
    if first == "'" || first == "\"" { return .string(try readString(quote: first)) }
    if isDigit(first) { return try readNumber() }
    if first == "_" || first.properties.isXIDStart {
      let start = position
      while position < source.count, source[position].properties.isXIDContinue { position += 1 }
      return .name(text(start))
    }
    for symbol in Self.symbols where source[position...].starts(with: symbol.unicodeScalars) {
      position += symbol.unicodeScalars.count
      return .symbol(symbol)
    }
    throw .templateSyntax(line: line, reason: "unexpected character '\(first)'")
  }

  /// Longer symbols first.
  private static let symbols = [
    "//", "**", "==", "!=", "<=", ">=", "+", "-", "*", "/", "%", "~", "<", ">", "=", ".", ",", ":",
    "|", "(", ")", "[", "]", "{", "}",
  ]

  private func text(_ start: Int) -> String {
    var view = String.UnicodeScalarView()
    view.append(contentsOf: source[start..<position])
    return String(view)
  }

  private func isDigit(_ scalar: Unicode.Scalar) -> Bool { "0"..."9" ~= scalar }

  private mutating func skipDigits() {
    while position < source.count, isDigit(source[position]) || source[position] == "_" {
      position += 1
    }
  }

  private mutating func readNumber() throws(TokenizerError) -> TemplateToken.Kind {
    let start = position
    if source[position] == "0", position + 1 < source.count,
      let radix = ["x": 16, "X": 16, "o": 8, "O": 8, "b": 2, "B": 2][source[position + 1]]
    {
      position += 2
      while position < source.count, source[position].properties.isXIDContinue { position += 1 }
      let digits = text(start).dropFirst(2).replacing("_", with: "")
      guard let value = Int(digits, radix: radix) else {
        throw .templateSyntax(line: line, reason: "'\(text(start))' is no number")
      }
      return .integer(value)
    }
    skipDigits()
    var isInteger = true
    if position + 1 < source.count, source[position] == ".", isDigit(source[position + 1]) {
      isInteger = false
      position += 1
      skipDigits()
    }
    if position + 1 < source.count, source[position] == "e" || source[position] == "E" {
      let hasSign = source[position + 1] == "-" || source[position + 1] == "+"
      if let digit = source.dropFirst(position + (hasSign ? 2 : 1)).first, isDigit(digit) {
        isInteger = false
        position += hasSign ? 2 : 1
        skipDigits()
      }
    }
    let digits = text(start).replacing("_", with: "")
    if isInteger, let value = Int(digits) { return .integer(value) }
    if !isInteger, let value = Double(digits) { return .number(value) }
    throw .templateSyntax(line: line, reason: "number \(digits) out of range")
  }
}
