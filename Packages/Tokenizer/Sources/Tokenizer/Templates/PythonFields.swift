import Foundation
import JSON

/// `text.format(values)` of Python: fields in braces, each with a place, a conversion and a layout.
enum PythonFields {
  /// The most characters that a width or precision may ask for.
  private static let mostWidth = 10_000

  /// The text with its fields replaced.
  ///
  /// - Throws: for fields that lead nowhere, for layouts that are not known or lie within another,
  ///   and for values that do not fit.
  static func format(
    _ format: String, _ call: TemplateCall, _ renderer: TemplateRenderer
  ) throws(TokenizerError) -> String {
    var result = ""
    var scalars = Array(format.unicodeScalars)[...]
    var next = 0
    while let scalar = scalars.popFirst() {
      if scalar == "{" || scalar == "}", scalars.first == scalar {
        scalars.removeFirst()
      } else if scalar == "{" {
        guard let close = scalars.firstIndex(of: "}") else { throw call.failed("an open '{'") }
        let field = String(String.UnicodeScalarView(scalars[..<close]))
        scalars = scalars[(close + 1)...]
        result += try text(of: field, &next, call, renderer)
        continue
      } else if scalar == "}" {
        throw call.failed("a '}' alone")
      }
      result.unicodeScalars.append(scalar)
    }
    return result
  }

  /// What a field becomes; fields without a name take the values in their order.
  private static func text(
    of field: String, _ next: inout Int, _ call: TemplateCall, _ renderer: TemplateRenderer
  ) throws(TokenizerError) -> String {
    guard !field.contains("{") else { throw call.failed("a field within a field") }
    let parts = field.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    let named = parts[0].split(separator: "!", maxSplits: 1, omittingEmptySubsequences: false)
    var value = try self.value(of: named[0], &next, call, renderer)
    switch named.count == 2 ? named[1] : "" {
    case "": break
    case "s": value = .string(try renderer.text(of: value, line: call.line))
    case "r", "a": value = .string(try PythonText.representation(value, &renderer.meter))
    default: throw call.failed("no conversion is named '\(named[1])'")
    }
    guard parts.count == 2, !parts[1].isEmpty else {
      return try renderer.text(of: value, line: call.line)
    }
    guard let layout = Layout(parts[1]), layout.most <= mostWidth else {
      throw call.failed("no layout is written '\(parts[1])'")
    }
    try renderer.meter.charge(bytes: layout.most)
    guard let text = layout.text(of: value) else {
      throw call.failed("the layout '\(parts[1])' is none of \(value.typeName)")
    }
    return text
  }

  /// The value at `0.name[1]`.
  private static func value(
    of path: Substring, _ next: inout Int, _ call: TemplateCall, _ renderer: TemplateRenderer
  ) throws(TokenizerError) -> RuntimeValue {
    let head = path.prefix { $0 != "." && $0 != "[" }
    let found: RuntimeValue?
    if let place = head.isEmpty ? next : Int(head) {
      found = call.positional.indices.contains(place) ? call.positional[place] : nil
      if head.isEmpty { next += 1 }
    } else {
      found = call.named.first { $0.name == head }?.value
    }
    guard var value = found else { throw call.failed("no value for the field '\(head)'") }
    var rest = path.dropFirst(head.count)
    while let mark = rest.popFirst() {
      let name = rest.prefix { mark == "[" ? $0 != "]" : $0 != "." && $0 != "[" }
      rest = rest.dropFirst(name.count)
      if mark == "[" {
        guard rest.popFirst() != nil else { throw call.failed("an open '['") }
        let index = Int(name).map { RuntimeValue.integer($0) } ?? .string(String(name))
        value = try renderer.item(index, of: value, line: call.line)
      } else {
        value = try renderer.member(String(name), of: value, line: call.line)
      }
    }
    return value
  }

