/// The metadata of a GGUF file, read by key; every error names the file and the key.
struct GGUFMetadata: Sendable {
  let file: String
  let values: [String: GGUFValue]

  /// The name of a key's section: `general.architecture`.
  func architecture() throws(CheckpointError) -> String { try string("general.architecture") }

  func integerIfPresent(
    _ key: String, in range: ClosedRange<Int>
  ) throws(CheckpointError) -> Int? {
    try value(key, "an integer in \(range.lowerBound)...\(range.upperBound)") {
      guard case .integer(let value) = $0, range.contains(value) else { return nil }
      return value
    }
  }

  func integer(_ key: String, in range: ClosedRange<Int>) throws(CheckpointError) -> Int {
    guard let value = try integerIfPresent(key, in: range) else {
      throw wrong(key, expected: "an integer in \(range.lowerBound)...\(range.upperBound)")
    }
    return value
  }

  func numberIfPresent(_ key: String) throws(CheckpointError) -> Double? {
    try value(key, "a finite number") {
      switch $0 {
      case .integer(let value): return Double(value)
      case .number(let value): return value.isFinite ? value : nil
      default: return nil
      }
    }
  }

  func boolIfPresent(_ key: String) throws(CheckpointError) -> Bool? {
    try value(key, "true or false") {
      guard case .bool(let value) = $0 else { return nil }
      return value
    }
  }

  func stringIfPresent(_ key: String) throws(CheckpointError) -> String? {
    try value(key, "a string") {
      guard case .string(let value) = $0 else { return nil }
      return value
    }
  }

  func string(_ key: String) throws(CheckpointError) -> String {
    guard let value = try stringIfPresent(key) else { throw wrong(key, expected: "a string") }
    return value
  }

  func stringsIfPresent(_ key: String) throws(CheckpointError) -> GGUFStrings? {
    try value(key, "an array of strings") {
      guard case .strings(let value) = $0 else { return nil }
      return value
    }
  }

  func integersIfPresent(_ key: String) throws(CheckpointError) -> [Int]? {
    try value(key, "an array of integers") {
      guard case .integers(let value) = $0 else { return nil }
      return value
    }
  }

  func numbersIfPresent(_ key: String) throws(CheckpointError) -> [Double]? {
    try value(key, "an array of numbers") {
      guard case .numbers(let value) = $0 else { return nil }
      return value
    }
  }

  /// The error for a value of `key` that is well formed but cannot be right.
  func wrong(_ key: String, expected: String) -> CheckpointError {
    .value(
      file: file, key: key, expected: expected, found: values[key]?.summary ?? "nothing")
  }

  private func value<Value>(
    _ key: String, _ expected: String, _ convert: (GGUFValue) -> Value?
  ) throws(CheckpointError) -> Value? {
    guard let found = values[key] else { return nil }
    guard let value = convert(found) else { throw wrong(key, expected: expected) }
    return value
  }
}
