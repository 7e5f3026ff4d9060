/// Computes the value of a LaTeX expression, with numbers in place of its variables.
///
/// Two expressions that agree at several points picked at random are the same function for all
/// purposes of grading (Schwartz and Zippel's argument). The text is in the normal form of
/// ``LatexText``; commands may run into the letters behind them (`\pir`), so the longest known name
/// counts.
///
/// Grammar: sums of products of powers; products may lack their sign; `3\frac{1}{2}` with plain
/// digits is the mixed number 3.5; `e` is Euler's number and `i` the imaginary unit; digits or
/// letters with a subscript are a name of their own (`52_8`, `x_1`).
struct LatexEvaluator {
  /// Longer expressions have no value.
  static let longest = 2000
  /// Expressions nested more deeply have no value.
  static let deepest = 40

  private(set) var text: ArraySlice<UInt8>
  private let point: UInt64
  private let usesWholeNumbers: Bool
  /// Whether fractions stand for constants and the values of functions too; see `standIn`.
  let hasStandIns: Bool
  var position: Int
  private var depth = 0
  private var openBars = 0
  /// The values of names that sums, integrals and limits around the position run over.
  var indices: [String: ComplexNumber] = [:]
  /// How many more bytes may be read again for the terms of series.
  var bytesLeft = 300_000

  /// The value of an expression.
  ///
  /// - Parameters:
  ///   - expression: The text.
  ///   - point: Which numbers stand for the variables.
  ///   - usesWholeNumbers: Whether these are whole numbers, as sums and factorials need them.
  ///   - hasStandIns: Whether fractions stand for constants, roots and the values of functions too.
  /// - Returns: Nil for what is no expression or has no finite value.
  static func value(
    of expression: ArraySlice<UInt8>, at point: UInt64, usesWholeNumbers: Bool = false,
    hasStandIns: Bool = false
  ) -> ComplexNumber? {
    guard !expression.isEmpty, expression.count <= longest else { return nil }
    var evaluator = LatexEvaluator(
      text: expression, point: point, usesWholeNumbers: usesWholeNumbers, hasStandIns: hasStandIns)
    guard let value = evaluator.sum(), evaluator.position == expression.endIndex, value.isFinite
    else { return nil }
    return value
  }

  /// The value of another text at the same point, perhaps with a number for one more name; what is
  /// read counts as read again.
  mutating func value(
    of part: ArraySlice<UInt8>, with name: String? = nil, at number: ComplexNumber? = nil
  ) -> ComplexNumber? {
    var inner = self
    inner.text = part
    inner.position = part.startIndex
    inner.depth = depth + 1
    inner.openBars = 0
    if let name { inner.indices[name] = number }
    inner.bytesLeft -= part.count
    guard inner.depth < Self.deepest, inner.bytesLeft >= 0 else { return nil }
    let value = inner.sum()
    bytesLeft = inner.bytesLeft
    return inner.position == part.endIndex ? value : nil
  }

  private init(
    text: ArraySlice<UInt8>, point: UInt64, usesWholeNumbers: Bool, hasStandIns: Bool
  ) {
    self.text = text
    self.point = point
    self.usesWholeNumbers = usesWholeNumbers
    self.hasStandIns = hasStandIns
    position = text.startIndex
  }

  // MARK: Sums, products, powers

  mutating func sum() -> ComplexNumber? {
    guard var total = product() else { return nil }
    while let sign = text.byte(at: position), "+-".utf8.contains(sign) {
      position += 1
      guard let next = product() else { return nil }
      total = sign == UInt8(ascii: "+") ? total + next : total - next
    }
    return total
  }

  mutating func product() -> ComplexNumber? {
    guard var result = signed() else { return nil }
    while true {
      if take("*") || takeCommand("cdot") || takeCommand("times") {
        guard let next = signed() else { return nil }
        result = result * next
      } else if take("/") || takeCommand("div") {
        guard let next = signed() else { return nil }
        result = result / next
      } else if startsFactor {
        guard let next = power() else { return nil }
        result = result * next
      } else {
        return result
      }
    }
  }

