/// Brings free-form answers into the form that ``MathAnswer`` reads: the normal form of
/// ``LatexText``, without units and with one spelling for each sign.
enum MathText {
  /// The normal form of an answer in mathematics.
  static func normalized(_ content: String) -> String {
    guard content.utf8.count <= LatexEvaluator.longest else { return LatexText.normalized(content) }
    return LatexText.normalized(String(decoding: plain(content), as: UTF8.self))
  }

  /// An answer without wrapping, in the spelling that ``LatexText`` reads; a unit that is known
  /// stands behind its number as ``Quantity`` marks it.
  static func plain(_ content: String) -> [UInt8] {
    // A comma with less space than usual behind it is that of thousands, whatever stands there.
    var joined = content
    for mark in [",\\! ", ",\\!", ",\\,", "{, }", " {,} "] {
      joined = joined.replacing(mark, with: ",")
    }
    var text = withoutRemark(AnswerWrapping.removed(from: UnicodeMarks.inLatex(joined)))
    text = RepeatingDecimal.marked(MathNotation.withInfixFractions(withoutModulus(text)))
    for (spelling, form) in spellings { text = text.replacing(spelling.utf8, with: form.utf8) }
    text = withRaisedDigits(IndexNotation.plain(withoutArticle(text)))
    if isEmptySet(text) { return Array("\\emptyset".utf8) }
    text = Quantity.withSummedUnits(text)
    text = withListMarks(NumberWords.inDigits(text))
    text = Quantity.withMarkedUnits(text)
    text = withInnerPercent(withRatioMark(text))
    text = MathNotation.withPowersOfTen(text)
    text = withoutApartDigits(text)
    text = MathNotation.withCommands(text)
    // A number that stood before its unit may still have its thousands commas.
    return numberList(text) ?? withoutThousandsCommas(text)
  }

  /// An answer without words in brackets behind it: `45 (forty-five)`, `5 \text{ (since } x > 0)`.
  private static func withoutRemark(_ text: [UInt8]) -> [UInt8] {
    guard text.last == UInt8(ascii: ")") || text[...].trimmed.suffix(2).elementsEqual(")}".utf8)
    else {
      return text
    }
    var depth = 0
    guard
      let open = text.indices.last(where: { index in
        if text[index] == UInt8(ascii: ")") { depth += 1 }
        if text[index] == UInt8(ascii: "(") { depth -= 1 }
        return depth == 0 && text[index] == UInt8(ascii: "(")
      })
    else { return text }
    var answer = text[..<open].trimmed
    var isApart = answer.endIndex < open
    if answer.suffix(6).elementsEqual("\\text{".utf8) {
      answer = answer.dropLast(6).trimmed
      isApart = true
    }
    let words = text[open...].replacing("\\text", by: "").split { !$0.isLetter && $0 != 0x5c }
    let isRemark = words.contains { word in
      word.count >= 3 && word.first != 0x5c && word.allSatisfy(\.isLetter)
        && !formulaWords.contains(String(decoding: word, as: UTF8.self).lowercased())
    }
    let isRefused = words.contains {
      NumberChange.isRefusal(String(decoding: $0, as: UTF8.self))
    }
    let isAnswer = answer.last.map { $0.isDigit || "}%$".utf8.contains($0) } == true
    return isApart && isRemark && isAnswer && !isRefused ? Array(answer) : text
  }

  /// Words of formulas, which are no remark.
  private static let formulaWords = Set(
    LatexFunction.allCases.map(\.rawValue) + ["sqrt", "mod", "frac", "binom", "infinity", "theta"])

  /// Whether the answer says that there is none.
  private static func isEmptySet(_ text: [UInt8]) -> Bool {
    let words = String(decoding: text, as: UTF8.self).lowercased()
    return ["no solution", "no solutions", "no real solution", "no real solutions"].contains(words)
  }

