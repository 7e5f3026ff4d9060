import Foundation

/// The functions an answer may use, by their LaTeX command.
enum LatexFunction: String, CaseIterable {
  case sin, cos, tan, cot, sec, csc, sinh, cosh, tanh
  case arcsin, arccos, arctan, ln, log, exp, cis

  /// The function that undoes a sine, a cosine or a tangent.
  var inverse: LatexFunction? {
    switch self {
    case .sin: .arcsin
    case .cos: .arccos
    case .tan: .arctan
    default: nil
    }
  }

  /// The value; no number where a real inverse function is not defined.
  ///
  /// - Parameters:
  ///   - x: The argument.
  ///   - base: The base of a logarithm, or nil for 10.
  /// - Returns: The value, which may be infinite.
  func value(of x: ComplexNumber, base: ComplexNumber?) -> ComplexNumber? {
    let one = ComplexNumber(1)
    switch self {
    case .sin: return x.sine
    case .cos: return x.cosine
    case .tan: return x.sine / x.cosine
    case .cot: return x.cosine / x.sine
    case .sec: return one / x.cosine
    case .csc: return one / x.sine
    case .sinh: return (x.exponential - (-x).exponential) / ComplexNumber(2)
    case .cosh: return (x.exponential + (-x).exponential) / ComplexNumber(2)
    case .tanh:
      let square = (x + x).exponential
      return (square - one) / (square + one)
    case .arcsin: return x.arcsine
    case .arccos: return ComplexNumber(.pi / 2) - x.arcsine
    case .arctan: return x.arctangent
    case .ln: return x.logarithm
    case .log: return x.logarithm / (base ?? ComplexNumber(10)).logarithm
    case .exp: return x.exponential
    case .cis: return (ComplexNumber.i * x).exponential
    }
  }
}
