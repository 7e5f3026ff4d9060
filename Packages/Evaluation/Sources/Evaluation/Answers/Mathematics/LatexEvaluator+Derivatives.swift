import Foundation

/// Derivatives: `\frac{d}{dx} x^2`, `\frac{\partial^2}{\partial x \partial y} (x^2 y^3)`.
///
/// Up to the second order they are the limit of symmetric differences, beyond it, where differences
/// lose too many digits, integrals round the place; both to nine digits and more. `\frac{dy}{dx}` is
/// a name of its own, and no fraction.
struct DerivativeText {
  /// What is derived, where it stands above the line.
  let subject: ArraySlice<UInt8>
  /// The names that it is derived by, each as often as it is.
  let names: [String]
  /// Where the text ends.
  let end: Int

  private static let marks: [StaticString] = ["d", "\\partial"]
  /// Differences of higher orders lose too many digits.
  private static let highestOrderOfDifferences = 2

  /// Whether the derivative is one of differences.
  var isOfDifferences: Bool { names.count <= Self.highestOrderOfDifferences }

  /// Whether a derivative of higher order stands in a text. Such a one has no value where what is
  /// derived has a cut, as logarithms have left of zero.
  static func isHigh(in text: ArraySlice<UInt8>) -> Bool {
    text.indices.contains { DerivativeText(in: text, at: $0)?.isOfDifferences == false }
  }

  /// Each name once, with how often it is derived by.
  var orders: [(name: String, order: Int)] {
    Dictionary(names.map { ($0, 1) }, uniquingKeysWith: +)
      .sorted { $0.key < $1.key }.map { (name: $0.key, order: $0.value) }
  }

  /// Reads the derivative that begins at a position; nil where none does.
  init?(in text: ArraySlice<UInt8>, at start: Int) {
    guard text.has("\\frac{", at: start),
      let middle = LatexText.closingBrace(of: text, openedAt: start + 5),
      let close = LatexText.closingBrace(of: text, openedAt: middle + 1)
    else { return nil }
    let (top, bottom) = (text[(start + 6)..<middle], text[(middle + 2)..<close])
    guard let mark = Self.marks.first(where: { top.has($0, at: top.startIndex) }) else {
      return nil
    }
    var position = top.startIndex + mark.utf8CodeUnitCount
    let order = Self.power(in: top, at: &position)
    subject = top[position...]
    var names: [String] = []
    position = bottom.startIndex
    while position < bottom.endIndex {
      guard bottom.has(mark, at: position) else { return nil }
      position += mark.utf8CodeUnitCount
      guard let name = Self.name(in: bottom, at: &position) else { return nil }
      names += Array(repeating: name, count: Self.power(in: bottom, at: &position))
    }
    guard order > 0, names.count == order else { return nil }
    self.names = names
    end = close + 1
  }

  /// A single digit behind `^`, or 1.
  private static func power(in text: ArraySlice<UInt8>, at position: inout Int) -> Int {
    guard text.has("^", at: position) else { return 1 }
    let isGroup = text.has("{", at: position + 1)
    let place = position + (isGroup ? 2 : 1)
    guard let digit = text.byte(at: place), digit.isDigit, !isGroup || text.has("}", at: place + 1)
    else { return 1 }
    position = place + (isGroup ? 2 : 1)
    return Int(digit - UInt8(ascii: "0"))
  }

  private static func name(in text: ArraySlice<UInt8>, at position: inout Int) -> String? {
    if let byte = text.byte(at: position), byte.isLetter, !"ei".utf8.contains(byte) {
      position += 1
      return String(UnicodeScalar(byte))
    }
    guard text.has("\\", at: position),
      let name = LatexEvaluator.names.first(where: {
        text[(position + 1)...].starts(with: $0.utf8)
      })
    else { return nil }
    position += 1 + name.utf8.count
    return name
  }
}

extension LatexEvaluator {
  /// The value of a derivative at the position; what is derived stands above the line or behind it.
  /// A letter above it is the name of a function that nothing is known of.
  mutating func derivative(_ text: DerivativeText) -> ComplexNumber? {
    let start = position
    position = text.end
    let subject: ArraySlice<UInt8>
    if text.subject.isEmpty {
      guard let factors = factors() else { return nil }
      subject = factors
    } else if MathAnswer.isName(text.subject) {
      return variable(self.text[start..<text.end])
    } else {
      subject = text.subject
    }
    guard text.isOfDifferences else { return roundIntegral(of: subject, text.orders[...]) }
    return SequenceLimit.value {
      difference(of: subject, text.names[...], pow(0.5, Double($0 + 3)))
    }
  }

  /// The factors that stand behind the position.
  private mutating func factors() -> ArraySlice<UInt8>? {
    let start = position
    guard product() != nil else { return nil }
    return text[start..<position]
  }

  /// The symmetric difference by some names, one after the other, as a part of the steps.
  private mutating func difference(
    of subject: ArraySlice<UInt8>, _ names: ArraySlice<String>, _ step: Double
  ) -> ComplexNumber? {
    guard let name = names.first else { return value(of: subject) }
    let outer = indices[name]
    defer { indices[name] = outer }
    let place = outer ?? variable(name.utf8)
    var ends: [ComplexNumber] = []
    for side in [step, -step] {
      indices[name] = place + ComplexNumber(side)
      guard let end = difference(of: subject, names.dropFirst(), step) else { return nil }
      ends.append(end)
    }
    return (ends[0] - ends[1]) / ComplexNumber(2 * step)
  }

  /// The derivative by some names, one after the other, each by an integral round its place.
  private mutating func roundIntegral(
    of subject: ArraySlice<UInt8>, _ orders: ArraySlice<(name: String, order: Int)>
  ) -> ComplexNumber? {
    guard let (name, order) = orders.first else { return value(of: subject) }
    let outer = indices[name]
    defer { indices[name] = outer }
    return CauchyIntegral.derivative(order, at: outer ?? variable(name.utf8)) { place in
      indices[name] = place
      return roundIntegral(of: subject, orders.dropFirst())
    }
  }
}
