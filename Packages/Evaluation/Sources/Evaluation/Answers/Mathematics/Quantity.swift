/// A number with what it counts or is measured in: `40 km/h`, `18 eggs`, `USD 70,000`, `5 million`,
/// `50\%`, `30^\circ`, `1 hour 30 minutes`.
///
/// A unit that is known stays behind its number as `\unit{...}`; other words go.
enum Quantity {
  /// How a unit is written behind its number.
  static func mark(_ unit: MeasureUnit) -> [UInt8] { Array("\\unit{\(unit.text)}".utf8) }

  /// A text and the unit that ``mark(_:)`` put behind it; nil without one.
  static func unmarked(
    _ text: ArraySlice<UInt8>
  ) -> (number: ArraySlice<UInt8>, unit: MeasureUnit)? {
    guard text.last == UInt8(ascii: "}"), let mark = text.lastRange(of: "\\unit{"),
      LatexText.closingBrace(of: text, openedAt: mark.upperBound - 1) == text.endIndex - 1,
      let unit = MeasureUnit(
        text: String(decoding: text[mark.upperBound...].dropLast(), as: UTF8.self))
    else { return nil }
    return (text[..<mark.lowerBound], unit)
  }

  /// The text with each of its units, behind all of it or behind the elements of a list and the
  /// sides of an equation, marked or dropped.
  static func withMarkedUnits(_ text: [UInt8], depth: Int = 0) -> [UInt8] {
    if let list = withMarkedElements(text, depth) { return list }
    let (number, unit) = split(NumberWords.inDigits(text))
    if let unit { return (LatexText.withoutThousandsCommas(number) ?? number) + mark(unit) }
    if number != text { return number }
    for separator in ["\\approx", "="] {
      if let parts = withMarkedParts(text, separator, depth) { return parts }
    }
    return text
  }

  /// A list with the units of its elements marked; nil for what is no list, such as a number with
  /// commas between its thousands.
  private static func withMarkedElements(_ text: [UInt8], _ depth: Int) -> [UInt8]? {
    guard let pieces = text[...].split(atTopLevel: ",") else {
      return withMarkedParts(text, ";", depth)
    }
    let isNumber = pieces.dropFirst().allSatisfy { $0.prefix(while: \.isDigit).count == 3 }
    let isPlain = pieces.allSatisfy {
      $0.trimmed.allSatisfy { $0.isDigit || ".+-".utf8.contains($0) }
    }
    return isNumber || isPlain ? nil : withMarkedParts(text, ",", depth)
  }

  private static func withMarkedParts(
    _ text: [UInt8], _ separator: String, _ depth: Int
  ) -> [UInt8]? {
    guard depth < 3, let pieces = text[...].split(atTopLevel: separator) else { return nil }
    let marked = pieces.map { withMarkedUnits(Array($0.trimmed), depth: depth + 1) }
    return Array(marked.joined(separator: Array((separator + " ").utf8)))
  }

  /// `5 feet 6 inches` and `1 hour and 30 minutes` as sums in the first unit.
  static func withSummedUnits(_ text: [UInt8]) -> [UInt8] {
    guard text.count < 100 else { return text }
    var plain = String(decoding: text, as: UTF8.self)
    for mark in ["\\text{", "}", "\\ ", ",", " and "] { plain = plain.replacing(mark, with: " ") }
    let words = plain.split(separator: " ")
    guard words.count >= 4, words.count.isMultiple(of: 2),
      let first = MeasureUnit(words: String(words[1])), !first.isPlainNumber
    else { return text }
    var sum: [String] = []
    var last = Double.infinity
    for index in stride(from: 0, to: words.count, by: 2) {
      guard Rational(latex: String(words[index])) != nil,
        let unit = MeasureUnit(words: String(words[index + 1])), unit.dimension == first.dimension,
        unit.size < last
      else { return text }
      last = unit.size
      let parts = (first.size / unit.size).rounded()
      guard abs(parts * unit.size - first.size) < 1e-9 * first.size else { return text }
      sum.append(index == 0 ? "\(words[0])" : "\\frac{\(words[index])}{\(Int(parts))}")
    }
    return Array(sum.joined(separator: "+").utf8) + mark(first)
  }

  /// The number of a quantity and its unit, as far as it is known.
  private static func split(_ text: [UInt8]) -> (number: [UInt8], unit: MeasureUnit?) {
    var trimmed = text[...].trimmed
    while let last = trimmed.last, "$.".utf8.contains(last), !trimmed.hasSuffix("\\$") {
      trimmed = trimmed.dropLast().trimmed
    }
    let (rest, words) = withoutTrailingText(trimmed)
    let (bare, sign) = withoutSign(rest)
    if let sign {
      guard let letter = words?.trimmingBlanks, sign == .degree else { return (bare, sign) }
      let scales = ["C": "celsius", "F": "fahrenheit"]
      return (bare, scales[letter].flatMap { MeasureUnit(text: $0) } ?? sign)
    }
    if let words {
      let amount = withoutCurrency(rest)
      if let unit = amount.unit, let scale = moneyScales[words.trimmingBlanks] {
        return (amount.number + Array("\\cdot \(scale)".utf8), unit)
      }
      if let (number, unit) = scaled(amount.number[...], words) {
        return (number, unit ?? amount.unit)
      }
      let unit = MeasureUnit(text: words) ?? MeasureUnit(words: words)
      let isChanged = NumberChange.isMade(by: words) || MeasureUnit.isImpossible(words)
      return unit == nil && isChanged ? (text, nil) : (amount.number, unit)
    }
    let amount = withoutCurrency(trimmed)
    let (number, unit) = withoutWords(amount.number[...])
    return number == Array(trimmed) ? (text, nil) : (number, unit ?? amount.unit)
  }

