/// When two answers in mathematics are the same, as a careful human grader would say.
///
/// Numbers that can be written as fractions are compared exactly. Other expressions are the same
/// when they agree, to nine digits, at several points, positive and negative ones. Lists and sets
/// may be in any order, tuples and matrices may not; `x = 5` is the same as `5`.
enum MathEquality {
  /// Relative difference up to which two values count as one.
  private static let tolerance = 1e-9
  /// Where expressions are compared; the points only have to differ.
  private static let points: [UInt64] = [1, 2, 3, 4, 5, 6]

  /// Whether an answer is the same as the key, both in the normal form of ``MathText``.
  ///
  /// An answer may be a sum of several variables and the key (`a+b=18` for 18), or
  /// have a unit of one letter that the key lacks; a key may not.
  static func areEqual(_ answer: String, _ key: String) -> Bool {
    if answer == key { return true }
    if Rational(latex: key) != nil, Quantity.isNumber(key, withLetterOf: answer) { return true }
    let (left, right) = (MathAnswer(Array(answer.utf8)[...]), MathAnswer(Array(key.utf8)[...]))
    if areEqual(left, right) { return true }
    guard case .equation(let name, let value) = left, names(of: name).count > 1,
      name.allSatisfy({ $0.isLetter || $0.isDigit || "+-".utf8.contains($0) })
    else { return false }
    if case .equation = right { return false }
    return areEqual(.expression(value), right)
  }

  /// Whether two expressions without variables have one value.
  static func haveSameValue(_ left: ArraySlice<UInt8>, _ right: ArraySlice<UInt8>) -> Bool {
    names(of: left).isEmpty && names(of: right).isEmpty && expressions(left, right)
  }

  /// The letters that stand for something: those of no command.
  private static func names(of text: ArraySlice<UInt8>) -> Set<UInt8> {
    var names: Set<UInt8> = []
    var isCommand = false
    for byte in text {
      if byte == UInt8(ascii: "\\") {
        isCommand = true
      } else if !byte.isLetter {
        isCommand = false
      } else if !isCommand {
        names.insert(byte)
      }
    }
    return names
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
    case (.approximation(let ways), let other), (let other, .approximation(let ways)):
      return ways.contains { areEqual($0, other) }
    case (.equation(let name, let value), let other), (let other, .equation(let name, let value)):
      guard MathAnswer.isName(name) || haveSameValue(name, value) else { return false }
      return areEqual(.expression(value), other)
    case (.matrix(let rows), .tuple(_, _, let parts)), (.tuple(_, _, let parts), .matrix(let rows)):
      // [[1, 2], [3, 4]] is a matrix too.
      return rows.count == parts.count
        && zip(rows, parts).allSatisfy { row, part in
          guard case .tuple(UInt8(ascii: "["), UInt8(ascii: "]"), let elements) = part else {
            return false
          }
          return inOrder(row, elements)
        }
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
    var compared = 0
    for point in points {
      switch (
        LatexEvaluator.value(of: left, at: point), LatexEvaluator.value(of: right, at: point)
      ) {
      case (let a?, let b?):
        guard areClose(a, b) else { return false }
        compared += 1
      case (nil, nil): continue
      default: return false
      }
    }
    return compared >= 2
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
      else { continue }
      ratios.append(above / below)
    }
    guard ratios.count >= 2 else { return false }
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
