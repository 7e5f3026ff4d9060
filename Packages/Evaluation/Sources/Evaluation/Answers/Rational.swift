/// An exact fraction of integers of any length, written as in an answer.
struct Rational: Equatable {
  private let isNegative: Bool
  /// Decimal digits, the lowest first.
  private let numerator: [UInt8]
  /// Decimal digits, the lowest first; not zero.
  private let denominator: [UInt8]

  /// Longer numbers are no answers; the limit keeps comparing cheap.
  private static let longest = 1000

  /// Reads an integer, a finite decimal, `a/b` or `\frac{a}{b}`, each with an optional sign.
  ///
  /// Nil for anything else, and for a zero denominator.
  init?(latex: String) {
    let text = Array(latex.utf8)[...]
    guard text.count <= Self.longest else { return nil }
    var (negative, rest) = Self.withoutSign(text)
    let parts: [ArraySlice<UInt8>]
    if rest.has("\\frac{", at: rest.startIndex) {
      let open = rest.startIndex + 5
      guard let middle = LatexText.closingBrace(of: rest, openedAt: open),
        let close = LatexText.closingBrace(of: rest, openedAt: middle + 1),
        close == rest.endIndex - 1
      else { return nil }
      parts = [rest[(open + 1)..<middle], rest[(middle + 2)..<close]]
    } else {
      parts = rest.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    }
    guard let first = parts.first, parts.count <= 2 else { return nil }
    if parts.count == 1 {
      guard let decimal = Self.decimal(first) else { return nil }
      (numerator, denominator) = (decimal.digits, Self.powerOfTen(decimal.places))
    } else {
      let (firstNegative, top) = Self.withoutSign(first)
      let (secondNegative, bottom) = Self.withoutSign(parts[1])
      guard let top = Self.whole(top), let bottom = Self.whole(bottom), !bottom.isEmpty
      else { return nil }
      (numerator, denominator) = (top, bottom)
      negative = negative != (firstNegative != secondNegative)
    }
    isNegative = negative && !numerator.isEmpty
  }

  /// Whether both are the same number, by multiplying crosswise.
  static func == (left: Rational, right: Rational) -> Bool {
    left.isNegative == right.isNegative
      && product(left.numerator, right.denominator) == product(right.numerator, left.denominator)
  }

  /// The digits of a number of 18 digits at most that is whole and not below zero; nil for others.
  var wholeNumber: String? {
    func value(_ digits: [UInt8]) -> Int? {
      digits.count <= 18 ? digits.reversed().reduce(0) { 10 * $0 + Int($1) } : nil
    }
    guard !isNegative, let top = value(numerator), let bottom = value(denominator),
      top.isMultiple(of: bottom)
    else { return nil }
    return String(top / bottom)
  }

  private static func withoutSign(_ text: ArraySlice<UInt8>) -> (Bool, ArraySlice<UInt8>) {
    guard let first = text.first, "+-".utf8.contains(first) else { return (false, text) }
    return (first == UInt8(ascii: "-"), text.dropFirst())
  }

  /// Digits with at most one point.
  private static func decimal(_ text: ArraySlice<UInt8>) -> (digits: [UInt8], places: Int)? {
    let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard let whole = parts.first, parts.count <= 2 else { return nil }
    let fraction = parts.dropFirst().first ?? []
    guard let digits = Self.whole((whole + fraction)[...]) else { return nil }
    return (digits, fraction.count)
  }

  /// Digits, the lowest first, without leading zeros; nil for anything else.
  private static func whole(_ text: ArraySlice<UInt8>) -> [UInt8]? {
    guard !text.isEmpty, text.allSatisfy(\.isDigit) else { return nil }
    return text.drop { $0 == UInt8(ascii: "0") }.reversed().map { $0 - UInt8(ascii: "0") }
  }

  private static func powerOfTen(_ exponent: Int) -> [UInt8] {
    [UInt8](repeating: 0, count: exponent) + [1]
  }

  private static func product(_ left: [UInt8], _ right: [UInt8]) -> [UInt8] {
    var sums = [Int](repeating: 0, count: left.count + right.count)
    for (i, a) in left.enumerated() {
      for (j, b) in right.enumerated() { sums[i + j] += Int(a) * Int(b) }
    }
    var carry = 0
    var digits = sums.map { sum in
      let total = sum + carry
      carry = total / 10
      return UInt8(total % 10)
    }
    while digits.last == 0 { digits.removeLast() }
    return digits
  }
}