  private mutating func signed() -> ComplexNumber? {
    var isNegative = false
    while let sign = text.byte(at: position), "+-".utf8.contains(sign) {
      isNegative = isNegative != (sign == UInt8(ascii: "-"))
      position += 1
    }
    return power().map { isNegative ? -$0 : $0 }
  }

  private mutating func power() -> ComplexNumber? {
    guard var base = atom() else { return nil }
    while take("!") {
      guard bytesLeft >= 0, let value = Self.factorial(base) else { return nil }
      // It has as many factors, which take as long as bytes.
      bytesLeft -= Int(base.real)
      base = value
    }
    if takeCommand("degree") { return base * ComplexNumber(.pi / 180) }
    guard take("^") else { return base }
    return exponent().flatMap { raised(base, to: $0) }
  }

  /// What stands behind `^`: a group, or a single sign, digit or letter.
  mutating func exponent() -> ComplexNumber? {
    depth += 1
    defer { depth -= 1 }
    guard depth < Self.deepest else { return nil }
    if let digit = text.byte(at: position), digit.isDigit {
      position += 1
      return ComplexNumber(Rational(Int(digit - UInt8(ascii: "0"))))
    }
    return signed()
  }

  /// Whether a factor without multiplication sign begins here.
  private var startsFactor: Bool {
    guard let byte = text.byte(at: position) else { return false }
    if byte == UInt8(ascii: "|") { return openBars == 0 }
    if byte == UInt8(ascii: "\\") {
      return !text.has("\\right", at: position) && !text.has("\\rfloor", at: position)
        && !text.has("\\rceil", at: position)
    }
    return byte.isLetter || byte.isDigit || "([{.".utf8.contains(byte)
  }

  // MARK: Atoms

  private mutating func atom() -> ComplexNumber? {
    depth += 1
    defer { depth -= 1 }
    guard depth < Self.deepest, let byte = text.byte(at: position) else { return nil }
    switch byte {
    case UInt8(ascii: "("): return group(closedBy: ")")
    case UInt8(ascii: "["): return group(closedBy: "]")
    case UInt8(ascii: "{"): return group(closedBy: "}")
    case UInt8(ascii: "|"): return absoluteValue()
    case UInt8(ascii: "\\"): return command()
    default:
      if byte.isDigit || byte == UInt8(ascii: ".") { return number() }
      return byte.isLetter ? symbol() : nil
    }
  }

  private mutating func group(closedBy close: StaticString) -> ComplexNumber? {
    position += 1
    return inner(closedBy: close)
  }

  private mutating func inner(closedBy close: StaticString) -> ComplexNumber? {
    let bars = openBars
    openBars = 0
    defer { openBars = bars }
    guard let value = sum(), take(close) else { return nil }
    return value
  }

  private mutating func absoluteValue() -> ComplexNumber? {
    if let rows = takeDeterminant() { return determinant(rows) }
    position += 1
    openBars += 1
    defer { openBars -= 1 }
    guard let value = sum(), take("|"), !hasStandIns else { return nil }
    if value.exact != nil { return value.real < 0 ? -value : value }
    return ComplexNumber(value.magnitude)
  }

  private mutating func number() -> ComplexNumber? {
    let start = position
    let isPartOfNumber: (UInt8) -> Bool = { $0.isDigit || $0 == UInt8(ascii: ".") }
    while let byte = text.byte(at: position), isPartOfNumber(byte) { position += 1 }
    let digits = text[start..<position]
    if text.byte(at: position) == UInt8(ascii: "_") { return subscripted(digits) }
    if takeCommand("overline") { return repeating(digits) }
    guard let value = Rational(decimal: digits) else { return nil }
    if digits.allSatisfy(\.isDigit), let fraction = plainFraction() {
      return ComplexNumber(value) + fraction
    }
    return ComplexNumber(value)
  }

