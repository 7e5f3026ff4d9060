/// The metadata of a GGUF file that is written: keys with their values, in the order in which they
/// are set.
///
/// Source: ggml-org/ggml, docs/gguf.md.
struct GGUFEntries {
  private(set) var count = 0
  private(set) var bytes: [UInt8] = []

  private enum Kind: UInt64 {
    case uint32 = 4, int32 = 5, float32 = 6, bool = 7, string = 8, array = 9
  }

  private mutating func begin(_ key: String, _ kind: Kind) {
    count += 1
    Self.put(key, into: &bytes)
    bytes.append(kind.rawValue, size: 4)
  }

  mutating func set(_ key: String, _ value: Int) {
    begin(key, .uint32)
    bytes.append(UInt64(truncatingIfNeeded: value), size: 4)
  }

  mutating func set(_ key: String, _ value: Float) {
    begin(key, .float32)
    bytes.append(UInt64(value.bitPattern), size: 4)
  }

  mutating func set(_ key: String, _ value: Bool) {
    begin(key, .bool)
    bytes.append(value ? 1 : 0)
  }

  mutating func set(_ key: String, _ value: String) {
    begin(key, .string)
    Self.put(value, into: &bytes)
  }

  mutating func set(_ key: String, _ values: [String]) {
    beginArray(key, .string, values.count)
    for value in values { Self.put(value, into: &bytes) }
  }

  mutating func set(_ key: String, _ values: [Int32]) {
    beginArray(key, .int32, values.count)
    for value in values { bytes.append(UInt64(UInt32(bitPattern: value)), size: 4) }
  }

  mutating func set(_ key: String, _ values: [Float]) {
    beginArray(key, .float32, values.count)
    for value in values { bytes.append(UInt64(value.bitPattern), size: 4) }
  }

  private mutating func beginArray(_ key: String, _ kind: Kind, _ count: Int) {
    begin(key, .array)
    bytes.append(kind.rawValue, size: 4)
    bytes.append(UInt64(count), size: 8)
  }

  /// A string with its length in front.
  static func put(_ text: String, into bytes: inout [UInt8]) {
    bytes.append(UInt64(text.utf8.count), size: 8)
    bytes.append(contentsOf: text.utf8)
  }
}