  // MARK: Signs and currencies

  private static let signs: [(mark: String, unit: MeasureUnit?)] = [
    ("\\%", .percent), ("%", .percent), ("^\\circ", .degree), ("^{\\circ}", .degree),
    ("^o", .degree), ("\\$", MeasureUnit(text: "dollar")),
    ("^{\\circ}C", MeasureUnit(text: "celsius")), ("^\\circ C", MeasureUnit(text: "celsius")),
    ("^{\\circ}F", MeasureUnit(text: "fahrenheit")), ("^\\circ F", MeasureUnit(text: "fahrenheit")),
  ]

  /// Without a sign for percent, degrees or dollars at the end. Degrees in a function are part of
  /// its argument.
  private static func withoutSign(_ text: [UInt8]) -> (number: [UInt8], unit: MeasureUnit?) {
    for (mark, unit) in signs where text[...].hasSuffix(mark) {
      let number = text[...].dropLast(mark.utf8.count).trimmed
      let isFunction = LatexFunction.allCases.contains { number.contains("\\" + $0.rawValue) }
      guard !number.isEmpty, number.split(atTopLevel: ",") == nil,
        number.split(atTopLevel: "=") == nil, !isFunction,
        mark != "^o" || number.last?.isDigit == true,
        unit != .percent || PercentSign.isUnit(of: number)
      else { break }
      return (Array(number), unit)
    }
    return (text, nil)
  }

  private static let currencies: [(mark: String, unit: String)] = [
    ("USD", "dollar"), ("US\\$", "dollar"), ("\\$", "dollar"), ("EUR", "euro"), ("GBP", "gbp"),
    ("INR", "inr"), ("Rs.", "inr"), ("Rs", "inr"), ("CAD", ""), ("AUD", ""),
  ]

  private static func withoutCurrency(
    _ text: some Collection<UInt8>
  ) -> (number: [UInt8], unit: MeasureUnit?) {
    let opening = Array("\\text{".utf8)
    var text = Array(text)[...].trimmed
    if text.starts(with: opening),
      let close = LatexText.closingBrace(of: text, openedAt: text.startIndex + opening.count - 1),
      currencies.contains(where: { text.dropFirst(opening.count).starts(with: $0.mark.utf8) })
    {
      text = (text[(text.startIndex + opening.count)..<close] + text[(close + 1)...])[...]
    }
    for (mark, unit) in currencies where text.starts(with: mark.utf8) {
      let rest = text.dropFirst(mark.utf8.count).trimmed
      if let first = rest.first, first.isDigit || "-.\\".utf8.contains(first) {
        return (Array(rest), MeasureUnit(text: unit))
      }
    }
    return (Array(text), nil)
  }

  // MARK: Texts

  /// Without a text such as `\text{ cm}^2` behind something, and the words of that text.
  private static func withoutTrailingText(
    _ text: ArraySlice<UInt8>
  ) -> (rest: [UInt8], words: String?) {
    var end = text.endIndex
    var power = ""
    for mark in ["^2", "^3", "^{2}", "^{3}", "^{-1}", "^{-2}", "^{-3}"] where text.hasSuffix(mark) {
      end -= mark.utf8.count
      power = mark
      break
    }
    for command: StaticString in ["\\text{", "\\mathrm{", "\\mbox{", "\\textbf{", "\\unit{"] {
      guard let start = text[..<end].lastRange(of: command), start.lowerBound > text.startIndex,
        LatexText.closingBrace(of: text, openedAt: start.upperBound - 1) == end - 1
      else { continue }
      var rest = text[..<start.lowerBound].trimmed
      while let space = ["\\,", "\\;", "\\:", "\\!", "\\", "~"].first(where: rest.hasSuffix) {
        rest = rest.dropLast(space.utf8.count).trimmed
      }
      let isQuantity = rest.last.map { $0.isDigit || "})%$!".utf8.contains($0) || $0.isLetter }
      guard isQuantity == true else { break }
      let words = String(decoding: text[start.upperBound..<(end - 1)], as: UTF8.self) + power
      let isHalfOfDay = ["am", "pm"].contains(words.lowercased().filter { !" .".contains($0) })
      // The imaginary unit and Euler's number are numbers.
      if isHalfOfDay || ["i", "e"].contains(words) { break }
      // `\text{ km}/\text{h}`, or a scale such as `\text{ million}`, belongs to the words.
      return (Array(rest), words)
    }
    return (Array(text), nil)
  }

