import Foundation

/// Definite integrals of one variable, by the double exponential rule (Takahasi and Mori, 1974).
///
/// The rule takes integrable singularities at the ends and ranges without end. What does not settle
/// to ten digits - a pole within the range, an oscillation without end, an integral that diverges -
/// has no value.
enum Quadrature {
  /// Up to here the substitution is followed on both sides.
  private static let reach = 4.0
  /// How often the distance of the samples is halved, from 1.
  private static let mostHalvings = 6
  /// What two refinements may differ by, relative to the integral of the absolute value.
  private static let tolerance = 1e-11

  /// The integral of a function.
  ///
  /// - Parameters:
  ///   - lower: where it begins, which may be infinite.
  ///   - upper: where it ends, which may be below `lower`.
  ///   - function: nil where it has no value, which leaves the integral without one.
  /// - Returns: nil for what does not converge.
  static func integral(
    from lower: Double, to upper: Double, _ function: (Double) -> ComplexNumber?
  ) -> ComplexNumber? {
    if lower == upper { return ComplexNumber(0) }
    if lower > upper { return integral(from: upper, to: lower, function).map { -$0 } }
    switch (lower.isFinite, upper.isFinite) {
    case (true, true): return sum({ node(within: lower, upper, at: $0) }, of: function)
    case (true, false): return sum({ node(from: lower, at: $0) }, of: function)
    case (false, true): return integral(from: -upper, to: .infinity) { function(-$0) }
    case (false, false):
      guard let below = integral(from: 0, to: .infinity, { function(-$0) }),
        let above = integral(from: 0, to: .infinity, function)
      else { return nil }
      return below + above
    }
  }

  /// Where the function is read, how much that counts, and whether an end is very near.
  private typealias Node = (place: Double, weight: Double, isAtEnd: Bool)

  /// The trapezoidal rule over the substituted variable, with ever more samples.
  private static func sum(
    _ node: (Double) -> Node?, of function: (Double) -> ComplexNumber?
  ) -> ComplexNumber? {
    var total = ComplexNumber(0)
    var size = 0.0
    var last: ComplexNumber?
    for halvings in 0...mostHalvings {
      let distance = pow(0.5, Double(halvings))
      let count = Int(reach / distance)
      // Those at even places were added with the distances before.
      for index in -count...count where halvings == 0 || index % 2 != 0 {
        guard let node = node(Double(index) * distance) else { continue }
        guard let value = function(node.place) else { return nil }
        let term = value * ComplexNumber(node.weight)
        guard term.isFinite else {
          // Next to an end, digits are lost: `x^3/(e^x-1)` is no number at 1e-17.
          if node.isAtEnd { continue }
          return nil
        }
        total = total + term
        size += term.magnitude
      }
      let value = total * ComplexNumber(distance)
      let scale = size * distance
      if halvings >= 4, let last, (value - last).magnitude <= tolerance * scale {
        // What is left of a zero after rounding.
        return value.magnitude <= 1e-13 * scale ? ComplexNumber(0) : value
      }
      last = value
    }
    return nil
  }

  /// Between two finite ends, measured from the nearer one.
  private static func node(within lower: Double, _ upper: Double, at t: Double) -> Node? {
    let length = upper - lower
    let u = Double.pi / 2 * sinh(t)
    let share = 1 / (1 + exp(2 * abs(u)))
    let place = t < 0 ? lower + length * share : upper - length * share
    guard place != lower, place != upper else { return nil }
    return (place, length * Double.pi * cosh(t) * share * (1 - share), share < 1e-10)
  }

  /// From a finite end to infinity.
  private static func node(from lower: Double, at t: Double) -> Node? {
    let distance = exp(Double.pi / 2 * sinh(t))
    let place = lower + distance
    guard place != lower else { return nil }
    return (place, distance * Double.pi / 2 * cosh(t), !(1e-10...1e10).contains(distance))
  }
}
