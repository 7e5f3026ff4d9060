/// Percent signs: the unit of a whole (`20\%`, `100\% - 30\%`), or hundredths within a formula
/// (`50\% \cdot 80`, `80 \cdot 50\%`, `1 + 5\%`).
enum PercentSign {
  /// Whether a sign behind a text is the unit of all of it: of a single number, or of a sum whose
  /// other terms have a sign too.
  static func isUnit(of text: ArraySlice<UInt8>) -> Bool {
    var start = text.startIndex
    for sign in operators(in: text) {
      let term = text[start..<sign.lowerBound].trimmed
      guard text[sign.lowerBound] != UInt8(ascii: "\\"), text[sign.lowerBound] != UInt8(ascii: "*"),
        term.last == UInt8(ascii: "%")
      else { return false }
      start = sign.upperBound
    }
    return true
  }

  /// Every sign that is no unit as the hundredth that it is; no text is longer than a formula, since
  /// each sign looks at all of its surroundings.
  static func withHundredths(_ text: [UInt8]) -> [UInt8] {
    guard text.count <= LatexEvaluator.longest else { return text }
    var result: [UInt8] = []
    for (index, byte) in text.enumerated() {
      guard byte == UInt8(ascii: "%"), isHundredth(at: index, in: text[...]) else {
        result.append(byte)
        continue
      }
      if result.last == UInt8(ascii: "\\") { result.removeLast() }
      while result.last?.isBlank == true { result.removeLast() }
      let start = numberStart(result)
      result.insert(UInt8(ascii: "("), at: start)
      result += start < result.count - 1 ? Array("/100)".utf8) : Array("1/100)".utf8)
    }
    return result
  }

  /// Where plain digits at the end begin that are a factor of their own; the end where there are
  /// none.
  private static func numberStart(_ text: [UInt8]) -> Int {
    let start = text.lastIndex { !$0.isDigit && $0 != UInt8(ascii: ".") }.map { $0 + 1 } ?? 0
    let before = start > 0 ? text[start - 1] : nil
    return before.map { "/^_,".utf8.contains($0) } == true ? text.count : start
  }

  /// Whether the sign at a position belongs to a factor or a term of something larger.
  private static func isHundredth(at sign: Int, in text: ArraySlice<UInt8>) -> Bool {
    let isEscaped = sign > 0 && text[sign - 1] == UInt8(ascii: "\\")
    let before = text[..<(isEscaped ? sign - 1 : sign)].trimmed
    guard before.last.map({ $0.isDigit || ")}".utf8.contains($0) }) == true else { return false }
    let next = text[(sign + 1)...].drop(while: \.isBlank)
    if startsFactor(next) { return true }
    let part = self.part(around: sign, of: text)
    // All terms of a sum that has a unit are in it.
    if text[part].hasSuffix(Quantity.mark(.percent)) { return false }
    if !operators(in: text[part]).isEmpty || next.first == UInt8(ascii: "^") { return true }
    return isInBrackets(part, of: text)
  }

  private static func startsFactor(_ next: ArraySlice<UInt8>) -> Bool {
    let factors: [StaticString] = [
      "\\cdot", "\\times", "\\div", "\\sqrt", "\\frac", "\\pi", "(", "*", "/", "\\left(",
    ]
    let isName = next.first?.isLetter == true && next.dropFirst().first?.isLetter != true
    return isName || next.first?.isDigit == true
      || factors.contains { next.has($0, at: next.startIndex) }
  }

  /// Whether a part is all that stands in brackets that are themselves a part of something.
  private static func isInBrackets(_ part: Range<Int>, of text: ArraySlice<UInt8>) -> Bool {
    guard part.lowerBound > text.startIndex, part.upperBound < text.endIndex,
      "([{".utf8.contains(text[part.lowerBound - 1]), ")]}\\".utf8.contains(text[part.upperBound])
    else { return false }
    let outside = text[..<(part.lowerBound - 1)]
    if text[part.lowerBound - 1] == UInt8(ascii: "{") {
      return ["\\frac", "\\sqrt", "}", "^"].contains { outside.hasSuffix(Array($0.utf8)) }
    }
    let behind = text[part.upperBound...].drop { ")]}".utf8.contains($0) || $0.isBlank }
    let isWhole = outside.replacing("\\left", by: "").trimmed.isEmpty
    return !isWhole || (!behind.isEmpty && !behind.elementsEqual("\\right)".utf8))
  }

  /// The side of an equation, the element of a list or the content of brackets around a position.
  private static func part(around position: Int, of text: ArraySlice<UInt8>) -> Range<Int> {
    let marks = "=,;<>:".utf8
    var (start, end) = (position, position + 1)
    var depth = 0
    while start > text.startIndex {
      let byte = text[start - 1]
      if ")]}".utf8.contains(byte) { depth += 1 }
      if "([{".utf8.contains(byte) { depth -= 1 }
      if depth < 0 || (depth == 0 && marks.contains(byte)) { break }
      start -= 1
    }
    depth = 0
    while end < text.endIndex {
      if "([{".utf8.contains(text[end]) { depth += 1 }
      if ")]}".utf8.contains(text[end]) { depth -= 1 }
      if depth < 0 || (depth == 0 && marks.contains(text[end])) { break }
      end += 1
    }
    return start..<end
  }

  /// The signs between factors and terms where no bracket is open, but for that of the first term.
  private static func operators(in text: ArraySlice<UInt8>) -> [Range<Int>] {
    let signs = ["+", "-", "*", "\\cdot", "\\times", "\\div"]
    return text.topLevelPositions.compactMap { position in
      guard !text[..<position].trimmed.isEmpty,
        let sign = signs.first(where: { text[position...].starts(with: $0.utf8) })
      else { return nil }
      return position..<(position + sign.utf8.count)
    }
  }
}

extension ArraySlice<UInt8> {
  fileprivate func hasSuffix(_ bytes: [UInt8]) -> Bool { suffix(bytes.count).elementsEqual(bytes) }
}
