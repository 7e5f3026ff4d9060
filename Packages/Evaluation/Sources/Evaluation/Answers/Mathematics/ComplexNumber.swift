import Foundation

/// A complex number, as far as the value of an answer needs it: two doubles and, of what is made of
/// whole numbers and decimals by the four operations and whole powers, the exact value.
struct ComplexNumber: Equatable {
  let real: Double
  let imaginary: Double
  /// The exact value; nil for what is known to the digits of doubles alone.
  let exact: Rational?

  init(_ real: Double, _ imaginary: Double = 0) {
    (self.real, self.imaginary, exact) = (real, imaginary, nil)
  }

  /// A number that is known exactly.
  init(_ exact: Rational) {
    (real, imaginary, self.exact) = (exact.value, 0, exact)
  }

  /// Whether the doubles are the same.
  static func == (left: Self, right: Self) -> Bool {
    left.real == right.real && left.imaginary == right.imaginary
  }

  static let i = ComplexNumber(0, 1)

  /// Whether it has a value, as doubles or exactly.
  var isFinite: Bool { exact != nil || (real.isFinite && imaginary.isFinite) }

  /// This number without its exact value.
  var rounded: Self { Self(real, imaginary) }

  /// The result of an operation on two exact numbers, where it is one.
  private static func exactly(
    _ left: Self, _ right: Self, _ operation: (Rational, Rational) -> Rational?
  ) -> Self? {
    guard let left = left.exact, let right = right.exact else { return nil }
    return operation(left, right).map { Self($0) }
  }

  /// The distance from zero.
  var magnitude: Double { hypot(real, imaginary) }

  static func + (left: Self, right: Self) -> Self {
    exactly(left, right, +) ?? Self(left.real + right.real, left.imaginary + right.imaginary)
  }

  static func - (left: Self, right: Self) -> Self {
    left + -right
  }

  static prefix func - (number: Self) -> Self {
    if let exact = number.exact, let negative = -exact { return Self(negative) }
    return Self(-number.real, -number.imaginary)
  }

  static func * (left: Self, right: Self) -> Self {
    if let exact = exactly(left, right, *) { return exact }
    if left.imaginary == 0, right.imaginary == 0 { return Self(left.real * right.real) }
    return Self(
      left.real * right.real - left.imaginary * right.imaginary,
      left.real * right.imaginary + left.imaginary * right.real)
  }

  /// The quotient; not finite for a zero divisor.
  static func / (left: Self, right: Self) -> Self {
    if let exact = exactly(left, right, /) { return exact }
    if left.imaginary == 0, right.imaginary == 0 { return Self(left.real / right.real) }
    let square = right.real * right.real + right.imaginary * right.imaginary
    let product = left * Self(right.real, -right.imaginary)
    return Self(product.real / square, product.imaginary / square)
  }

  /// The number e to this power.
  var exponential: Self {
    let size = exp(real)
    return imaginary == 0 ? Self(size) : Self(size * cos(imaginary), size * sin(imaginary))
  }

  /// The natural logarithm, its principal value.
  var logarithm: Self { Self(log(magnitude), atan2(imaginary, real)) }

  /// The square root, its principal value.
  var squareRoot: Self {
    if imaginary == 0 {
      return real >= 0 ? Self(real.squareRoot()) : Self(0, (-real).squareRoot())
    }
    return power(Self(0.5))
  }

  /// This number to a power; whole exponents up to 4096 by multiplying.
  func power(_ exponent: Self) -> Self {
    if let exact, let whole = exponent.exact?.integer, let power = exact.power(whole) {
      return Self(power)
    }
    if exponent.imaginary == 0, exponent.real == exponent.real.rounded(),
      abs(exponent.real) <= 4096
    {
      var result = Self(1)
      for _ in 0..<Int(abs(exponent.real)) { result = result * self }
      return exponent.real < 0 ? Self(1) / result : result
    }
    if imaginary == 0, exponent.imaginary == 0, real >= 0 {
      return Self(pow(real, exponent.real))
    }
    if let root = realOddRoot(exponent) { return root }
    if self == Self(0) { return Self(0) }
    return (exponent * logarithm).exponential
  }

  /// A negative number to a fraction of odd denominator, as `x^{1/3}` is read: the real one.
  private func realOddRoot(_ exponent: Self) -> Self? {
    guard imaginary == 0, real < 0, exponent.imaginary == 0 else { return nil }
    for denominator in [3.0, 5, 7] {
      let numerator = (exponent.real * denominator).rounded()
      guard abs(exponent.real * denominator - numerator) < 1e-12 else { continue }
      let size = pow(-real, exponent.real)
      return Self(numerator.remainder(dividingBy: 2) == 0 ? size : -size)
    }
    return nil
  }

  /// The sine.
  var sine: Self {
    if imaginary == 0 { return Self(sin(real)) }
    return Self(sin(real) * cosh(imaginary), cos(real) * sinh(imaginary))
  }

  /// The cosine.
  var cosine: Self {
    if imaginary == 0 { return Self(cos(real)) }
    return Self(cos(real) * cosh(imaginary), -sin(real) * sinh(imaginary))
  }

  /// The angle with this sine, its principal value; of a real number beyond 1 none.
  var arcsine: Self {
    if imaginary == 0 { return Self(asin(real)) }
    let root = (Self(1) - self * self).squareRoot
    return -(Self.i * (Self.i * self + root).logarithm)
  }

  /// The angle with this tangent, its principal value.
  var arctangent: Self {
    if imaginary == 0 { return Self(atan(real)) }
    let turned = Self.i * self
    return ((Self(1) + turned).logarithm - (Self(1) - turned).logarithm) / Self(0, 2)
  }
}
