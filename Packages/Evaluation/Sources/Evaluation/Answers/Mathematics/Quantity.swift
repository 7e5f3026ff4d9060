/// A number with what it counts or is measured in: `40 km/h`, `18 eggs`, `USD 70,000`, `5 million`.
enum Quantity {
  /// The number alone, where the text is a number with a unit; else the text.
  static func withoutUnit(_ text: [UInt8]) -> [UInt8] {
    let amount = withoutCurrency(text[...].trimmed)
    let end = numberEnd(amount)
    guard end > amount.startIndex else { return text }
    let number = amount[..<end].trimmed
    let unit = amount[end...]
    if unit.isEmpty { return Array(number) }
    let hasBlank = unit.first?.isBlank == true || unit.first == UInt8(ascii: "\\")
    var words = String(decoding: unit, as: UTF8.self)
    for power in ["^{2}", "^{3}", "^2", "^3"] { words = words.replacing(power, with: "") }
    for mark in ["\\text{", "}", "\\ ", "\\cdot"] { words = words.replacing(mark, with: " ") }
    return scaled(number, words) ?? (isUnit(words, afterBlank: hasBlank) ? Array(number) : text)
  }

  /// Whether behind a number there is nothing but one letter that stands for a unit: `40m`.
  static func isNumber(_ number: String, withLetterOf text: String) -> Bool {
    text.hasPrefix(number) && ["m", "s", "g", "h", "L"].contains(text.dropFirst(number.count))
  }

  private static let currencies = [
    "USD", "US\\$", "EUR", "GBP", "INR", "CAD", "AUD", "Rs.", "Rs", "\\$",
  ]

  private static func withoutCurrency(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    for name in currencies where text.starts(with: name.utf8) {
      let rest = text.dropFirst(name.utf8.count).trimmed
      if let first = rest.first, first.isDigit || first == UInt8(ascii: "-") { return rest }
    }
    return text
  }

  /// Where a number at the start ends: digits with sign, commas and point, a fraction of such, or
  /// `\frac{..}{..}`.
  private static func numberEnd(_ text: ArraySlice<UInt8>) -> Int {
    var position = text.startIndex
    if let sign = text.first, "+-".utf8.contains(sign) { position += 1 }
    let digits = position
    while let byte = text.byte(at: position), byte.isDigit || ",./".utf8.contains(byte) {
      let isMark = !byte.isDigit
      if isMark, text.byte(at: position + 1)?.isDigit != true { break }
      position += 1
    }
    if text.has("\\frac{", at: position),
      let middle = LatexText.closingBrace(of: text, openedAt: position + 5),
      let close = LatexText.closingBrace(of: text, openedAt: middle + 1),
      text[position..<close].dropFirst(5).allSatisfy({ $0.isDigit || "{}".utf8.contains($0) })
    {
      return close + 1
    }
    return position > digits ? position : text.startIndex
  }

  private static let scales = [
    "hundred": "2", "thousand": "3", "million": "6", "billion": "9", "trillion": "12",
  ]

  /// `5 million dollars` as `5\cdot10^{6}`.
  private static func scaled(_ number: ArraySlice<UInt8>, _ words: String) -> [UInt8]? {
    let parts = words.split(separator: " ")
    guard let first = parts.first, let zeros = scales[first.lowercased()] else { return nil }
    let rest = parts.dropFirst().joined(separator: " ")
    guard rest.isEmpty || isUnit(" " + rest, afterBlank: true) else { return nil }
    let plain = LatexText.withoutThousandsCommas(Array(number)) ?? Array(number)
    return plain + Array("\\cdot10^{\(zeros)}".utf8)
  }

  /// Whether words are what a number may count, and no part of a formula or a sentence.
  private static func isUnit(_ text: String, afterBlank: Bool) -> Bool {
    let words = text.lowercased().split { " /.-".contains($0) }
    guard let first = words.first, words.count <= 6,
      words.allSatisfy({ $0.utf8.allSatisfy(\.isLetter) && !formulaWords.contains(String($0)) })
    else { return false }
    if known.contains(String(first)) { return afterBlank || words.count == 1 || first.count >= 2 }
    return afterBlank && first.count >= 3
  }

  /// Words that go on with a formula or a sentence.
  private static let formulaWords: Set<String> = [
    "pi", "sin", "cos", "tan", "cot", "sec", "csc", "log", "ln", "exp", "sqrt", "frac", "mod", "or",
    "and", "to", "of", "out", "plus", "minus", "times", "divided", "over", "from", "less", "more",
    "than", "base", "choose", "not", "but", "if", "when", "where", "infinity", "point", "power",
  ]

  private static let known: Set<String> = [
    "mm", "cm", "dm", "km", "meter", "meters", "metre", "metres", "in", "inch", "inches",
    "foot", "feet", "ft", "yard", "yards", "mile", "miles", "mph", "kph", "mg", "kg", "gram",
    "grams", "lb", "lbs", "oz", "pound", "pounds", "ounces", "ms", "sec", "second", "seconds",
    "min",
    "minute", "minutes", "hr", "hrs", "hour", "hours", "day", "days", "week", "weeks", "month",
    "months", "year", "years", "deg", "degree", "degrees", "rad", "radians", "dollar", "dollars",
    "cent", "cents", "euro", "euros", "percent", "unit", "units", "square", "sq", "cubic", "ml",
    "liter", "liters", "litres", "gallons", "people", "ways", "hz", "kw", "kj", "usd", "eur", "gbp",
  ]
}
