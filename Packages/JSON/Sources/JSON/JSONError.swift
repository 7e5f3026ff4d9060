/// What a package's own error must be able to say for ``JSONReader`` to throw it.
///
/// An enumeration with cases of these names and labels conforms without further code.
public protocol JSONFailure: Error {
  /// The bytes at `offset` are not the JSON (or UTF-8) they should be.
  static func malformedJSON(file: String, offset: Int, reason: String) -> Self
  /// The value at `key` has another JSON type than `expected`.
  static func wrongType(file: String, key: String, offset: Int, expected: String, found: String)
    -> Self
}

/// What is wrong with a JSON document, for those who have no error type of their own.
public enum JSONError: Error, Hashable, Sendable, JSONFailure {
  /// The bytes at `offset` are not the JSON (or UTF-8) they should be.
  case malformedJSON(file: String, offset: Int, reason: String)
  /// The value at `key` has another JSON type than `expected`.
  case wrongType(file: String, key: String, offset: Int, expected: String, found: String)
}

extension JSONError: CustomStringConvertible {
  /// What is wrong and at which byte, without the file's name.
  public var reason: String {
    switch self {
    case .malformedJSON(_, let offset, let reason): "byte \(offset): \(reason)"
    case .wrongType(_, let key, let offset, let expected, let found):
      "\(key) (byte \(offset)): expected \(expected), found \(found)"
    }
  }

  /// One sentence for the person at the terminal.
  public var description: String {
    switch self {
    case .malformedJSON(let file, let offset, let reason):
      "\(file): invalid JSON at byte \(offset): \(reason)"
    case .wrongType(let file, let key, let offset, let expected, let found):
      "\(file): \(key) (byte \(offset)): expected \(expected), found \(found)"
    }
  }
}

/// Which numbers a document may hold.
public enum JSONDialect: Sendable, Hashable {
  /// Those of RFC 8259.
  case strict
  /// Also `NaN`, `Infinity` and `-Infinity`, which Python's `json` writes and reads. What reads
  /// such a value has to check it: no range holds `NaN`.
  case python
}