  /// A number without the commas of its thousands, alone or behind the last equals sign.
  private static func withoutThousandsCommas(_ text: [UInt8]) -> [UInt8] {
    if let number = LatexText.withoutThousandsCommas(text) { return number }
    for sign in ["=", "\\approx"] {
      guard let value = text[...].split(atTopLevel: sign)?.last,
        let number = LatexText.withoutThousandsCommas(Array(value.trimmed))
      else { continue }
      return text[..<value.startIndex] + number
    }
    return text
  }

  /// Plain numbers with a blank behind each comma between them: a list, whatever their digits.
  private static func numberList(_ text: [UInt8]) -> [UInt8]? {
    let pieces = String(decoding: text[...].trimmed, as: UTF8.self).replacing("\n", with: " ")
      .split(separator: ", ", omittingEmptySubsequences: false)
      .map { piece in
        let number = Array(Array(piece.utf8)[...].trimmed)
        return LatexText.withoutThousandsCommas(number) ?? number
      }
    let isList = pieces.allSatisfy { Rational(latex: String(decoding: $0, as: UTF8.self)) != nil }
    return pieces.count > 1 && isList ? Array(pieces.joined(separator: ";".utf8)) : nil
  }

  /// Other ways to write the same, in the order in which they are replaced.
  private static let spellings = [
    ("{,}", ","), ("{.}", "."),
    ("\\cfrac", "\\frac"), ("\\dbinom", "\\binom"), ("\\tbinom", "\\binom"), ("\\lbrace", "\\{"),
    ("\\rbrace", "\\}"), ("\\lvert", "|"),
    ("\\rvert", "|"), ("\\leqslant", "\\le"), ("\\geqslant", "\\ge"), ("\\leq", "\\le"),
    ("\\geq", "\\ge"), ("\\le ", "\\le"), ("\\ge ", "\\ge"), ("\\lt", "<"), ("\\gt", ">"),
    ("\\colon", ":"), ("\\text{:}", ":"), ("{:}", ":"), ("\\degree", "^\\circ"),
    ("\\mathbb{R}", "realnumbers"),
    ("\\mathbf{R}", "realnumbers"), ("\\vert", "|"), ("\\varnothing", "\\emptyset"),
    ("\\{\\}", "\\emptyset"), ("\\bar{", "\\overline{"), ("\\dot{", "\\overline{"), ("**", "^"),
    ("\\not=", "\\ne"), (" != ", "\\ne "), ("\\therefore", ""), ("\\because", ""), (">=", "\\ge"),
    ("<=", "\\le"), ("=<", "\\le"),
    ("\\approxeq", "\\approx"), ("\\simeq", "\\approx"), ("\\cong", "\\approx"),
    ("\\doteq", "\\approx"), ("\\thickapprox", "\\approx"), ("\\neq", "\\ne"),
    ("smallmatrix", "matrix"), ("\\pmod", "\\mod"), ("\\bmod", "\\mod"),
    ("\\longrightarrow", "\\to"), ("\\rightarrow", "\\to"), ("->", "\\to "),
  ]

  /// `42 \pmod{1000}` is 42.
  private static func withoutModulus(_ text: [UInt8]) -> [UInt8] {
    for command: StaticString in ["\\pmod", "\\mod", "\\bmod", "(mod", "(\\text{mod"] {
      guard let found = text[...].lastRange(of: command), found.lowerBound > 0 else { continue }
      let number = text[..<found.lowerBound].trimmed
      // What is congruent is equal but for the modulus.
      if number.last?.isDigit == true { return Array(number.replacing("\\equiv", by: "=")) }
    }
    return text
  }

  /// A percent sign before a factor as the hundredth that it is: `540\%x`, `50\% \cdot 80`.
  private static func withInnerPercent(_ text: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    var rest = text[...]
    while let sign = rest.firstIndex(of: UInt8(ascii: "%")) {
      let isEscaped = sign > rest.startIndex && text[sign - 1] == UInt8(ascii: "\\")
      let before = rest[..<(isEscaped ? sign - 1 : sign)]
      let isFactor = beginsFactor(text[(sign + 1)...].drop(while: \.isBlank))
      let isAmount = before.trimmed.last.map { $0.isDigit || ")}".utf8.contains($0) } == true
      result += before
      result += isFactor && isAmount ? Array("(1/100)".utf8)[...] : text[before.endIndex...sign]
      rest = text[(sign + 1)...]
    }
    return result + rest
  }

