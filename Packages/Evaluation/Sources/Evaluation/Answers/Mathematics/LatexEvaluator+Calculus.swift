import Foundation

/// Definite integrals and limits: `\int_0^1 x^2 dx`, `\lim_{x \to 0} \frac{\sin x}{x}`.
///
/// Both are computed from values of what stands within, to nine digits and more; what does not
/// converge has no value, and neither has an integral without bounds.
extension LatexEvaluator {
  // MARK: Integrals

  /// The value of what follows `\int`.
  mutating func integral() -> ComplexNumber? {
    var bounds: [UInt8: Double] = [:]
    while let mark = text.byte(at: position), "_^".utf8.contains(mark), bounds[mark] == nil {
      position += 1
      bounds[mark] = bound()
      if bounds[mark] == nil { return nil }
    }
    guard let lower = bounds[UInt8(ascii: "_")], let upper = bounds[UInt8(ascii: "^")] else {
      return nil
    }
    // Where a bound and a factor behind it were digits, a sign was put between them.
    _ = take("\\cdot")
    guard let (integrand, name, end) = integrand() else { return nil }
    position = end
    return Quadrature.integral(from: lower, to: upper) {
      value(of: integrand, with: name, at: ComplexNumber($0))
    }
  }

  /// A bound, in braces or a single sign, which may be infinite.
  private mutating func bound() -> Double? {
    if let close = LatexText.closingBrace(of: text, openedAt: position) {
      let inner = text[(position + 1)..<close]
      position = close + 1
      return Self.infinity(inner) ?? realValue(of: inner)
    }
    let isNegative = take("-")
    if take("\\infty") { return isNegative ? -.infinity : .infinity }
    guard let value = argument(), value.imaginary == 0, value.real.isFinite else { return nil }
    return isNegative ? -value.real : value.real
  }

  private static func infinity(_ text: ArraySlice<UInt8>) -> Double? {
    for (mark, value) in [("\\infty", 1.0), ("+\\infty", 1), ("-\\infty", -1)]
    where text.elementsEqual(mark.utf8) { return value * .infinity }
    return nil
  }

  private mutating func realValue(of part: ArraySlice<UInt8>) -> Double? {
    guard let value = value(of: part), value.imaginary == 0, value.real.isFinite else { return nil }
    return value.real
  }

  /// What is integrated, the name it depends on, and where it ends: before `dx`, or with a fraction
  /// that has `dx` above its line.
  private func integrand() -> (text: ArraySlice<UInt8>, name: String, end: Int)? {
    var position = position
    var depth = 0
    var inner = 0
    while position < text.endIndex, depth >= 0 {
      if depth == 0, let (name, end) = differential(at: position) {
        if inner == 0 { return (text[self.position..<position], name, end) }
        inner -= 1
        position = end
        continue
      }
      if depth == 0, inner == 0, text.has("\\frac{", at: position),
        let found = fraction(at: position)
      {
        return (text[self.position..<position] + found.text, found.name, found.end)
      }
      let byte = text[position]
      position += 1
      if byte == UInt8(ascii: "\\") {
        if depth == 0, text.has("int", at: position) { inner += 1 }
        position = commandEnd(at: position)
      } else if "([{".utf8.contains(byte) {
        depth += 1
      } else if ")]}".utf8.contains(byte) {
        depth -= 1
      }
    }
    return nil
  }

  /// `\frac{x dx}{x^2+1}` without its `dx`.
  private func fraction(at start: Int) -> (text: ArraySlice<UInt8>, name: String, end: Int)? {
    guard let middle = LatexText.closingBrace(of: text, openedAt: start + 5),
      let close = LatexText.closingBrace(of: text, openedAt: middle + 1)
    else { return nil }
    for position in (start + 6)..<middle {
      guard let (name, end) = differential(at: position), end == middle else { continue }
      let above = text[(start + 6)..<position]
      let top = above.isEmpty ? [UInt8(ascii: "1")][...] : above
      return (text[start..<(start + 6)] + top + text[middle...close], name, close + 1)
    }
    return nil
  }

