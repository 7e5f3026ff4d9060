/// Fractions in place of numbers that are known to some digits alone.
///
/// What is the same stays the same whatever stands for `\pi`, `\sqrt{2}` or `\ln 3`. So two
/// expressions that differ by one number, or by one factor, with any fractions in place of these
/// differ by it with the true values too: `\pi + 10^{-12}` is not `\pi`, though doubles hardly tell.
extension LatexEvaluator {
  /// What stands for a constant, or for a function's value at arguments that are known exactly: one
  /// fraction for each, at every point another. Nil where the true value is asked for.
  func standIn(for name: String, _ arguments: [ComplexNumber]) -> ComplexNumber? {
    guard hasStandIns, arguments.allSatisfy({ $0.exact != nil }) else { return nil }
    let places = arguments.map { "\($0.real)" }.joined(separator: ",")
    return variable("\\\(name)(\(places))".utf8)
  }

  /// A number to a power; where that is a root, what stands for it.
  func raised(_ base: ComplexNumber, to exponent: ComplexNumber) -> ComplexNumber? {
    let value = base.power(exponent)
    return value.exact == nil ? standIn(for: "power", [base, exponent]) ?? value : value
  }

  /// Whether two expressions are shown to differ by a number or a factor.
  static func areApart(
    _ left: ArraySlice<UInt8>, _ right: ArraySlice<UInt8>, at points: [UInt64],
    usesWholeNumbers: Bool
  ) -> Bool {
    var differences: [Rational] = []
    var quotients: [Rational] = []
    for point in points {
      let sides = [left, right].map {
        value(of: $0, at: point, usesWholeNumbers: usesWholeNumbers, hasStandIns: true)?.exact
      }
      guard let first = sides[0], let second = sides[1], let negative = -second,
        let difference = first + negative
      else { return false }
      differences.append(difference)
      if let quotient = first / second { quotients.append(quotient) }
    }
    guard let difference = differences.first, difference != Rational(0) else { return false }
    return differences.allSatisfy { $0 == difference }
      || quotients.count == points.count && quotients.allSatisfy { $0 == quotients[0] }
  }
}
