/// Any JSON value, with object members in written order.
///
/// This is what chat messages, tool definitions and template variables are made of. It is parsed
/// by ``init(parsing:file:)`` rather than `Codable`, whose keyed containers forget the order.
public enum JSONValue: Sendable, Hashable {
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

  /// Arrays and objects may be nested this deep.
  public static let maximumDepth = 128

  /// Parses one JSON document as ``JSONReader`` reads it.
  /// - Parameters:
  ///   - bytes: the whole document.
  ///   - file: the name used in errors.
  ///   - dialect: which numbers it may hold.
  /// - Throws: ``JSONError/malformedJSON(file:offset:reason:)``.
  public init(
    parsing bytes: some Sequence<UInt8>, file: String = "JSON", dialect: JSONDialect = .strict
  ) throws(JSONError) {
    try self.init(parsing: bytes, file: file, dialect: dialect, failure: JSONError.self)
  }

  /// Parses one JSON document; faults are thrown as the caller's own error.
  public init<Failure: JSONFailure>(
    parsing bytes: some Sequence<UInt8>, file: String, dialect: JSONDialect = .strict,
    failure: Failure.Type
  ) throws(Failure) {
    self = try JSONReader<Failure>.read(Array(bytes), file: file, dialect: dialect) {
      (reader) throws(Failure) in try reader.readValue()
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

  /// The value of any number, else nil.
  public var double: Double? {
    switch self {
    case .integer(let integer): Double(integer)
    case .number(let number): number
    default: nil
    }
  }

  /// Whether this is `null`.
  public var isNull: Bool { self == .null }

  /// The member `key` of an object; nil when absent or when this is no object.
  public subscript(key: String) -> JSONValue? { object?[key] }

  /// What kind of value this is, for messages.
  public var kind: JSONKind {
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
public enum JSONKind: String, Sendable {
  /// `null`
  case null
  /// `true` or `false`
  case bool = "a boolean"
  /// A number.
  case number = "a number"
  /// A string.
  case string = "a string"
  /// An array.
  case array = "an array"
  /// An object.
  case object = "an object"
}
