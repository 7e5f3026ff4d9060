/// Decimals that go on for ever, however they are written: `0.333...`, `0.1\overline6`, `0.(27)`,
/// `0.\dot{1}4285\dot{7}`. All become `0.\overline{3}`, which has a value.
enum RepeatingDecimal {
  /// The text with such decimals in one notation; what repeats nothing stays as it is.
  static func marked(_ text: [UInt8]) -> [UInt8] {
    guard text.contains(UInt8(ascii: ".")) else { return text }
    let slice = text[...]
    var result: [UInt8] = []
    var position = 0
    while position < text.count {
      let isFresh = result.last.map { !$0.isDigit && $0 != UInt8(ascii: ".") } ?? true
      if isFresh, let (decimal, end) = decimal(in: slice, at: position) {
        result += decimal
        position = end
      } else {
        result.append(text[position])
        position += 1
      }
    }
    return result
  }

  /// A decimal at a position that repeats something, in the one notation, and where it ends.
  private static func decimal(
    in text: ArraySlice<UInt8>, at start: Int
  ) -> (text: [UInt8], end: Int)? {
    let whole = text[start...].prefix(while: \.isDigit)
    guard text.byte(at: whole.endIndex) == UInt8(ascii: ".") else { return nil }
    let places = text[(whole.endIndex + 1)...].prefix(while: \.isDigit)
    let head = whole + [UInt8(ascii: ".")]
    if let (period, end) = period(in: text, at: places.endIndex, isBehindPoint: places.isEmpty) {
      return (head + places + overlined(period), dotsEnd(text, at: end) ?? end)
    }
    guard let end = dotsEnd(text, at: places.endIndex), let start = repetition(in: Array(places))
    else { return nil }
    return (head + places.prefix(start.place) + overlined(start.period), end)
  }

  private static func overlined(_ period: some Sequence<UInt8>) -> [UInt8] {
    Array("\\overline{".utf8) + period + [UInt8(ascii: "}")]
  }

  /// The digits that a mark at a position repeats. Round brackets are a mark right behind the point
  /// alone, since elsewhere they may be a factor.
  private static func period(
    in text: ArraySlice<UInt8>, at start: Int, isBehindPoint: Bool
  ) -> (digits: [UInt8], end: Int)? {
    if isBehindPoint, text.byte(at: start) == UInt8(ascii: "(") {
      let digits = text[(start + 1)...].prefix(while: \.isDigit)
      guard !digits.isEmpty, text.byte(at: digits.endIndex) == UInt8(ascii: ")") else { return nil }
      return (Array(digits), digits.endIndex + 1)
    }
    for mark: StaticString in ["\\overline", "\\bar", "\\dot"] where text.has(mark, at: start) {
      guard let (first, end) = argument(text, at: start + mark.utf8CodeUnitCount) else {
        return nil
      }
      // Two dots stand over the first and the last digit of what repeats.
      let between = text[end...].prefix(while: \.isDigit)
      if mark.utf8CodeUnitCount == 4, text.has("\\dot", at: between.endIndex),
        let (last, end) = argument(text, at: between.endIndex + 4)
      {
        return (first + between + last, end)
      }
      return (first, end)
    }
    return nil
  }

  /// Digits in braces, or one digit.
  private static func argument(
    _ text: ArraySlice<UInt8>, at position: Int
  ) -> (digits: [UInt8], end: Int)? {
    let open = text[position...].prefix { $0.isBlank }.endIndex
    if let digit = text.byte(at: open), digit.isDigit { return ([digit], open + 1) }
    guard let close = LatexText.closingBrace(of: text, openedAt: open) else { return nil }
    let digits = text[(open + 1)..<close]
    guard !digits.isEmpty, digits.allSatisfy(\.isDigit) else { return nil }
    return (Array(digits), close + 1)
  }

  /// Where dots end that stand at a position, perhaps behind a blank; nil without any.
  private static func dotsEnd(_ text: ArraySlice<UInt8>, at position: Int) -> Int? {
    let start = text[position...].prefix { $0.isBlank }.endIndex
    for mark: StaticString in ["\\ldots", "\\dots", "\\cdots", "..."]
    where text.has(mark, at: start) {
      let end = start + mark.utf8CodeUnitCount
      return text[end...].prefix { $0 == UInt8(ascii: ".") }.endIndex
    }
    return nil
  }

  /// Where repetition begins in the decimals before dots, and what is repeated: at least twice, and
  /// a single digit three times unless it is all there is.
  private static func repetition(in digits: [UInt8]) -> (place: Int, period: [UInt8])? {
    for length in stride(from: 1, through: digits.count / 2, by: 1) {
      var first = digits.count - length
      while first > 0, digits[first - 1] == digits[first - 1 + length] { first -= 1 }
      let count = digits.count - first
      if count >= 2 * length, count >= 3 || first == 0 {
        return (first, Array(digits[first..<(first + length)]))
      }
    }
    return nil
  }
}

extension LatexEvaluator {
  /// `0.1\overline{6}`: the decimals in braces go on for ever.
  mutating func repeating(_ digits: ArraySlice<UInt8>) -> ComplexNumber? {
    guard let point = digits.firstIndex(of: UInt8(ascii: ".")),
      let value = Rational(decimal: (digits + [UInt8(ascii: "0")])[...]),
      let close = LatexText.closingBrace(of: text, openedAt: position),
      (1...15).contains(close - position - 1),
      let period = Rational(decimal: text[(position + 1)..<close])
    else { return nil }
    func ten(to power: Int) -> ComplexNumber {
      ComplexNumber(Rational(10)).power(ComplexNumber(Rational(power)))
    }
    let places = ten(to: digits.endIndex - point - 1)
    let nines = ten(to: close - position - 1) - ComplexNumber(Rational(1))
    position = close + 1
    return ComplexNumber(value) + ComplexNumber(period) / places / nines
  }
}