  /// `[[fill]align][sign][0][width][,][.precision][type]`.
  private struct Layout {
    private var fill: Character?
    private var align: Character?
    private var isZero = false
    private var plus = ""
    private var width = 0
    private var groups = false
    private var precision: Int?
    private var type: Character?

    /// The most characters that it asks for.
    var most: Int { max(width, precision ?? 0) }

    init?(_ text: Substring) {
      var text = text
      if let mark = text.dropFirst().first, "<>^=".contains(mark) {
        (fill, align) = (text.removeFirst(), text.removeFirst())
      } else if let mark = text.first, "<>^=".contains(mark) {
        align = text.removeFirst()
      }
      if let sign = text.first, "+- ".contains(sign) {
        plus = sign == "-" ? "" : String(sign)
        text.removeFirst()
      }
      isZero = text.first == "0"
      width = Self.number(&text) ?? 0
      if text.first == "," {
        groups = true
        text.removeFirst()
      }
      if text.first == "." {
        text.removeFirst()
        guard let digits = Self.number(&text) else { return nil }
        precision = digits
      }
      type = text.popFirst()
      guard text.isEmpty else { return nil }
    }

    private static func number(_ text: inout Substring) -> Int? {
      let digits = text.prefix { ("0"..."9").contains($0) }
      text = text.dropFirst(digits.count)
      return digits.isEmpty ? nil : Int(digits) ?? .max
    }

    /// Nil for values that cannot be laid out so.
    func text(of value: RuntimeValue) -> String? {
      switch value {
      case .string(let text):
        guard type == nil || type == "s", align != "=", plus.isEmpty, !groups else { return nil }
        let kept = precision.map { String(text.unicodeScalars.prefix($0)) } ?? text
        return padded("", kept, usual: "<")
      case .integer, .bool, .number:
        guard let (isNegative, body) = digits(of: value) else { return nil }
        return padded(
          isNegative ? "-" : plus, groups ? grouped(body) : body, usual: isZero ? "=" : ">")
      default: return nil
      }
    }

    /// A number without its sign.
    private func digits(of value: RuntimeValue) -> (isNegative: Bool, body: String)? {
      if let type, "dxXob".contains(type) || type == "n" {
        guard let integer = value.asInteger, precision == nil else { return nil }
        let radix = ["x": 16, "X": 16, "o": 8, "b": 2][type] ?? 10
        return (integer < 0, String(integer.magnitude, radix: radix, uppercase: type == "X"))
      }
      guard let number = value.asNumber else { return nil }
      switch type {
      case nil where precision == nil:
        if let integer = value.asInteger { return (integer < 0, "\(integer.magnitude)") }
        return (number.sign == .minus, PythonText.number(number.magnitude))
      case "%":
        return (
          number.sign == .minus, String(format: "%.\(precision ?? 6)f%%", 100 * number.magnitude)
        )
      case let type? where "eEfFgG".contains(type):
        return (
          number.sign == .minus, String(format: "%.\(precision ?? 6)\(type)", number.magnitude)
        )
      default: return nil
      }
    }

    private func grouped(_ body: String) -> String {
      let whole = body.prefix { $0.isNumber }
      var result = ""
      for (place, digit) in whole.enumerated() {
        if place > 0, (whole.count - place).isMultiple(of: 3) { result += "," }
        result.append(digit)
      }
      return result + body.dropFirst(whole.count)
    }

    private func padded(_ sign: String, _ body: String, usual: Character) -> String {
      let space = max(width - sign.unicodeScalars.count - body.unicodeScalars.count, 0)
      let fill = fill ?? (isZero ? "0" : " ")
      func filled(_ count: Int) -> String { String(repeating: fill, count: count) }
      switch align ?? usual {
      case "<": return sign + body + filled(space)
      case "^": return filled(space / 2) + sign + body + filled(space - space / 2)
      case "=": return sign + filled(space) + body
      default: return filled(space) + sign + body
      }
    }
  }
}