  /// `dx` or `d\theta` at a position: the name, and where it ends.
  private func differential(at position: Int) -> (name: String, end: Int)? {
    guard text.byte(at: position) == UInt8(ascii: "d"), let next = text.byte(at: position + 1)
    else { return nil }
    if next.isLetter {
      return (String(UnicodeScalar(next)), position + 2)
    }
    guard next == UInt8(ascii: "\\") else { return nil }
    return Self.names.first { text[(position + 2)...].starts(with: $0.utf8) }
      .map { ($0, position + 2 + $0.utf8.count) }
  }

  /// Where a command ends whose name begins at a position: behind the longest known name, since
  /// blanks are gone (`\sin x dx` is `\sinxdx`), or behind all letters.
  private func commandEnd(at start: Int) -> Int {
    guard text.byte(at: start)?.isLetter == true else { return start + 1 }
    let known = Self.commands.first { text[start...].starts(with: $0.utf8) }
    return known.map { start + $0.utf8.count } ?? text[start...].prefix(while: \.isLetter).endIndex
  }

  private static let commands =
    (names + LatexFunction.allCases.map(\.rawValue) + [
      "frac", "sqrt", "binom", "pi", "sum", "prod", "int", "lim", "cdot", "times", "div", "lfloor",
      "rfloor", "lceil", "rceil", "degree",
    ]).sorted { $0.count > $1.count }

  // MARK: Limits

  /// The value of what follows `\lim`.
  mutating func limit() -> ComplexNumber? {
    guard take("_"), let close = LatexText.closingBrace(of: text, openedAt: position),
      let sides = text[(position + 1)..<close].split(atTopLevel: "\\to"), sides.count == 2
    else { return nil }
    position = close + 1
    var name = String(decoding: sides[0], as: UTF8.self)
    if name.first == "\\" { name.removeFirst() }
    guard Self.names.contains(name) || (name.utf8.count == 1 && name.utf8.allSatisfy(\.isLetter))
    else { return nil }
    guard let ways = ways(to: sides[1]), let first = ways.first, let body = body(name, first(0))
    else { return nil }
    var limit: ComplexNumber?
    for way in ways {
      guard
        let value = SequenceLimit.value({
          value(of: body, with: name, at: ComplexNumber(way($0)))
        })
      else { return nil }
      if let limit, (limit - value).magnitude > 1e-8 * max(limit.magnitude, value.magnitude) {
        return nil
      }
      limit = value
    }
    return limit
  }

  /// The factors that the limit is taken of.
  private mutating func body(_ name: String, _ place: Double) -> ArraySlice<UInt8>? {
    let start = position
    let outer = indices[name]
    indices[name] = ComplexNumber(place)
    defer { indices[name] = outer }
    guard product() != nil else { return nil }
    return text[start..<position]
  }

  /// Sequences that tend to a point: one from each side that counts, two to infinity.
  private mutating func ways(to target: ArraySlice<UInt8>) -> [(Int) -> Double]? {
    if let infinity = Self.infinity(target) {
      let sign: Double = infinity > 0 ? 1 : -1
      // Whole numbers, which factorials and sums need.
      return [2.0, 3].map { base in { sign * pow(base, Double($0 + 1)) } }
    }
    var sides = [1.0, -1]
    var point = target
    for (mark, side) in [("^+", 1.0), ("^{+}", 1), ("^-", -1), ("^{-}", -1)]
    where target.suffix(mark.utf8.count).elementsEqual(mark.utf8) {
      sides = [side]
      point = target.dropLast(mark.utf8.count)
    }
    guard let value = realValue(of: point) else { return nil }
    return sides.map { side in { value + side * pow(0.5, Double($0 + 2)) } }
  }
}
