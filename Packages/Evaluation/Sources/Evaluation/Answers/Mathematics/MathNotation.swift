/// Notations of plain text and of programs, in LaTeX.
enum MathNotation {
  /// `6 x 10^8` and `1.5e3` as products with a power of ten.
  static func withPowersOfTen(_ text: [UInt8]) -> [UInt8] {
    if let plain = exponential(text[...].trimmed) { return plain }
    var result: [UInt8] = []
    let slice = text[...]
    var position = 0
    while position < text.count {
      let byte = text[position]
      let next = slice[(position + 1)...].firstIndex { !$0.isBlank } ?? text.count
      if byte.lowercased == UInt8(ascii: "x"), slice.has("10^", at: next),
        result[...].trimmed.last?.isDigit == true
      {
        result += Array("\\times ".utf8)
      } else {
        result.append(byte)
      }
      position += 1
    }
    return result
  }

  /// `{1 \over 2}` as `\frac{1}{2}`, `{5 \choose 2}` as `\binom{5}{2}`; without braces what stands
  /// around belongs to them.
  static func withInfixFractions(_ text: [UInt8]) -> [UInt8] {
    for (infix, command): (StaticString, String) in [("\\over", "\\frac"), ("\\choose", "\\binom")]
    {
      guard let mark = text[...].lastRange(of: infix),
        text[...].byte(at: mark.upperBound)?.isLetter != true
      else { continue }
      var (start, end) = (0, text.count)
      var (before, after) = (ArraySlice<UInt8>(), ArraySlice<UInt8>())
      let enclosing = text.indices[..<mark.lowerBound].last {
        text[$0] == UInt8(ascii: "{")
          && LatexText.closingBrace(of: text[...], openedAt: $0).map { $0 > mark.lowerBound }
            == true
      }
      if let open = enclosing, let close = LatexText.closingBrace(of: text[...], openedAt: open) {
        (start, end) = (open + 1, close)
        (before, after) = (text[..<open], text[(close + 1)...])
      }
      let top = text[start..<mark.lowerBound].trimmed
      let bottom = text[mark.upperBound..<end].trimmed
      let fraction = Array("\(command){".utf8) + top + Array("}{".utf8) + bottom + Array("}".utf8)
      return withInfixFractions(before + fraction + after)
    }
    return text
  }

  /// `1.5e-3` alone; an `e` in a formula is Euler's number.
  private static func exponential(_ text: ArraySlice<UInt8>) -> [UInt8]? {
    guard let mark = text.firstIndex(where: { $0.lowercased == UInt8(ascii: "e") }) else {
      return nil
    }
    let (number, power) = (text[..<mark], text[(mark + 1)...])
    let sign = power.first.map { "+-".utf8.contains($0) } == true ? 1 : 0
    let digits = power.dropFirst(sign)
    guard Rational(latex: String(decoding: number, as: UTF8.self)) != nil,
      number.last?.isDigit == true, (1...3).contains(digits.count), digits.allSatisfy(\.isDigit)
    else { return nil }
    return number + Array("\\cdot10^{".utf8) + power + [UInt8(ascii: "}")]
  }

  /// Functions, roots and Greek letters in plain words as commands: `sqrt(2)`, `sin x`, `2pi`,
  /// `infinity`. Degrees within a function are numbers of their own.
  static func withCommands(_ text: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    var position = 0
    let slice = text[...]
    while position < text.endIndex {
      let isInWord = result.last.map { $0.isLetter || $0 == UInt8(ascii: "\\") } == true
      if !isInWord, slice.has("sqrt(", at: position),
        let close = slice[(position + 4)...].firstClosingBracket
      {
        let inner = withCommands(Array(slice[(position + 5)..<close]))
        result += Array("\\sqrt{".utf8) + inner + [UInt8(ascii: "}")]
        position = close + 1
      } else if !isInWord, let found = command(in: slice, at: position) {
        result += Array(found.command.utf8) + [0x20]
        position += found.word.utf8.count
      } else {
        result.append(text[position])
        position += 1
      }
    }
    guard LatexFunction.allCases.contains(where: { result[...].contains("\\" + $0.rawValue) })
    else { return result }
    let degrees = result[...].replacing("^{\\circ}", by: "^\\circ")
    return Array(degrees.replacing("^\\circ", by: "\\degree "))
  }

  private static let words: [(word: String, command: String)] =
    LatexFunction.allCases.map { (word: $0.rawValue, command: "\\" + $0.rawValue) }.sorted {
      $0.word.count > $1.word.count
    } + [
      ("pi", "\\pi"), ("theta", "\\theta"), ("infinity", "\\infty"), ("Infinity", "\\infty"),
      ("infty", "\\infty"),
    ]

  private static func command(
    in text: ArraySlice<UInt8>, at position: Int
  ) -> (word: String, command: String)? {
    words.first { word, _ in
      text[position...].starts(with: word.utf8)
        && text.byte(at: position + word.utf8.count)?.isLetter != true
    }
  }
}
