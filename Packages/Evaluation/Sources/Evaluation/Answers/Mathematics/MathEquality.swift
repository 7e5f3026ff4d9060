/// When two answers in mathematics are the same, as a careful human grader would say.
///
/// Numbers that can be written as fractions are compared exactly, and so are expressions made by the
/// four operations and whole powers, at several points. Others are the same when they agree there to
/// nine digits. The order of factors counts where these are capital letters. Lists and sets
/// may be in any order, tuples and matrices may not; `x = 5` is the same as `5`.
enum MathEquality {
  /// Relative difference up to which two values count as one.
  private static let tolerance = 1e-9
  /// What may be left of a zero after rounding.
  private static let remainder = 1e-14
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
    if isDecimalComma(answer, of: key) || isDecimalComma(key, of: answer) { return true }
    if let option = option(answer) {
      return [option.letter, "(\(option.letter))"].contains(key)
        || (!option.text.isEmpty && areEqual(option.text, key))
    }
    guard case .equation(let name, let value) = left, names(of: name).count > 1,
      name.allSatisfy({ $0.isLetter || $0.isDigit || "+-/:{}\\".utf8.contains($0) })
    else { return false }
    if case .equation = right { return false }
    return areEqual(MathAnswer(value), right)
  }

  /// `3,14` for `3.14`, as much of Europe writes it.
  private static func isDecimalComma(_ text: String, of decimal: String) -> Bool {
    let parts = text.split(separator: ",", omittingEmptySubsequences: false)
    return parts.count == 2 && decimal.contains(".")
      && Rational(latex: parts.joined(separator: ".")).map { $0 == Rational(latex: decimal) }
        == true
  }

  /// The letter of an option and what it says: `(B) 12`.
  private static func option(_ text: String) -> (letter: String, text: String)? {
    let bytes = Array(text.utf8)
    guard bytes.count > 2, bytes[0] == UInt8(ascii: "("), bytes[2] == UInt8(ascii: ")"),
      LetterAnswer.isOption(bytes[1], count: 10)
    else { return nil }
    return (String(UnicodeScalar(bytes[1])), String(decoding: bytes[3...], as: UTF8.self))
  }

  /// Whether two expressions are one function or one number, whatever their units.
  static func haveSameValue(_ left: ArraySlice<UInt8>, _ right: ArraySlice<UInt8>) -> Bool {
    expressions(left, right)
  }

  /// Whether two parts of one answer mean the same.
  static func areSame(_ left: MathAnswer, _ right: MathAnswer) -> Bool { areEqual(left, right) }

  /// Whether letters stand for something in an expression.
  static func hasNames(_ text: ArraySlice<UInt8>) -> Bool { !names(of: text).isEmpty }

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
    case (.quantity(let left, let unit), .quantity(let right, let otherUnit)):
      return quantities((left, unit), (right, otherUnit))
    case (.quantity(let value, let unit), let other), (let other, .quantity(let value, let unit)):
      return quantity(value, unit, isPlain: other)
    case (.clock(let left), .clock(let right)): return left.agrees(with: right)
    case (.ratio(let left), .ratio(let right)):
      return left.count == right.count
        && zip(left, right).allSatisfy { left.count > 1 && quotients($0, $1, left[0], right[0]) }
    case (.clock(let time), let other), (let other, .clock(let time)):
      guard time.half == nil else { return false }
      let parts = [time.hour, time.minute].map { Array(String($0).utf8)[...] }
      return areEqual(.ratio(parts), other)
    case (.ratio(let parts), .expression(let other)), (.expression(let other), .ratio(let parts)):
      return parts.count == 2 && expressions(quotient(parts[0], parts[1]), other)
    case (.approximation(let ways), let other), (let other, .approximation(let ways)):
      return ways.contains { areEqual($0, other) }
    case (.equation(let name, let value), let other), (let other, .equation(let name, let value)):
      guard MathAnswer.isName(name) || haveSameValue(name, value) else { return false }
      let value = MathAnswer(value)
      if case .equation = value { return false }
      return areEqual(value, other)
    case (.matrix(let rows), .tuple(UInt8(ascii: "("), UInt8(ascii: ")"), let parts)),
      (.tuple(UInt8(ascii: "("), UInt8(ascii: ")"), let parts), .matrix(let rows)):
      // A vector may be written as a column, a row or a point.
      let elements = rows.count == 1 ? rows[0] : rows.flatMap { $0.count == 1 ? $0 : [] }
      return rows.count == 1
        ? inOrder(elements, parts)
        : elements.count == rows.count && inOrder(elements, parts)
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
    case (.list(let elements), .tuple(UInt8(ascii: "("), UInt8(ascii: ")"), let parts)),
      (.tuple(UInt8(ascii: "("), UInt8(ascii: ")"), let parts), .list(let elements)):
      return coordinates(elements).map { inOrder($0, parts) } ?? false
    case (.list(let elements), let other), (let other, .list(let elements)):
      // A set of one element is that element, however often and in whatever way it is written.
      return elements.count <= MathAnswer.mostParts && elements.allSatisfy { areEqual($0, other) }
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

  /// The values of `x = 2, y = 3` in the order of the names.
  private static func coordinates(_ elements: [MathAnswer]) -> [MathAnswer]? {
    var named: [(name: String, value: MathAnswer)] = []
    for element in elements {
      guard case .equation(let name, let value) = element, MathAnswer.isName(name) else {
        return nil
      }
      named.append((String(decoding: name, as: UTF8.self), .expression(value)))
    }
    return named.sorted { $0.name < $1.name }.map(\.value)
  }

  private static func expressions(_ left: ArraySlice<UInt8>, _ right: ArraySlice<UInt8>) -> Bool {
    if left == right { return true }
    if areTitle(left, right) || areSegment(left, right) { return true }
    if isDate(left) || isDate(right) { return false }
    if let left = OrderedProducts(left), let right = OrderedProducts(right),
      left.hasOrder || right.hasOrder
    {
      return left == right
    }
    if isWord(left) || isWord(right) { return left.map(\.lowercased) == right.map(\.lowercased) }
    let numbers = (
      Rational(latex: String(decoding: left, as: UTF8.self)),
      Rational(latex: String(decoding: right, as: UTF8.self))
    )
    if let left = numbers.0, let right = numbers.1 { return left == right }
    let counts = [left, right].contains { text in
      ["!", "\\sum", "\\prod", "\\binom"].contains { text.contains($0) }
    }
    // What is written as tiny is no remainder of a rounding.
    let isTiny = [left, right].contains { $0.contains("10^{-") }
    let isHigh = DerivativeText.isHigh(in: left) || DerivativeText.isHigh(in: right)
    var compared = 0
    for point in points {
      switch (
        LatexEvaluator.value(of: left, at: point, usesWholeNumbers: counts),
        LatexEvaluator.value(of: right, at: point, usesWholeNumbers: counts)
      ) {
      case (let a?, let b?):
        guard areClose(a, b, remainder: isTiny ? 0 : remainder) else { return false }
        compared += 1
      case (nil, nil): continue
      case (nil, _), (_, nil):
        guard isHigh || counts else { return false }
      }
    }
    if compared < 2 { return compared == 0 && areSameText(left, right) }
    return !LatexEvaluator.areApart(left, right, at: points, usesWholeNumbers: counts)
  }

  /// Whether both are one segment, which may be named from either end: `\overline{AB}`.
  private static func areSegment(_ left: ArraySlice<UInt8>, _ right: ArraySlice<UInt8>) -> Bool {
    guard let left = left.unwrapped(by: "\\overline{", "}"),
      let right = right.unwrapped(by: "\\overline{", "}")
    else { return false }
    return left.count == 2 && left.allSatisfy(\.isLetter) && left.reversed().elementsEqual(right)
  }

  /// Whether this is a day, which is no difference and no fraction: `2026-05-04`, `05/04/2026`.
  private static func isDate(_ text: ArraySlice<UInt8>) -> Bool {
    let parts = text.split(omittingEmptySubsequences: false) { "-/".utf8.contains($0) }
    return [[4, 2, 2], [2, 2, 4]].contains(parts.map(\.count))
      && parts.allSatisfy { $0.allSatisfy(\.isDigit) }
  }

  /// Four letters or more, or three capitals, which are a word and no product.
  private static func isWord(_ text: ArraySlice<UInt8>) -> Bool {
    text.allSatisfy(\.isLetter)
      && (text.count >= 4 || (text.count == 3 && text.allSatisfy { $0.lowercased != $0 }))
  }

  /// Whether texts with a word in them differ in nothing but case and marks.
  private static func areSameText(_ left: ArraySlice<UInt8>, _ right: ArraySlice<UInt8>) -> Bool {
    let words = [left, right].map { $0.filter { !".,'\"-".utf8.contains($0) }.map(\.lowercased) }
    return words[0] == words[1] && left.split { !$0.isLetter }.contains { $0.count >= 4 }
      && !left.contains(UInt8(ascii: "\\"))
  }

  /// `Yes` and `yes`: short words that differ in their first letter's case alone.
  private static func areTitle(_ left: ArraySlice<UInt8>, _ right: ArraySlice<UInt8>) -> Bool {
    left.count == right.count && (2...3).contains(left.count)
      && (left + right).allSatisfy(\.isLetter) && left.dropFirst().elementsEqual(right.dropFirst())
      && left.first?.lowercased == right.first?.lowercased
  }

  // MARK: Quantities and ratios

  private static func quantities(
    _ left: (value: MathAnswer, unit: MeasureUnit), _ right: (value: MathAnswer, unit: MeasureUnit)
  ) -> Bool {
    if left.unit == right.unit { return areEqual(left.value, right.value) }
    guard left.unit.dimension == right.unit.dimension else { return false }
    return scaled(left.value, by: left.unit.size / right.unit.size, equals: right.value)
  }

  /// Whether a quantity may be meant by an answer that names no unit.
  private static func quantity(
    _ value: MathAnswer, _ unit: MeasureUnit, isPlain other: MathAnswer
  ) -> Bool {
    if areEqual(value, other) { return true }
    if unit.isPlainNumber { return scaled(value, by: unit.size, equals: other) }
    guard let letter = unit.letter, case .expression(let number) = value else { return false }
    return areEqual(.expression(number + Array(letter.utf8)), other)
  }

  private static func scaled(_ value: MathAnswer, by factor: Double, equals other: MathAnswer)
    -> Bool
  {
    guard case .expression(let left) = value, case .expression(let right) = other else {
      return false
    }
    return points.prefix(2).allSatisfy { point in
      guard let left = LatexEvaluator.value(of: left, at: point),
        let right = LatexEvaluator.value(of: right, at: point)
      else { return false }
      return areClose(left * ComplexNumber(factor), right)
    }
  }

  private static func quotient(
    _ top: ArraySlice<UInt8>, _ bottom: ArraySlice<UInt8>
  ) -> ArraySlice<UInt8> {
    let open = [UInt8(ascii: "(")]
    return (open + top + Array(")/(".utf8) + bottom + [UInt8(ascii: ")")])[...]
  }

  private static func quotients(
    _ left: ArraySlice<UInt8>, _ right: ArraySlice<UInt8>, _ leftBase: ArraySlice<UInt8>,
    _ rightBase: ArraySlice<UInt8>
  ) -> Bool {
    expressions(quotient(left, leftBase), quotient(right, rightBase))
  }

  /// Whether two values are the same: exactly, where both are known exactly.
  private static func areClose(
    _ left: ComplexNumber, _ right: ComplexNumber, remainder: Double = Self.remainder
  ) -> Bool {
    if let left = left.exact, let right = right.exact { return left == right }
    let scale = max(left.magnitude, right.magnitude)
    guard scale.isFinite else { return false }
    return scale <= remainder || (left - right).magnitude <= tolerance * scale
  }

  private typealias Equation = (left: ArraySlice<UInt8>, right: ArraySlice<UInt8>)

  /// Equations are the same when one is a multiple of the other.
  private static func equations(_ first: Equation, _ second: Equation) -> Bool {
    let isSameName = expressions(first.left, second.left) || isGraph(first.left, second.left)
    if isSameName, expressions(first.right, second.right) { return true }
    if isSameName, MathAnswer.isName(first.left),
      LatexEvaluator.areApart(first.right, second.right, at: points, usesWholeNumbers: false)
    {
      return false
    }
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

  /// `y` and `f(x)`, which both are what a graph shows.
  private static func isGraph(_ left: ArraySlice<UInt8>, _ right: ArraySlice<UInt8>) -> Bool {
    func isFunction(_ name: ArraySlice<UInt8>) -> Bool {
      name.count == 4 && name.first?.isLetter == true && name.dropFirst().elementsEqual("(x)".utf8)
    }
    let isY = [left, right].map { $0.elementsEqual("y".utf8) }
    return (isY[0] && isFunction(right)) || (isY[1] && isFunction(left))
  }

  private static func difference(_ sides: Equation, at point: UInt64) -> ComplexNumber? {
    guard let left = LatexEvaluator.value(of: sides.left, at: point),
      let right = LatexEvaluator.value(of: sides.right, at: point)
    else { return nil }
    return left - right
  }
}