  /// `\frac{a}{b}` of plain digits, the second part of a mixed number.
  private mutating func plainFraction() -> ComplexNumber? {
    guard text.has("\\frac{", at: position),
      let middle = LatexText.closingBrace(of: text, openedAt: position + 5),
      let end = LatexText.closingBrace(of: text, openedAt: middle + 1),
      text[(position + 6)..<middle].allSatisfy(\.isDigit),
      text[(middle + 2)..<end].allSatisfy(\.isDigit)
    else { return nil }
    return command()
  }

  private mutating func symbol() -> ComplexNumber? {
    let letter = text[position...position]
    position += 1
    if let value = indices[String(decoding: letter, as: UTF8.self)] { return value }
    if text.byte(at: position) == UInt8(ascii: "_") { return subscripted(letter) }
    switch letter.first {
    case UInt8(ascii: "i"): return .i
    case UInt8(ascii: "e"): return standIn(for: "e", []) ?? ComplexNumber(1).exponential
    default: return variable(letter)
    }
  }

  /// A name with its subscript, which may stand in braces.
  private mutating func subscripted(_ name: ArraySlice<UInt8>) -> ComplexNumber? {
    position += 1
    if let close = LatexText.closingBrace(of: text, openedAt: position) {
      defer { position = close + 1 }
      return variable(name + [UInt8(ascii: "_")] + text[(position + 1)..<close])
    }
    guard let byte = text.byte(at: position), byte.isDigit || byte.isLetter else { return nil }
    let start = position
    position += 1
    if byte.isDigit { while text.byte(at: position)?.isDigit == true { position += 1 } }
    return variable(name + [UInt8(ascii: "_")] + text[start..<position])
  }

