import Foundation

/// Derivatives: `\frac{d}{dx} x^2`, `\frac{\partial^2}{\partial x \partial y} (x^2 y^3)`.
///
/// They are the limit of symmetric differences, to nine digits and more. `\frac{dy}{dx}` is a name
/// of its own, and no fraction.
struct DerivativeText {
  /// What is derived, where it stands above the line.
  let subject: ArraySlice<UInt8>
  /// The names that it is derived by, each as often as it is.
  let names: [String]
  /// Where the text ends.
  let end: Int

  private static let marks: [StaticString] = ["d", "\\partial"]
  /// Differences of higher orders lose too many digits.
  static let highestOrder = 2

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
    guard text.names.count <= DerivativeText.highestOrder else { return nil }
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
}