  // MARK: Words

  /// The number alone, where the text is a number with a unit in words.
  private static func withoutWords(
    _ text: ArraySlice<UInt8>
  ) -> (number: [UInt8], unit: MeasureUnit?) {
    let end = numberEnd(text)
    guard end > text.startIndex else { return (Array(text), nil) }
    let number = text[..<end].trimmed
    let rest = text[end...]
    if rest.isEmpty { return (Array(number), nil) }
    let hasBlank = rest.first?.isBlank == true || rest.first == UInt8(ascii: "\\")
    var words = String(decoding: rest, as: UTF8.self)
    for mark in ["\\text{", "\\ ", "\\cdot"] { words = words.replacing(mark, with: " ") }
    words = words.replacing("^{2}", with: "^2").replacing("^{3}", with: "^3")
      .replacing("}^", with: "^").replacing("}", with: " ")
    if let scaled = scaled(number, words) { return scaled }
    let known = MeasureUnit(words: words)
    let plain = words.replacing("^2", with: "").replacing("^3", with: "")
    guard !MeasureUnit.isImpossible(words),
      isUnit(plain, isKnown: known != nil, afterBlank: hasBlank)
    else { return (Array(text), nil) }
    return (Array(number), known)
  }

  /// Whether behind a number there is nothing but one letter that stands for a unit: `40m`.
  static func isNumber(_ number: String, withLetterOf text: String) -> Bool {
    text.hasPrefix(number) && ["m", "s", "g", "h", "L"].contains(text.dropFirst(number.count))
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
    "dozen": "12", "hundred": "10^{2}", "thousand": "10^{3}", "million": "10^{6}",
    "billion": "10^{9}", "trillion": "10^{12}",
  ]

  /// Letters behind an amount of money.
  private static let moneyScales = [
    "k": "10^{3}", "K": "10^{3}", "M": "10^{6}", "m": "10^{6}", "mn": "10^{6}", "B": "10^{9}",
    "bn": "10^{9}", "T": "10^{12}",
  ]

  /// `5 million dollars` as `5\cdot10^{6}`.
  private static func scaled(
    _ number: ArraySlice<UInt8>, _ words: String
  ) -> (number: [UInt8], unit: MeasureUnit?)? {
    let parts = words.split(separator: " ")
    guard let first = parts.first, let scale = scales[first.lowercased()] else { return nil }
    let rest = parts.dropFirst().joined(separator: " ")
    let known = MeasureUnit(words: rest)
    guard rest.isEmpty || isUnit(" " + rest, isKnown: known != nil, afterBlank: true) else {
      return nil
    }
    let plain = LatexText.withoutThousandsCommas(Array(number)) ?? Array(number)
    return (plain + Array("\\cdot \(scale)".utf8), known)
  }

  /// Whether words are what a number may count, and no part of a formula or a sentence.
  private static func isUnit(_ text: String, isKnown: Bool, afterBlank: Bool) -> Bool {
    let words = text.lowercased().split { " /.-".contains($0) }
    // How often, and how many beyond those there are.
    if words == ["times"] || (words.first == "more" && !words.contains("than")) { return true }
    guard let first = words.first, words.count <= 6, isKnown || !NumberChange.isMade(by: text),
      words.allSatisfy({ isWord($0) && !formulaWords.contains(String($0)) })
    else { return false }
    // Signs of their own count things without a blank: `7个`.
    if first.unicodeScalars.first.map({ $0.value >= 0x2E80 }) == true { return true }
    if isKnown || generic.contains(String(first)) {
      return afterBlank || first.count >= 2 || words.count > 1
    }
    return afterBlank && first.count >= 3
  }

  /// Letters of any script but Greek, whose letters are names in formulas.
  private static func isWord(_ text: Substring) -> Bool {
    text.unicodeScalars.allSatisfy { letter in
      letter.properties.isAlphabetic && !(0x370...0x3FF).contains(letter.value)
        && !(0x1F00...0x214F).contains(letter.value) && letter.value < 0x1D400
    }
  }

  /// Words that go on with a formula or a sentence.
  private static let formulaWords: Set<String> = [
    "pi", "sin", "cos", "tan", "cot", "sec", "csc", "log", "ln", "exp", "sqrt", "frac", "mod", "or",
    "and", "to", "of", "out", "plus", "minus", "times", "divided", "over", "from", "less", "more",
    "than", "base", "choose", "not", "but", "if", "when", "where", "infinity", "point", "power",
  ]

  /// What a number counts in no unit of its own.
  private static let generic: Set<String> = [
    "unit", "units", "square", "sq", "cubic", "cu", "people", "ways",
  ]
}

extension ArraySlice<UInt8> {
  /// Whether the bytes end with a text.
  fileprivate func hasSuffix(_ text: String) -> Bool {
    suffix(text.utf8.count).elementsEqual(text.utf8)
  }
}

extension String {
  /// Without blanks at both ends.
  fileprivate var trimmingBlanks: String {
    String(decoding: Array(utf8)[...].trimmed, as: UTF8.self)
  }
}