  /// The number that stands for a name: between 0.5 and 2 or between -2 and -0.5, another one at
  /// every point, and a fraction, so that what has no roots and functions is compared exactly.
  func variable(_ name: some Sequence<UInt8>) -> ComplexNumber {
    var hash = point &+ 0xcbf2_9ce4_8422_2325
    for byte in name { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
    var generator = SplitMix64(state: hash)
    if usesWholeNumbers { return ComplexNumber((2 + 10 * generator.nextUnit()).rounded(.down)) }
    let parts = 512 + Int(1536 * generator.nextUnit())
    let size = Rational(generator.nextUnit() < 0.5 ? -parts : parts)
    return ComplexNumber(size) / ComplexNumber(Rational(1024))
  }

  // MARK: Commands

  private mutating func command() -> ComplexNumber? {
    if let derivative = DerivativeText(in: text, at: position) {
      return self.derivative(derivative)
    }
    if takeCommand("frac") {
      guard let top = argument(), let bottom = argument() else { return nil }
      return top / bottom
    }
    if takeCommand("sqrt") { return root() }
    if takeCommand("binom") {
      guard let top = argument(), let bottom = argument() else { return nil }
      return Self.binomial(top, bottom)
    }
    if takeCommand("lfloor") { return rounded(closedBy: "\\rfloor", .down) }
    if takeCommand("lceil") { return rounded(closedBy: "\\rceil", .up) }
    if takeCommand("pi") { return standIn(for: "pi", []) ?? ComplexNumber(.pi) }
    if takeCommand("sum") { return series(ComplexNumber(Rational(0)), +) }
    if takeCommand("prod") { return series(ComplexNumber(Rational(1)), *) }
    if takeCommand("int") { return integral() }
    if takeCommand("lim") { return limit() }
    if takeCommand("unit") { return skippedUnit() }
    if let rows = takeDeterminant() { return determinant(rows) }
    if let function = takeFunction() { return apply(function) }
    return name()
  }

  /// A Greek letter or another name without meaning of its own, such as `\theta` or `\infty`.
  private mutating func name() -> ComplexNumber? {
    for name in Self.names where takeCommand(name) {
      if let value = indices[name] { return value }
      if text.byte(at: position) == UInt8(ascii: "_") { return subscripted(Array(name.utf8)[...]) }
      return variable(name.utf8)
    }
    return nil
  }

  static let names = [
    "infty", "alpha", "beta", "gamma", "delta", "epsilon", "varepsilon", "zeta", "eta", "theta",
    "iota", "kappa", "lambda", "mu", "nu", "xi", "rho", "sigma", "tau", "phi", "varphi", "chi",
    "psi", "omega", "Gamma", "Delta", "Theta", "Lambda", "Sigma", "Phi", "Psi", "Omega", "ell",
  ].sorted { $0.count > $1.count }

  private static let functions = LatexFunction.allCases.sorted {
    $0.rawValue.count > $1.rawValue.count
  }

  private mutating func takeFunction() -> LatexFunction? {
    for function in Self.functions where takeCommand(function.rawValue) { return function }
    return nil
  }

  /// A function with its power or base and its argument: `\sin^2x`, `\log_2(8)`.
  private mutating func apply(_ function: LatexFunction) -> ComplexNumber? {
    var base: ComplexNumber?
    var power: ComplexNumber?
    if take("_") {
      guard let value = argument() else { return nil }
      base = value
    }
    if take("^") {
      guard let value = exponent() else { return nil }
      power = value
    }
    guard let argument = functionArgument() else { return nil }
    // `\sin^{-1}` is the inverse function.
    if power == ComplexNumber(-1), let inverse = function.inverse {
      return inverse.value(of: argument, base: base)
    }
    let known = standIn(for: function.rawValue, [argument, base ?? ComplexNumber(Rational(10))])
    guard let value = known ?? function.value(of: argument, base: base) else { return nil }
    return power.map { value.power($0) } ?? value
  }

  /// A group, or the factors up to the next sign or function.
  private mutating func functionArgument() -> ComplexNumber? {
    guard let first = text.byte(at: position) else { return nil }
    if "([{".utf8.contains(first) { return atom() }
    guard var result = signed() else { return nil }
    while startsFactor, !startsFunction {
      guard let next = power() else { return nil }
      result = result * next
    }
    return result
  }

  private var startsFunction: Bool {
    var copy = self
    return copy.takeFunction() != nil
  }

  private mutating func root() -> ComplexNumber? {
    guard text.byte(at: position) == UInt8(ascii: "[") else {
      return argument().map { standIn(for: "sqrt", [$0]) ?? $0.squareRoot }
    }
    guard let degree = group(closedBy: "]"), let radicand = argument() else { return nil }
    if let value = standIn(for: "root", [degree, radicand]) { return value }
    let isOdd = degree.imaginary == 0 && degree.real.remainder(dividingBy: 2).magnitude == 1
    if isOdd, radicand.imaginary == 0, radicand.real < 0 {
      return -(-radicand).power(ComplexNumber(1) / degree)
    }
    return radicand.power(ComplexNumber(1) / degree)
  }

  /// What stands in braces, or a single character.
  mutating func argument() -> ComplexNumber? {
    guard let byte = text.byte(at: position) else { return nil }
    if byte.isDigit { return exponent() }
    return atom()
  }

  private mutating func rounded(
    closedBy close: StaticString, _ rule: FloatingPointRoundingRule
  ) -> ComplexNumber? {
    guard let value = inner(closedBy: close), value.imaginary == 0, !hasStandIns else { return nil }
    return ComplexNumber(value.real.rounded(rule))
  }

  // MARK: Reading

  mutating func take(_ mark: StaticString) -> Bool {
    guard text.has(mark, at: position) else { return false }
    position += mark.utf8CodeUnitCount
    return true
  }

  private mutating func takeCommand(_ name: String) -> Bool {
    guard text.byte(at: position) == UInt8(ascii: "\\"),
      text[(position + 1)...].starts(with: name.utf8)
    else { return false }
    position += 1 + name.utf8.count
    return true
  }
}