  /// Whether a text goes on with what a number may be multiplied by.
  private static func beginsFactor(_ text: ArraySlice<UInt8>) -> Bool {
    let factors: [StaticString] = [
      "\\cdot", "\\times", "\\sqrt", "\\frac", "\\pi", "(", "*", "\\left(",
    ]
    let isName = text.first?.isLetter == true && text.dropFirst().first?.isLetter != true
    return isName || text.first?.isDigit == true
      || factors.contains { text.has($0, at: text.startIndex) }
  }

  /// `and` and `or` between the elements of a list are commas.
  private static func withListMarks(_ text: [UInt8]) -> [UInt8] {
    var parts = String(decoding: text, as: UTF8.self)
    // Another way to write it may stand in brackets.
    for other in ["\\text{ (or }", "\\text{(or }", " (or "] where parts.hasSuffix(")") {
      if parts.contains(other) { parts = String(parts.dropLast()).replacing(other, with: "\u{1},") }
    }
    for word in ["and", "or", "\\&", "&"] where word != "&" || !parts.contains("\\begin") {
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
    if pieces.contains(where: { $0.contains(UInt8(ascii: "^")) }) {
      return Array(pieces.joined(separator: "\\cdot ".utf8))
    }
    // Thousands before the fraction of a mixed number are one number.
    if pieces.count > 2, pieces.last?.contains(UInt8(ascii: "/")) == true,
      pieces.dropFirst().dropLast().allSatisfy({ $0.count == 3 && $0.allSatisfy(\.isDigit) })
    {
      pieces = [Array(pieces.dropLast().joined())[...], pieces[pieces.count - 1]]
    }
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

  /// `the circle` and `a circle` are a circle; `a` before anything else may be a variable.
  private static func withoutArticle(_ text: [UInt8]) -> [UInt8] {
    for article: StaticString in ["the ", "an ", "a "] where text[...].hasWord(article, at: 0) {
      let rest = text[...].dropFirst(article.utf8CodeUnitCount).trimmed
      let word = rest.prefix(while: \.isLetter)
      let isNumber = NumberWords.inDigits(text) != text
      let joins = ["and", "times", "plus", "minus", "over", "divided", "choose", "mod"]
      let isJoined = joins.contains(String(decoding: word, as: UTF8.self))
      return word.count >= 3 && !isNumber && !isJoined ? Array(rest) : text
    }
    return text
  }

  /// Braces around several digits behind `^`, which belong together though LaTeX raises the first
  /// alone.
  private static func withRaisedDigits(_ text: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    var position = 0
    while position < text.count {
      result.append(text[position])
      position += 1
      guard result.last == UInt8(ascii: "^") else { continue }
      let digits = text[position...].prefix(while: \.isDigit)
      guard digits.count > 1 else { continue }
      result += [UInt8(ascii: "{")] + digits + [UInt8(ascii: "}")]
      position = digits.endIndex
    }
    return result
  }

  /// `3 to 4` is the ratio `3:4`, `3 out of 4` a fraction.
  private static func withRatioMark(_ text: [UInt8]) -> [UInt8] {
    let words = String(
      decoding: text[...].replacing("\\text{", by: " ").replacing("}", by: " "), as: UTF8.self)
    for (word, mark) in [(" to ", ":"), (" out of ", "/")] {
      let sides = words.split(separator: word).map {
        NumberWords.inDigits(Array(Array($0.utf8)[...].trimmed))
      }
      guard sides.count == 2 || (sides.count == 3 && mark == ":"),
        sides.allSatisfy({ !$0.isEmpty && $0.allSatisfy { $0.isDigit || $0 == 0x2e } })
      else { continue }
      return Array(sides.joined(separator: Array(mark.utf8)))
    }
    return text
  }
}
