/// Finds the last number in running text, whole: with its sign, as a fraction, a root or a power,
/// and never just the digits at its end.
enum LastNumber {
  /// The number as it is written, the last one that the words around do not deny; nil where there
  /// is none.
  static func find(in text: ArraySlice<UInt8>) -> String? {
    var end = text.endIndex
    while let last = text[..<end].lastIndex(where: \.isDigit) {
      let found = number(in: text, endingAt: last)
      guard
        Denial.isMade(
          before: text[..<found.place.lowerBound], after: text[found.place.upperBound...])
      else { return found.number }
      end = found.place.lowerBound
    }
    return nil
  }

  /// The number whose last digit stands at a position, and where it stands.
  private static func number(
    in text: ArraySlice<UInt8>, endingAt last: Int
  ) -> (number: String, place: Range<Int>) {
    var start = decimalStart(text, endingAt: last)
    var end = last + 1
    if let command = enclosingCommand(text, number: start..<end) {
      (start, end) = (command.lowerBound, command.upperBound)
    } else if start > text.startIndex, "^/".utf8.contains(text[start - 1]),
      let base = operand(text, endingBefore: start - 1)
    {
      start = base
    }
    start = mixedStart(text, number: start..<end) ?? start
    let number = Array(text[start..<end])
    let plain = String(decoding: LatexText.withoutThousandsCommas(number) ?? number, as: UTF8.self)
    return (hasSign(text[..<start]) ? "-" + plain : plain, start..<end)
  }

  /// Where the digits, with points and commas between them, begin.
  private static func decimalStart(_ text: ArraySlice<UInt8>, endingAt last: Int) -> Int {
    var start = last
    while start > text.startIndex, text[start - 1].isDigit || isInnerMark(text, at: start - 1) {
      start -= 1
    }
    return start
  }

  /// A point or comma between digits.
  private static func isInnerMark(_ text: ArraySlice<UInt8>, at position: Int) -> Bool {
    ".,".utf8.contains(text[position]) && position > text.startIndex && text[position - 1].isDigit
  }

  /// Where a number or a group that ends before a position begins.
  private static func operand(_ text: ArraySlice<UInt8>, endingBefore end: Int) -> Int? {
    guard end > text.startIndex, text[end - 1].isDigit else { return nil }
    return decimalStart(text, endingAt: end - 1)
  }

  /// The fraction, root or power whose braces the number stands in.
  private static func enclosingCommand(
    _ text: ArraySlice<UInt8>, number: Range<Int>
  ) -> Range<Int>? {
    let before = text[..<number.lowerBound]
    for command: StaticString in ["\\frac{", "\\dfrac{", "\\tfrac{", "\\sqrt{", "^{"] {
      guard let found = before.lastRange(of: command),
        let first = LatexText.closingBrace(of: text, openedAt: found.upperBound - 1)
      else { continue }
      let isFraction = command.description.hasSuffix("frac{")
      let close = isFraction ? LatexText.closingBrace(of: text, openedAt: first + 1) : first
      guard let close, close >= number.upperBound else { continue }
      if command.description == "^{" {
        guard let base = operand(text, endingBefore: found.lowerBound) else { continue }
        return base..<(close + 1)
      }
      return found.lowerBound..<(close + 1)
    }
    return nil
  }

  /// Where the integer before a fraction begins: `3 1/2`, `3\\frac{1}{2}`.
  private static func mixedStart(_ text: ArraySlice<UInt8>, number: Range<Int>) -> Int? {
    let isFraction =
      text[number].first == UInt8(ascii: "\\") || text[number].contains(UInt8(ascii: "/"))
    guard isFraction, !text[number].contains(UInt8(ascii: ".")) else { return nil }
    var end = number.lowerBound
    while end > text.startIndex, text[end - 1] == 0x20 { end -= 1 }
    guard end > text.startIndex, text[end - 1].isDigit else { return nil }
    let start = decimalStart(text, endingAt: end - 1)
    return text[start..<end].allSatisfy(\.isDigit) ? start : nil
  }

  /// Whether a text ends with a minus, in ASCII or U+2212, that is a sign, no difference and no
  /// hyphen.
  private static func hasSign(_ text: ArraySlice<UInt8>) -> Bool {
    let signs = [[UInt8(ascii: "-")], Array("\u{2212}".utf8)]
    guard let sign = signs.first(where: { text.suffix($0.count).elementsEqual($0) }) else {
      return false
    }
    let rest = text.dropLast(sign.count)
    guard let before = rest.last(where: { !$0.isBlank }) else { return true }
    let isOperand = before.isDigit || before.isLetter || ")}]".utf8.contains(before)
    return !isOperand || (rest.last?.isBlank == true && before.isLetter)
  }
}
