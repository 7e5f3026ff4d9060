import JSON

/// One value of a GGUF file's metadata.
enum GGUFValue: Sendable, Equatable {
  /// An integer of any width, or 0 and 1 of a truth value that stands in an array.
  case integer(Int)
  /// A number of 32 or 64 bits.
  case number(Double)
  case bool(Bool)
  case string(String)
  case integers([Int])
  case numbers([Double])
  case strings(GGUFStrings)
  /// An array of arrays.
  case arrays([GGUFValue])

  /// The value in a few words, for error messages.
  var summary: String {
    switch self {
    case .integer(let value): "\(value)"
    case .number(let value): "\(value)"
    case .bool(let value): "\(value)"
    case .string(let value): value.utf8.count <= 80 ? JSONValue.quoted(value) : "a long string"
    case .integers(let values): "an array of \(values.count) integers"
    case .numbers(let values): "an array of \(values.count) numbers"
    case .strings(let values): "an array of \(values.count) strings"
    case .arrays(let values): "an array of \(values.count) arrays"
    }
  }
}

/// Many strings one after the other: a vocabulary has some hundred thousand.
struct GGUFStrings: Sendable, Equatable {
  private(set) var bytes: [UInt8] = []
  /// Where each string ends in `bytes`.
  private var ends: [Int] = []

  var count: Int { ends.count }

  mutating func reserve(_ count: Int) { ends.reserveCapacity(count) }

  mutating func append(_ string: some Sequence<UInt8>) {
    bytes.append(contentsOf: string)
    ends.append(bytes.count)
  }

  /// The UTF-8 bytes of a string.
  subscript(index: Int) -> ArraySlice<UInt8> {
    bytes[(index == 0 ? 0 : ends[index - 1])..<ends[index]]
  }

  /// A string; bytes that are not UTF-8 count as U+FFFD.
  func text(_ index: Int) -> String { String(decoding: self[index], as: UTF8.self) }
}
