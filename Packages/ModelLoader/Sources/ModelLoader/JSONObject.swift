import JSON

/// A JSON object from a file, read by key; every error names the file and the key.
///
/// A key whose value is `null` counts as absent, as in Hugging Face configuration files.
public struct JSONObject: Sendable, Hashable {
  /// The file it comes from.
  public let file: String
  /// Where the object stands in the file, as `outer.inner`; empty for the whole file.
  public let path: String
  /// The members, `null` included.
  public let members: OrderedObject<JSONValue>

  /// An object that is not, or not yet, in a file of this name.
  public init(file: String, path: String = "", members: OrderedObject<JSONValue>) {
    self.file = file
    self.path = path
    self.members = members
  }

  /// Parses a whole file, which may hold `Infinity` and `NaN` as Python writes them: no range of
  /// values takes them.
  ///
  /// - Throws: `CheckpointError.json`, or `.value` when the file does not hold an object.
  public init(parsing bytes: [UInt8], file: String) throws(CheckpointError) {
    let value = try JSONValue(
      parsing: bytes, file: file, dialect: .python, failure: CheckpointError.self)
    guard case .object(let members) = value else {
      throw .value(file: file, key: "(whole file)", expected: "an object", found: value.summary)
    }
    self.init(file: file, members: members)
  }

  /// Whether the key is present with a value other than `null`.
  public func has(_ key: String) -> Bool { members[key].map { $0 != .null } ?? false }

  /// Whether the key is there and `null`, for those to which that says something.
  public func isNull(_ key: String) -> Bool { members[key] == .null }

  /// An integer within `range`, or nil when absent.
  ///
  /// - Throws: `CheckpointError.value` for another type or a value outside.
  public func integerIfPresent(
    _ key: String, in range: ClosedRange<Int>
  ) throws(CheckpointError) -> Int? {
    try value(key, "an integer in \(range.lowerBound)...\(range.upperBound)") {
      guard case .integer(let value) = $0, range.contains(value) else { return nil }
      return value
    }
  }

  /// An integer within `range`.
  ///
  /// - Throws: `CheckpointError.value` when absent, of another type or outside.
  public func integer(_ key: String, in range: ClosedRange<Int>) throws(CheckpointError) -> Int {
    try required(
      key, "an integer in \(range.lowerBound)...\(range.upperBound)",
      integerIfPresent(key, in: range))
  }

  /// A number within `range`, whole or not, or nil when absent.
  ///
  /// - Throws: `CheckpointError.value` for another type or a value outside.
  public func numberIfPresent(
    _ key: String, in range: ClosedRange<Double>
  ) throws(CheckpointError) -> Double? {
    try value(key, "a number in \(range.lowerBound)...\(range.upperBound)") {
      let number: Double
      switch $0 {
      case .integer(let value): number = Double(value)
      case .number(let value): number = value
      default: return nil
      }
      return range.contains(number) ? number : nil
    }
  }

  /// A number within `range`, whole or not.
  ///
  /// - Throws: `CheckpointError.value` when absent, of another type or outside.
  public func number(_ key: String, in range: ClosedRange<Double>) throws(CheckpointError) -> Double
  {
    try required(
      key, "a number in \(range.lowerBound)...\(range.upperBound)", numberIfPresent(key, in: range))
  }

  /// A truth value, or nil when absent.
  ///
  /// - Throws: `CheckpointError.value` for another type.
  public func boolIfPresent(_ key: String) throws(CheckpointError) -> Bool? {
    try value(key, "true or false") {
      guard case .bool(let value) = $0 else { return nil }
      return value
    }
  }

  /// A string, or nil when absent.
  ///
  /// - Throws: `CheckpointError.value` for another type.
  public func stringIfPresent(_ key: String) throws(CheckpointError) -> String? {
    try value(key, "a string") {
      guard case .string(let value) = $0 else { return nil }
      return value
    }
  }

  /// A string.
  ///
  /// - Throws: `CheckpointError.value` when absent or of another type.
  public func string(_ key: String) throws(CheckpointError) -> String {
    try required(key, "a string", stringIfPresent(key))
  }

  /// An array, or nil when absent.
  ///
  /// - Throws: `CheckpointError.value` for another type.
  public func arrayIfPresent(_ key: String) throws(CheckpointError) -> [JSONValue]? {
    try value(key, "an array") {
      guard case .array(let value) = $0 else { return nil }
      return value
    }
  }

  /// An array of strings, or nil when absent.
  ///
  /// - Throws: `CheckpointError.value` for another type.
  public func stringsIfPresent(_ key: String) throws(CheckpointError) -> [String]? {
    try value(key, "an array of strings") {
      guard case .array(let elements) = $0 else { return nil }
      let strings = elements.compactMap { element -> String? in
        guard case .string(let string) = element else { return nil }
        return string
      }
      return strings.count == elements.count ? strings : nil
    }
  }

  /// An array of integers within `range`, or nil when absent.
  ///
  /// - Throws: `CheckpointError.value` for another type or a value outside.
  public func integersIfPresent(
    _ key: String, in range: ClosedRange<Int>
  ) throws(CheckpointError) -> [Int]? {
    try value(key, "an array of integers in \(range.lowerBound)...\(range.upperBound)") {
      guard case .array(let elements) = $0 else { return nil }
      let integers = elements.compactMap { element -> Int? in
        guard case .integer(let value) = element, range.contains(value) else { return nil }
        return value
      }
      return integers.count == elements.count ? integers : nil
    }
  }

  /// An inner object, or nil when absent.
  ///
  /// - Throws: `CheckpointError.value` for another type.
  public func objectIfPresent(_ key: String) throws(CheckpointError) -> JSONObject? {
    try value(key, "an object") {
      guard case .object(let members) = $0 else { return nil }
      return JSONObject(file: file, path: name(of: key), members: members)
    }
  }

  /// An inner object.
  ///
  /// - Throws: `CheckpointError.value` when absent or of another type.
  public func object(_ key: String) throws(CheckpointError) -> JSONObject {
    try required(key, "an object", objectIfPresent(key))
  }

  /// An array of objects, or nil when absent.
  ///
  /// - Throws: `CheckpointError.value` for another type, naming the element.
  public func objectsIfPresent(_ key: String) throws(CheckpointError) -> [JSONObject]? {
    guard let values = try arrayIfPresent(key) else { return nil }
    var objects: [JSONObject] = []
    for (index, value) in values.enumerated() {
      let place = "\(name(of: key))[\(index)]"
      guard case .object(let members) = value else {
        throw .value(file: file, key: place, expected: "an object", found: value.summary)
      }
      objects.append(JSONObject(file: file, path: place, members: members))
    }
    return objects
  }

  /// The error for a value of `key` that is well formed but cannot be right.
  public func wrong(_ key: String, expected: String) -> CheckpointError {
    .value(
      file: file, key: name(of: key), expected: expected,
      found: members[key]?.summary ?? "nothing")
  }

  private func name(of key: String) -> String { path.isEmpty ? key : path + "." + key }

  private func value<Value>(
    _ key: String, _ expected: String, _ convert: (JSONValue) -> Value?
  ) throws(CheckpointError) -> Value? {
    guard let found = members[key], found != .null else { return nil }
    guard let value = convert(found) else { throw wrong(key, expected: expected) }
    return value
  }

  private func required<Value>(
    _ key: String, _ expected: String, _ value: Value?
  ) throws(CheckpointError) -> Value {
    guard let value else { throw wrong(key, expected: expected) }
    return value
  }
}
