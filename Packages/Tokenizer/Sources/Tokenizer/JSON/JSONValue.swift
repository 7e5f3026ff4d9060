/// Any JSON value, with object members in written order.
///
/// This is what chat messages, tool definitions and template variables are made of. It is parsed
/// by ``init(parsing:file:)`` rather than `Codable`, whose keyed containers forget the order.
public enum JSONValue: Sendable, Equatable {
  /// `null`
  case null
  /// `true` or `false`
  case bool(Bool)
  /// A number written without fraction and exponent that fits 64 bits.
  case integer(Int)
  /// Any other number.
  case number(Double)
  /// A string.
  case string(String)
  /// An array.
  case array([JSONValue])
  /// An object.
  case object(OrderedObject<JSONValue>)

  /// Parses one JSON document (UTF-8, RFC 8259).
  ///
  /// An escaped lone surrogate (`"\ud800"`) becomes U+FFFD. Of two members with one name the
  /// later value wins.
  /// - Parameters:
  ///   - bytes: the whole document.
  ///   - file: the name used in errors.
  /// - Throws: ``TokenizerError/malformedJSON(file:offset:reason:)``, also for nesting deeper
  ///   than 128.
  public init(parsing bytes: some Sequence<UInt8>, file: String = "JSON") throws(TokenizerError) {
    self = try JSONReader.read(Array(bytes), file: file) { reader throws(TokenizerError) in
      try reader.readValue()
    }
  }

  /// The members of an object, else nil.
  public var object: OrderedObject<JSONValue>? {
    if case .object(let object) = self { object } else { nil }
  }

  /// The elements of an array, else nil.
  public var array: [JSONValue]? { if case .array(let array) = self { array } else { nil } }

  /// The text of a string, else nil.
  public var string: String? { if case .string(let string) = self { string } else { nil } }

  /// The value of an integer, else nil.
  public var integer: Int? { if case .integer(let integer) = self { integer } else { nil } }

  /// The value of a boolean, else nil.
  public var bool: Bool? { if case .bool(let bool) = self { bool } else { nil } }

  /// Whether this is `null`.
  public var isNull: Bool { self == .null }

  /// The member `key` of an object; nil when absent or when this is no object.
  public subscript(key: String) -> JSONValue? { object?[key] }

  /// What kind of value this is, for messages.
  var kind: JSONKind {
    switch self {
    case .null: .null
    case .bool: .bool
    case .integer, .number: .number
    case .string: .string
    case .array: .array
    case .object: .object
    }
  }
}

/// The six kinds of JSON value.
enum JSONKind: String {
  case null, bool = "a boolean", number = "a number", string = "a string", array = "an array"
  case object = "an object"
}
