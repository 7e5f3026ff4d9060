import Foundation

/// An exact fraction of integers of any length.
struct Rational: Equatable {
  private let isNegative: Bool
  private let numerator: BigNatural
  /// Not zero.
  private let denominator: BigNatural

  /// Longer numbers are no answers; the limit keeps comparing cheap.
  private static let longest = 1000
  /// Units of nine digits in the numerators and denominators of what is computed, at most.
  private static let mostLength = 700

  private init?(_ numerator: BigNatural, _ denominator: BigNatural, isNegative: Bool) {
    guard !denominator.isZero, max(numerator.length, denominator.length) <= Self.mostLength else {
      return nil
    }
    self.isNegative = isNegative && !numerator.isZero
    (self.numerator, self.denominator) = (numerator, denominator)
  }

  /// A whole number.
  init(_ value: Int) {
    (isNegative, numerator, denominator) = (value < 0, BigNatural(abs(value)), .one)
  }

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
      guard let decimal = Self(decimal: first) else { return nil }
      (numerator, denominator) = (decimal.numerator, decimal.denominator)
    } else {
      let (firstNegative, top) = Self.withoutSign(first)
      let (secondNegative, bottom) = Self.withoutSign(parts[1])
      guard let top = BigNatural(digits: top), let bottom = BigNatural(digits: bottom),
        !bottom.isZero
      else { return nil }
      (numerator, denominator) = (top, bottom)
      negative = negative != (firstNegative != secondNegative)
    }
    isNegative = negative && !numerator.isZero
  }

  /// Reads digits with at most one point; nil for anything else.
  init?(decimal text: ArraySlice<UInt8>) {
    let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard let whole = parts.first, parts.count <= 2 else { return nil }
    let fraction = parts.dropFirst().first ?? []
    guard text.count <= Self.longest, let digits = BigNatural(digits: whole + fraction) else {
      return nil
    }
    self.init(digits, .powerOfTen(fraction.count), isNegative: false)
  }

  /// Whether both are the same number, by multiplying crosswise.
  static func == (left: Rational, right: Rational) -> Bool {
    left.isNegative == right.isNegative
      && left.numerator * right.denominator == right.numerator * left.denominator
  }

  /// The digits of a number of 18 digits at most that is whole and not below zero; nil for others.
  var wholeNumber: String? {
    guard !isNegative, let top = numerator.small, let bottom = denominator.small,
      top.isMultiple(of: bottom)
    else { return nil }
    return String(top / bottom)
  }

  /// The number, where it is whole, written without a denominator, and small enough to be counted
  /// to.
  var integer: Int? {
    guard denominator == .one, let size = numerator.small else { return nil }
    return isNegative ? -size : size
  }

  /// The nearest double, about; infinite or 0 where none is near.
  var value: Double {
    let (top, bottom) = (numerator.scientific, denominator.scientific)
    let size = top.mantissa / bottom.mantissa * pow(1e9, Double(top.exponent - bottom.exponent))
    return isNegative ? -size : size
  }

  private static func withoutSign(_ text: ArraySlice<UInt8>) -> (Bool, ArraySlice<UInt8>) {
    guard let first = text.first, "+-".utf8.contains(first) else { return (false, text) }
    return (first == UInt8(ascii: "-"), text.dropFirst())
  }
}

/// Arithmetic; nil for what has no value or is too long.
extension Rational {
  static prefix func - (number: Rational) -> Rational? {
    Rational(number.numerator, number.denominator, isNegative: !number.isNegative)
  }

  static func + (left: Rational, right: Rational) -> Rational? {
    guard let bottom = product(left.denominator, right.denominator),
      let first = product(left.numerator, right.denominator),
      let second = product(right.numerator, left.denominator)
    else { return nil }
    if left.isNegative == right.isNegative {
      return Rational(first + second, bottom, isNegative: left.isNegative)
    }
    return Rational(
      .distance(first, second), bottom,
      isNegative: first < second ? right.isNegative : left.isNegative)
  }

  static func * (left: Rational, right: Rational) -> Rational? {
    guard let top = product(left.numerator, right.numerator),
      let bottom = product(left.denominator, right.denominator)
    else { return nil }
    return Rational(top, bottom, isNegative: left.isNegative != right.isNegative)
  }

  static func / (left: Rational, right: Rational) -> Rational? {
    guard let top = product(left.numerator, right.denominator),
      let bottom = product(left.denominator, right.numerator)
    else { return nil }
    return Rational(top, bottom, isNegative: left.isNegative != right.isNegative)
  }

  /// This number to a whole power.
  func power(_ exponent: Int) -> Rational? {
    guard exponent != 0 || !numerator.isZero else { return nil }
    var (result, square, rest) = (Rational(1), self, exponent.magnitude)
    while rest > 0 {
      if rest & 1 == 1 {
        guard let next = result * square else { return nil }
        result = next
      }
      rest >>= 1
      guard rest > 0 else { break }
      guard let next = square * square else { return nil }
      square = next
    }
    return exponent < 0 ? Rational(1) / result : result
  }

  /// Shorter than what it would take to find out that the product is too long.
  private static func product(_ left: BigNatural, _ right: BigNatural) -> BigNatural? {
    left.length + right.length <= mostLength + 1 ? left * right : nil
  }
}
