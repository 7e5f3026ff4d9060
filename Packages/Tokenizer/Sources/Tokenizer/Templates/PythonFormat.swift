import Foundation
import JSON

/// `format % values` of Python.
enum PythonFormat {
  /// The most characters that a width or precision may ask for.
  private static let mostWidth = 10_000

  /// The text with its `%` directives replaced.
  /// - Throws: for directives that are not known, and for values that do not fit.
  static func format(
    _ format: String, _ values: RuntimeValue, _ renderer: TemplateRenderer, line: Int
  ) throws(TokenizerError) -> String {
    func failed(_ reason: String) -> TokenizerError {
      .templateFailed(line: line, reason: "formatting: \(reason)")
    }
    var arguments: ArraySlice<RuntimeValue>
    if case .list(let list) = values {
      arguments = list.elements[...]
    } else {
      arguments = [values]
    }
    var result = ""
    var scalars = Array(format.unicodeScalars)[...]
    while let scalar = scalars.popFirst() {
      guard scalar == "%" else {
        result.unicodeScalars.append(scalar)
        continue
      }
      var directive = Directive()
      guard let kind = directive.read(&scalars) else { throw failed("an unfinished directive") }
      if kind == "%" {
        result += "%"
        continue
      }
      guard max(directive.width, directive.precision ?? 0) <= mostWidth else {
        throw failed("a width above \(mostWidth)")
      }
      let value: RuntimeValue
      if let key = directive.key {
        guard case .dictionary(let dictionary) = values, let member = dictionary.members[key] else {
          throw failed("no value is called '\(key)'")
        }
        value = member
      } else {
        guard let next = arguments.popFirst() else { throw failed("not enough values") }
        value = next
      }
      try renderer.meter.charge(bytes: directive.width + (directive.precision ?? 0))
      let (sign, body) = try text(kind, directive, value, renderer, line: line, failed)
      result += directive.padded(sign, body)
    }
    if case .list = values, !arguments.isEmpty { throw failed("too many values") }
    return result
  }

  private static func text(
    _ kind: Unicode.Scalar, _ directive: Directive, _ value: RuntimeValue,
    _ renderer: TemplateRenderer, line: Int, _ failed: (String) -> TokenizerError
  ) throws(TokenizerError) -> (sign: String, body: String) {
    switch kind {
    case "s", "r", "a":
      let text =
        kind == "s"
        ? try renderer.text(of: value, line: line)
        : try PythonText.representation(value, &renderer.meter)
      guard let precision = directive.precision else { return ("", text) }
      return ("", String(text.unicodeScalars.prefix(precision)))
    case "d", "i", "u", "x", "X", "o", "c":
      if kind == "c", case .string(let text) = value, text.unicodeScalars.count == 1 {
        return ("", text)
      }
      let whole =
        value.asInteger ?? value.asNumber.flatMap { Int(exactly: $0.rounded(.towardZero)) }
      guard let integer = whole else { throw failed("%\(kind) needs a number") }
      if kind == "c" {
        guard let scalar = UInt32(exactly: integer).flatMap(Unicode.Scalar.init) else {
          throw failed("%c needs a code point")
        }
        return ("", String(scalar))
      }
      let radix = kind == "o" ? 8 : kind == "x" || kind == "X" ? 16 : 10
      let digits = String(integer.magnitude, radix: radix, uppercase: kind == "X")
      let zeros = String(repeating: "0", count: max((directive.precision ?? 0) - digits.count, 0))
      return (integer < 0 ? "-" : directive.plus, zeros + digits)
    case "f", "F", "e", "E", "g", "G":
      guard let number = value.asNumber else { throw failed("%\(kind) needs a number") }
      let precision = directive.precision ?? 6
      let body = String(format: "%.\(precision)\(kind)", number.magnitude)
      return (number < 0 ? "-" : directive.plus, body)
    default: throw failed("the directive %\(kind) is not known")
    }
  }

  /// What stands between `%` and the letter.
  private struct Directive {
    var key: String?
    var isLeft = false
    var isZero = false
    var plus = ""
    var width = 0
    var precision: Int?

    /// Reads up to the letter, which is returned.
    mutating func read(_ scalars: inout ArraySlice<Unicode.Scalar>) -> Unicode.Scalar? {
      if scalars.first == "(" {
        guard let close = scalars.firstIndex(of: ")") else { return nil }
        key = String(String.UnicodeScalarView(scalars[(scalars.startIndex + 1)..<close]))
        scalars = scalars[(close + 1)...]
      }
      while let flag = scalars.first, "-+ 0#".unicodeScalars.contains(flag) {
        if flag == "-" { isLeft = true }
        if flag == "0" { isZero = true }
        if flag == "+" || (flag == " " && plus.isEmpty) { plus = String(flag) }
        scalars.removeFirst()
      }
      width = number(&scalars)
      if scalars.first == "." {
        scalars.removeFirst()
        precision = number(&scalars)
      }
      return scalars.popFirst()
    }

    private func number(_ scalars: inout ArraySlice<Unicode.Scalar>) -> Int {
      var value = 0
      while let digit = scalars.first, "0"..."9" ~= digit {
        value = min(value * 10 + Int(digit.value - 48), 1 << 20)
        scalars.removeFirst()
      }
      return value
    }

    func padded(_ sign: String, _ body: String) -> String {
      let space = max(width - sign.unicodeScalars.count - body.unicodeScalars.count, 0)
      if isLeft { return sign + body + String(repeating: " ", count: space) }
      if isZero { return sign + String(repeating: "0", count: space) + body }
      return String(repeating: " ", count: space) + sign + body
    }
  }
}
