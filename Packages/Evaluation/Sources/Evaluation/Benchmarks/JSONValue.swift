import Foundation

/// Any JSON value, for rows of data whose shape a definition describes.
enum JSONValue: Decodable, Equatable {
  case null
  case bool(Bool)
  case integer(Int64)
  case number(Double)
  case string(String)
  case array([JSONValue])
  case object([String: JSONValue])

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(String.self) {
      self = .string(value)
    } else if let value = try? container.decode(Int64.self) {
      self = .integer(value)
    } else if let value = try? container.decode(Double.self) {
      self = .number(value)
    } else if let value = try? container.decode(Bool.self) {
      self = .bool(value)
    } else if let value = try? container.decode([JSONValue].self) {
      self = .array(value)
    } else {
      self = .object(try container.decode([String: JSONValue].self))
    }
  }

  /// The value at a dotted path; a path through an array gives the array of that field.
  subscript(path: some Collection<Substring>) -> JSONValue? {
    guard let key = path.first else { return self }
    switch self {
    case .object(let members): return members[String(key)]?[path.dropFirst()]
    case .array(let elements):
      let inner = elements.compactMap { $0[path] }
      return inner.count == elements.count ? .array(inner) : nil
    default: return nil
    }
  }

  /// A text or number as text; nil for everything else.
  var text: String? {
    switch self {
    case .string(let text): text
    case .integer(let value): String(value)
    case .number(let value): String(value)
    case .null, .bool, .array, .object: nil
    }
  }
}
