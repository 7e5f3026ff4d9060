import Foundation

/// Derivatives of any order by Cauchy's integral over a circle, which loses no digits to differences
/// (Lyness and Moler, 1967).
enum CauchyIntegral {
  /// Radii that are tried, the widest first, which gives the most digits.
  private static let radii = [2.0, 1, 0.5, 0.25, 0.125, 0.0625]
  /// Where a circle is read; a power of two.
  private static let count = 32
  /// What rounding leaves of a value, relative to the largest on the circle.
  private static let rounding = 1e-15
  /// The largest share of a derivative that may be rounding.
  private static let tolerance = 1e-10

  /// The derivative of a function.
  ///
  /// - Parameters:
  ///   - order: which derivative, below half of the places that are read.
  ///   - center: where.
  ///   - function: nil where it has no value.
  /// - Returns: nil where the function has no power series that holds on one of the circles, as `|x|`
  ///   and whatever is read across a cut.
  static func derivative(
    _ order: Int, at center: ComplexNumber, _ function: (ComplexNumber) -> ComplexNumber?
  ) -> ComplexNumber? {
    for radius in radii {
      guard let values = values(of: function, round: center, radius) else { continue }
      let size = values.map(\.magnitude).reduce(0, max)
      // Beyond what the series needs there is nothing; a function that has none fills all places.
      let isSeries = (count - 8..<count).allSatisfy {
        coefficient($0, of: values).magnitude <= 100 * rounding * size
      }
      guard isSeries else { continue }
      let scale = (1...max(order, 1)).reduce(1.0) { $0 * Double($1) / radius }
      let value = coefficient(order, of: values) * ComplexNumber(scale)
      let error = rounding * size * scale
      if value.magnitude <= 4 * error { return ComplexNumber(0) }
      return error <= tolerance * value.magnitude ? value : nil
    }
    return nil
  }

  private static func values(
    of function: (ComplexNumber) -> ComplexNumber?, round center: ComplexNumber, _ radius: Double
  ) -> [ComplexNumber]? {
    var values: [ComplexNumber] = []
    for index in 0..<count {
      guard
        let value = function(center + ComplexNumber(radius) * unit(index)), value.isFinite
      else { return nil }
      values.append(value)
    }
    return values
  }

  /// A power of the first root of unity.
  private static func unit(_ index: Int) -> ComplexNumber {
    let angle = 2 * Double.pi * Double(index % count) / Double(count)
    return ComplexNumber(cos(angle), sin(angle))
  }

  /// A coefficient of the Fourier series of values on the circle.
  private static func coefficient(_ index: Int, of values: [ComplexNumber]) -> ComplexNumber {
    let sum = values.indices.reduce(ComplexNumber(0)) {
      $0 + values[$1] * unit(count - index * $1 % count)
    }
    return sum / ComplexNumber(Double(count))
  }
}
