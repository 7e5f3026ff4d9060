/// When two answers in mathematics are the same, as a careful human grader would say.
///
/// Numbers that can be written as fractions are compared exactly. Other expressions are the same
/// when they agree, to nine digits, at several points. Lists and sets may be in any order, tuples and
/// matrices may not; `x = 5` is the same as `5`.
enum MathEquality {
  /// Relative difference up to which two values count as one.
  private static let tolerance = 1e-9
  /// Where expressions are compared; the points only have to differ.
  private static let points: [UInt64] = [1, 2, 3]

  /// Whether two answers in the normal form of ``MathText`` are the same.
  static func areEqual(_ left: String, _ right: String) -> Bool {
    left == right
      || areEqual(MathAnswer(Array(left.utf8)[...]), MathAnswer(Array(right.utf8)[...]))
  }

  private static func areEqual(_ left: MathAnswer, _ right: MathAnswer) -> Bool {
    switch (left, right) {
    case (.expression(let left), .expression(let right)): return expressions(left, right)
    case (.list(let left), .list(let right)), (.union(let left), .union(let right)):
      return inAnyOrder(left, right)
    case (.tuple(let open, let close, let left), .tuple(let otherOpen, let otherClose, let right)):
      return open == otherOpen && close == otherClose && inOrder(left, right)
    case (.matrix(let left), .matrix(let right)):
      return left.count == right.count && zip(left, right).allSatisfy(inOrder)
    case (.equation(let left, let right), .equation(let otherLeft, let otherRight)):
      return equations((left, right), (otherLeft, otherRight))
    case (.equation(let name, let value), let other), (let other, .equation(let name, let value)):
      return MathAnswer.isName(name) && areEqual(.expression(value), other)
    case (.inequality(let left, let signs), .inequality(let right, let otherSigns)):
      return signs == otherSigns && left.count == right.count
        && zip(left, right).allSatisfy(expressions)
    case (.list(let elements), let other), (let other, .list(let elements)):
      // A set of one element is that element.
      guard elements.count == 1, let only = elements.first else { return false }
      return areEqual(only, other)
    default: return false
    }
  }

  private static func inOrder(_ left: [MathAnswer], _ right: [MathAnswer]) -> Bool {
    left.count == right.count && zip(left, right).allSatisfy(areEqual)
  }

  private static func inAnyOrder(_ left: [MathAnswer], _ right: [MathAnswer]) -> Bool {
    let (left, right) = (flattened(left), flattened(right))
    guard left.count == right.count, left.count <= MathAnswer.mostParts else { return false }
    var rest = right
    for element in left {
      guard let match = rest.firstIndex(where: { areEqual(element, $0) }) else { return false }
      rest.remove(at: match)
    }
    return true
  }

  /// A list without lists in it: `1 \pm 2, 5` has three elements.
  private static func flattened(_ elements: [MathAnswer]) -> [MathAnswer] {
    elements.flatMap { element in
      if case .list(let inner) = element { flattened(inner) } else { [element] }
    }
  }

  private static func expressions(_ left: ArraySlice<UInt8>, _ right: ArraySlice<UInt8>) -> Bool {
    if left == right { return true }
    if isWord(left) || isWord(right) { return left.map(\.lowercased) == right.map(\.lowercased) }
    let numbers = (
      Rational(latex: String(decoding: left, as: UTF8.self)),
      Rational(latex: String(decoding: right, as: UTF8.self))
    )
    if let left = numbers.0, let right = numbers.1 { return left == right }
    return points.allSatisfy { point in
      guard let a = LatexEvaluator.value(of: left, at: point),
        let b = LatexEvaluator.value(of: right, at: point)
      else { return false }
      return areClose(a, b)
    }
  }

  /// Four letters or more, which are a word and no product.
  private static func isWord(_ text: ArraySlice<UInt8>) -> Bool {
    text.count >= 4 && text.allSatisfy(\.isLetter)
  }

  private static func areClose(_ left: ComplexNumber, _ right: ComplexNumber) -> Bool {
    let scale = max(left.magnitude, right.magnitude)
    // Below this, what is left of a zero after rounding.
    return scale <= 1e-14 || (left - right).magnitude <= tolerance * scale
  }

  private typealias Equation = (left: ArraySlice<UInt8>, right: ArraySlice<UInt8>)

  /// Equations are the same when one is a multiple of the other.
  private static func equations(_ first: Equation, _ second: Equation) -> Bool {
    if expressions(first.left, second.left), expressions(first.right, second.right) { return true }
    var ratios: [ComplexNumber] = []
    for point in points {
      guard let above = difference(first, at: point), let below = difference(second, at: point)
      else { return false }
      ratios.append(above / below)
    }
    guard let ratio = ratios.first, ratio.isFinite, ratio.magnitude > tolerance else {
      return false
    }
    return ratios.allSatisfy { $0.isFinite && areClose($0, ratio) }
  }

  private static func difference(_ sides: Equation, at point: UInt64) -> ComplexNumber? {
    guard let left = LatexEvaluator.value(of: sides.left, at: point),
      let right = LatexEvaluator.value(of: sides.right, at: point)
    else { return nil }
    return left - right
  }
}
