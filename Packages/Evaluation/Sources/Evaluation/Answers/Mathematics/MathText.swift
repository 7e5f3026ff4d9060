/// Brings free-form answers into the form that ``MathAnswer`` reads: the normal form of
/// ``LatexText``, without units and with one spelling for each sign.
enum MathText {
  /// The normal form of an answer in mathematics.
  static func normalized(_ content: String) -> String {
    guard content.utf8.count <= LatexEvaluator.longest else { return LatexText.normalized(content) }
    return LatexText.normalized(String(decoding: plain(content), as: UTF8.self))
  }

  /// An answer without wrapping and unit, in the spelling that ``LatexText`` reads.
  static func plain(_ content: String) -> [UInt8] {
    var text = AnswerWrapping.removed(from: UnicodeMarks.inLatex(content))
    text = withoutModulus(text)
    for (spelling, form) in spellings { text = text.replacing(spelling.utf8, with: form.utf8) }
    text = withListMarks(text)
    text = withoutTrailingText(text)
    text = Quantity.withoutUnit(text)
    text = withoutApartDigits(text)
    text = withCommands(text)
    // A number that stood before its unit may still have its thousands commas.
    return LatexText.withoutThousandsCommas(text) ?? text
  }

  /// Other ways to write the same, in the order in which they are replaced.
  private static let spellings = [
    ("{,}", ","),
    ("\\cfrac", "\\frac"), ("\\lbrace", "\\{"), ("\\rbrace", "\\}"), ("\\lvert", "|"),
    ("\\rvert", "|"), ("\\leqslant", "\\le"), ("\\geqslant", "\\ge"), ("\\leq", "\\le"),
    ("\\geq", "\\ge"), ("\\le ", "\\le"), ("\\ge ", "\\ge"), ("\\lt", "<"), ("\\gt", ">"),
    ("\\colon", ":"), ("\\degree", ""), ("\\mathbb{R}", "realnumbers"),
    ("\\mathbf{R}", "realnumbers"), (">=", "\\ge"), ("<=", "\\le"), ("=<", "\\le"),
    ("\\approxeq", "\\approx"), ("\\simeq", "\\approx"), ("\\cong", "\\approx"),
    ("\\doteq", "\\approx"), ("\\thickapprox", "\\approx"), ("\\neq", "\\ne"),
    ("smallmatrix", "matrix"), ("\\pmod", "\\mod"), ("\\bmod", "\\mod"),
  ]

  /// `42 \pmod{1000}` is 42.
  private static func withoutModulus(_ text: [UInt8]) -> [UInt8] {
    for command: StaticString in ["\\pmod", "\\mod", "\\bmod", "(mod", "(\\text{mod"] {
      guard let found = text[...].lastRange(of: command), found.lowerBound > 0 else { continue }
      let number = text[..<found.lowerBound].trimmed
      if number.last?.isDigit == true { return Array(number) }
    }
    return text
  }

  /// `and` and `or` between the elements of a list are commas.
  private static func withListMarks(_ text: [UInt8]) -> [UInt8] {
    var parts = String(decoding: text, as: UTF8.self)
    for word in ["and", "or"] {
      for spelled in [
        "\\text{ \(word) }", "\\text{\(word) }", "\\text{ \(word)}", "\\text{\(word)}", " \(word) ",
        "\\ \(word)\\ ",
      ] {
        parts = parts.replacing(spelled, with: "\u{1},")
      }
    }
    // A comma may stand before the word too.
    var result: [UInt8] = []
    for byte in parts.utf8 {
      if byte == 1 {
        while result.last?.isBlank == true { result.removeLast() }
        if result.last == UInt8(ascii: ",") { result.removeLast() }
      } else {
        result.append(byte)
      }
    }
    return result
  }

  /// Blanks between digits: those of thousands go, a fraction behind one makes a mixed number, and
  /// other numbers are elements of a list, never one number.
  private static func withoutApartDigits(_ text: [UInt8]) -> [UInt8] {
    var pieces: [ArraySlice<UInt8>] = []
    var start = 0
    for index in text.indices where text[index].isBlank {
      let next = text[index...].firstIndex { !$0.isBlank } ?? text.endIndex
      guard index > start, text[index - 1].isDigit, text[...].byte(at: next)?.isDigit == true else {
        continue
      }
      // The base of a logarithm or an index is no part of the number behind it.
      if index > 1, text[index - 2] == UInt8(ascii: "_") { continue }
      pieces.append(text[start..<index])
      start = next
    }
    pieces.append(text[start...])
    guard pieces.count > 1 else { return text }
    let isThousands =
      pieces.dropFirst().allSatisfy { $0.prefix(while: \.isDigit).count == 3 }
      && pieces.dropFirst().dropLast().allSatisfy { $0.count == 3 }
    if isThousands { return Array(pieces.joined()) }
    let fraction = pieces[1].split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    if pieces.count == 2, fraction.count == 2,
      fraction.allSatisfy({ !$0.isEmpty && $0.allSatisfy(\.isDigit) })
    {
      let (top, bottom) = (fraction[0], fraction[1])
      return pieces[0] + Array("\\frac{".utf8) + top + Array("}{".utf8) + bottom + [
        UInt8(ascii: "}")
      ]
    }
    return Array(pieces.joined(separator: [UInt8(ascii: ",")]))
  }

  /// `sqrt(2)` and `pi` as commands.
  private static func withCommands(_ text: [UInt8]) -> [UInt8] {
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
      } else if !isInWord, slice.has("pi", at: position),
        slice.byte(at: position + 2)?.isLetter != true
      {
        result += Array("\\pi ".utf8)
        position += 2
      } else {
        result.append(text[position])
        position += 1
      }
    }
    return result
  }

  /// Drops a unit such as `\text{ cm}^2` behind something.
  private static func withoutTrailingText(_ text: [UInt8]) -> [UInt8] {
    var trimmed = text[...].trimmed
    while let last = trimmed.last, "$.".utf8.contains(last) { trimmed = trimmed.dropLast().trimmed }
    var end = trimmed.endIndex
    for power in ["^2", "^3", "^{2}", "^{3}"] where trimmed.hasSuffix(power) {
      end -= power.utf8.count
      break
    }
    for command: StaticString in ["\\text{", "\\mathrm{", "\\mbox{", "\\textbf{"] {
      guard let start = trimmed[..<end].lastRange(of: command),
        start.lowerBound > trimmed.startIndex,
        LatexText.closingBrace(of: trimmed, openedAt: start.upperBound - 1) == end - 1
      else { continue }
      var rest = trimmed[..<start.lowerBound].trimmed
      while let space = ["\\,", "\\;", "\\:", "\\!", "\\", "~"].first(where: rest.hasSuffix) {
        rest = rest.dropLast(space.utf8.count).trimmed
      }
      let isQuantity = rest.last.map { $0.isDigit || "})%$!".utf8.contains($0) || $0.isLetter }
      return isQuantity == true ? Array(rest) : text
    }
    return text
  }
}

extension ArraySlice<UInt8> {
  /// Whether the bytes end with a text.
  fileprivate func hasSuffix(_ text: String) -> Bool {
    suffix(text.utf8.count).elementsEqual(text.utf8)
  }
}
