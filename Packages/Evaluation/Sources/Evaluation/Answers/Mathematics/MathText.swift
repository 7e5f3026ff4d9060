/// Brings free-form answers into the form that ``MathAnswer`` reads: the normal form of
/// ``LatexText``, without units and with one spelling for each sign.
enum MathText {
  /// The normal form of an answer in mathematics.
  static func normalized(_ content: String) -> String {
    guard content.utf8.count <= LatexEvaluator.longest else { return LatexText.normalized(content) }
    var text = Array(content.utf8)
    for (spelling, form) in spellings { text = text.replacing(spelling.utf8, with: form.utf8) }
    text = withoutTrailingText(text)
    text = Array(LatexText.normalized(String(decoding: text, as: UTF8.self)).utf8)
    text = withoutUnitWord(text)
    // A number that stood before its unit may still have its thousands commas.
    return LatexText.normalized(String(decoding: text, as: UTF8.self))
  }

  /// Other ways to write the same, in the order in which they are replaced.
  private static let spellings = [
    ("{,}", ","), ("\\displaystyle", ""), ("\\qquad", " "), ("\\quad", " "), ("\\limits", ""),
    ("\\textit{", "\\text{"), ("\\textrm{", "\\text{"), ("\\operatorname{", "\\text{"),
    ("\\text{ and }", ","), ("\\text{ or }", ","), ("\\text{and}", ","), ("\\text{or}", ","),
    ("\\cfrac", "\\frac"), ("\\lbrace", "\\{"), ("\\rbrace", "\\}"), ("\\lvert", "|"),
    ("\\rvert", "|"), ("\\leqslant", "\\le"), ("\\geqslant", "\\ge"), ("\\leq", "\\le"),
    ("\\geq", "\\ge"), ("\\le ", "\\le"), ("\\ge ", "\\ge"), ("\\lt", "<"), ("\\gt", ">"),
    ("\\colon", ":"), ("\\degree", ""), ("\\mathbb{R}", "\\infty"), ("\u{2212}", "-"),
    ("\u{03c0}", "\\pi"), ("\u{221e}", "\\infty"), ("\u{00b0}", ""),
  ]

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

  /// Drops a unit that is written as a plain word behind a number: `12 inches`.
  private static func withoutUnitWord(_ text: [UInt8]) -> [UInt8] {
    let word = text.reversed().prefix(while: \.isLetter).reversed().map(\.lowercased)
    guard word.count >= 2, word.count < text.count else { return text }
    let rest = text.dropLast(word.count)
    guard let last = rest.last, last.isDigit || last == UInt8(ascii: "}") else { return text }
    var name = String(decoding: word, as: UTF8.self)
    for prefix in ["square", "cubic"] where name.hasPrefix(prefix) {
      name = String(name.dropFirst(prefix.count))
    }
    return units.contains(name) ? Array(rest) : text
  }

  private static let units: Set<String> = [
    "mm", "cm", "km", "meter", "meters", "inch", "inches", "foot", "feet", "ft", "yard", "yards",
    "mile", "miles", "mph", "kg", "gram", "grams", "pound", "pounds", "ounces", "second", "seconds",
    "minute", "minutes", "hour", "hours", "day", "days", "week", "weeks", "month", "months", "year",
    "years", "degree", "degrees", "radians", "dollar", "dollars", "cent", "cents", "percent",
    "unit", "units", "liters", "gallons", "people", "ways",
  ]
}

extension ArraySlice<UInt8> {
  /// Whether the bytes end with a text.
  fileprivate func hasSuffix(_ text: String) -> Bool {
    suffix(text.utf8.count).elementsEqual(text.utf8)
  }
}
