/// A JSON value, with integers kept exact.
public indirect enum JSONValue: Sendable, Hashable {
  /// `null`.
  case null
  /// `true` or `false`.
  case bool(Bool)
  /// A number written without fraction and exponent that fits `Int`.
  case integer(Int)
  /// Any other number.
  case number(Double)
  /// A string.
  case string(String)
  /// An array.
  case array([JSONValue])
  /// An object; its keys are written in sorted order.
  case object([String: JSONValue])

  /// Parses strict JSON: UTF-8, no duplicate keys, nesting limited to 64.
  ///
  /// - Throws: `CheckpointError.json` naming `file` and the byte offset.
  public init(parsing bytes: [UInt8], file: String) throws(CheckpointError) {
    self = try JSONScanner.scan(bytes, file: file) { (scanner) throws(CheckpointError) in
      try JSONValue(&scanner)
    }
  }

  private init(_ scanner: inout JSONScanner) throws(CheckpointError) {
    switch scanner.kind() {
    case .object:
      var members: [String: JSONValue] = [:]
      try scanner.object { (scanner, key) throws(CheckpointError) in
        members[key] = try JSONValue(&scanner)
      }
      self = .object(members)
    case .array:
      var elements: [JSONValue] = []
      try scanner.array { (scanner) throws(CheckpointError) in
        elements.append(try JSONValue(&scanner))
      }
      self = .array(elements)
    case .string:
      self = .string(try scanner.string())
    case .number:
      switch try scanner.number() {
      case .integer(let value): self = .integer(value)
      case .real(let value): self = .number(value)
      }
    case .literal:
      self = try scanner.literal().map(JSONValue.bool) ?? .null
    }
  }

  /// The value as JSON text over several lines, keys sorted, so that equal values give equal bytes.
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
    case .number(let value): return String(value)
    case .string(let value): return Self.quoted(value)
    case .array(let elements):
      return lines("[", elements.map { $0.text(indent: inner) }, "]")
    case .object(let members):
      let items = members.sorted { $0.key < $1.key }
        .map { Self.quoted($0.key) + ": " + $0.value.text(indent: inner) }
      return lines("{", items, "}")
    }
  }

  /// `string` as a JSON string with its quotation marks.
  static func quoted(_ string: String) -> String {
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
  var summary: String {
    switch self {
    case .null: "null"
    case .bool(let value): "\(value)"
    case .integer(let value): "\(value)"
    case .number(let value): "\(value)"
    case .string(let value): value.count <= 80 ? Self.quoted(value) : "a long string"
    case .array(let elements): "an array of \(elements.count)"
    case .object(let members): "an object of \(members.count)"
    }
  }
}
