/// Sums and products over an index: `\sum_{k=1}^{10} k^2`, `\prod_{n=2}^{\infty} (1 - 1/n^4)`.
extension LatexEvaluator {
  /// The terms of a series without end that are added before it counts as one that does not
  /// converge.
  private static let mostTerms = 2000
  /// The terms of a sum that are added exactly.
  private static let mostExactTerms = 100

  /// The value of a series; nil for bounds that are no whole numbers, too many terms, or a series
  /// without end that does not settle to the last digit.
  mutating func series(
    _ start: ComplexNumber, _ combine: (ComplexNumber, ComplexNumber) -> ComplexNumber
  ) -> ComplexNumber? {
    guard take("_"), let close = LatexText.closingBrace(of: text, openedAt: position),
      let equals = text[position..<close].firstIndex(of: UInt8(ascii: "="))
    else { return nil }
    let name = String(decoding: text[(position + 1)..<equals], as: UTF8.self)
    guard name.utf8.count == 1, name.utf8.allSatisfy(\.isLetter) else { return nil }
    position = equals + 1
    guard let first = sum(), position == close, let lower = Self.wholeNumber(first) else {
      return nil
    }
    position = close + 1
    guard take("^") else { return nil }
    var upper: Int?
    if !takesInfinity() {
      guard let last = exponent(), let bound = Self.wholeNumber(last) else { return nil }
      upper = bound
    }
    return terms(name, from: lower, to: upper, start, combine)
  }

  private mutating func terms(
    _ name: String, from lower: Int, to upper: Int?, _ start: ComplexNumber,
    _ combine: (ComplexNumber, ComplexNumber) -> ComplexNumber
  ) -> ComplexNumber? {
    let body = position
    let outer = indices[name]
    defer { indices[name] = outer }
    var total = start
    var unchanged = 0
    var index = lower
    // An empty range is read once all the same, to find where its term ends.
    repeat {
      position = body
      // Many terms are not worth their exact sum, and those of a series without end have none.
      let isExact = upper.map { $0 - lower < Self.mostExactTerms } ?? false
      let place = ComplexNumber(Rational(index))
      indices[name] = isExact ? place : place.rounded
      let term = product()
      bytesLeft -= position - body
      guard bytesLeft >= 0 else { return nil }
      guard upper.map({ lower <= $0 }) ?? true else { return term == nil ? nil : start }
      guard let term, term.isFinite else { return nil }
      let next = combine(total, term)
      unchanged = (next - total).magnitude <= 1e-16 * next.magnitude ? unchanged + 1 : 0
      total = next
      index += 1
      if upper == nil, unchanged >= 4 { return total.rounded }
    } while upper.map { index <= $0 } ?? (index - lower < Self.mostTerms)
    return upper == nil ? nil : total
  }

  private mutating func takesInfinity() -> Bool {
    for mark: StaticString in ["\\infty", "{\\infty}", "{+\\infty}"] where take(mark) {
      return true
    }
    return false
  }

  private static func wholeNumber(_ value: ComplexNumber) -> Int? {
    guard value.imaginary == 0, value.real == value.real.rounded(), abs(value.real) <= 1e6 else {
      return nil
    }
    return Int(value.real)
  }

  /// A unit within a formula changes no value.
  mutating func skippedUnit() -> ComplexNumber? {
    guard let close = LatexText.closingBrace(of: text, openedAt: position) else { return nil }
    position = close + 1
    return ComplexNumber(1)
  }

  // MARK: Whole numbers

  /// The factorial; exact of an exact number, while that is short enough.
  static func factorial(_ number: ComplexNumber) -> ComplexNumber? {
    guard number.imaginary == 0, number.real == number.real.rounded(),
      (0...3000).contains(number.real)
    else { return nil }
    let one = ComplexNumber(Rational(1))
    let product = (0..<Int(number.real)).reduce(number.exact == nil ? one.rounded : one) {
      $0 * ComplexNumber(Rational($1 + 1))
    }
    return product.isFinite ? product : nil
  }

  static func binomial(_ n: ComplexNumber, _ k: ComplexNumber) -> ComplexNumber? {
    guard n.imaginary == 0, k.imaginary == 0, k.real == k.real.rounded(),
      (0...1000).contains(k.real)
    else { return nil }
    if let whole = n.exact?.integer, k.real <= Double(whole) {
      let top = (0..<Int(k.real)).reduce(ComplexNumber(Rational(1))) {
        $0 * ComplexNumber(Rational(whole - $1))
      }
      let bottom = factorial(ComplexNumber(Rational(Int(k.real))))
      if let exact = bottom.flatMap({ (top / $0).exact }) { return ComplexNumber(exact) }
    }
    return ComplexNumber(
      (0..<Int(k.real)).reduce(1.0) { $0 * (n.real - Double($1)) / Double($1 + 1) })
  }
}
