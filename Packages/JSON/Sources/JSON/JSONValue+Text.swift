extension JSONValue {
  /// The value as JSON text over several lines, names sorted, so that equal values give equal
  /// bytes. Numbers that JSON cannot hold are written as Python writes them.
  public var text: String { text(indent: "") }

  private func text(indent: String) -> String {
    let inner = indent + "  "
    func lines(_ open: String, _ items: [String], _ close: String) -> String {
      items.isEmpty
        ? open + close
        : open + "\n" + items.map { inner + $0 }.joined(separator: ",\n") + "\n" + indent + close
    }
    switch self {
    case .null: return "null"
    case .bool(let value): return value ? "true" : "false"
    case .integer(let value): return String(value)
    case .number(let value): return Self.text(of: value)
    case .string(let value): return Self.quoted(value)
    case .array(let elements):
      return lines("[", elements.map { $0.text(indent: inner) }, "]")
    case .object(let object):
      let items = object.members.sorted { $0.0 < $1.0 }
        .map { Self.quoted($0.0) + ": " + $0.1.text(indent: inner) }
      return lines("{", items, "}")
    }
  }

  /// The value as JSON text on one line, members in their order. A number that JSON cannot hold is
  /// `null`.
  public var line: String {
    switch self {
    case .array(let elements): "[" + elements.map(\.line).joined(separator: ",") + "]"
    case .object(let object):
      "{" + object.members.map { Self.quoted($0) + ":" + $1.line }.joined(separator: ",") + "}"
    case .number(let value) where !value.isFinite: "null"
    case .null, .bool, .integer, .number, .string: text
    }
  }

  private static func text(of number: Double) -> String {
    if number.isNaN { return "NaN" }
    if number.isInfinite { return number > 0 ? "Infinity" : "-Infinity" }
    return String(number)
  }

  /// `string` as a JSON string with its quotation marks.
  public static func quoted(_ string: String) -> String {
    var text = "\""
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      case "\t": text += "\\t"
      case "\u{0}"..<"\u{20}":
        let digits = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text + "\""
  }

  /// The value in a few words, for error messages.
  public var summary: String {
    switch self {
    case .null, .bool, .integer, .number: text
    case .string(let value): value.count <= 80 ? Self.quoted(value) : "a long string"
    case .array(let elements): "an array of \(elements.count)"
    case .object(let object): "an object of \(object.count)"
    }
  }
}
