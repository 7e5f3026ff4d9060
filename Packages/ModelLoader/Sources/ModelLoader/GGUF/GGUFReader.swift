/// Reads the numbers and strings at the start of a GGUF file one after the other. Every length is
/// compared with what is left of the file before memory is taken for it.
struct GGUFReader {
  /// Metadata and tensor entries take at most this many bytes.
  static let sizeLimit = 512 << 20
  /// Arrays of numbers have at most this many: each takes 8 bytes of memory, however few it takes
  /// in the file.
  private static let elementLimit = 1 << 24
  /// Arrays may lie in arrays this deep.
  private static let depthLimit = 4
  private static let pieceSize = 1 << 20

  let source: any ByteSource
  /// Where the next value stands in the file.
  private(set) var offset = 0
  private var buffer: [UInt8] = []
  private var bufferStart = 0

  init(_ source: any ByteSource) { self.source = source }

  /// Bytes that can still be read.
  private var remaining: Int { min(source.count, Self.sizeLimit) - offset }

  // MARK: Numbers

  mutating func uint32(_ what: @autoclosure () -> String) throws(CheckpointError) -> UInt32 {
    UInt32(truncatingIfNeeded: try unsigned(4, what()))
  }

  mutating func uint64(_ what: @autoclosure () -> String) throws(CheckpointError) -> UInt64 {
    try unsigned(8, what())
  }

  private mutating func unsigned(
    _ width: Int, _ what: @autoclosure () -> String
  ) throws(CheckpointError) -> UInt64 {
    try require(width, what())
    var value: UInt64 = 0
    for index in 0..<width {
      value |= UInt64(buffer[offset - bufferStart + index]) << (8 * index)
    }
    offset += width
    return value
  }

  /// A count of things that take at least `size` bytes each.
  mutating func count(
    _ what: @autoclosure () -> String, size: Int
  ) throws(CheckpointError) -> Int {
    let start = offset
    let value = try uint64(what())
    guard value <= remaining / size else {
      throw .malformed(
        file: source.file,
        reason: "\(what()) at byte \(start): \(value) do not fit the \(remaining) bytes that "
          + (source.count > Self.sizeLimit ? "may follow" : "follow"))
    }
    return Int(value)
  }

  // MARK: Strings

  /// A string that has to be UTF-8.
  mutating func string(_ what: @autoclosure () -> String) throws(CheckpointError) -> String {
    let start = offset
    let length = try count("length of \(what())", size: 1)
    try require(length, what())
    let from = offset - bufferStart
    guard let text = String(validating: buffer[from..<from + length], as: UTF8.self) else {
      throw .malformed(file: source.file, reason: "\(what()) at byte \(start) is not UTF-8")
    }
    offset += length
    return text
  }

  private mutating func strings(
    _ count: Int, _ what: @autoclosure () -> String
  ) throws(CheckpointError) -> GGUFStrings {
    var strings = GGUFStrings()
    strings.reserve(count)
    for index in 0..<count {
      let length = try self.count("length of \(what())[\(index)]", size: 1)
      try require(length, what())
      let from = offset - bufferStart
      strings.append(buffer[from..<from + length])
      offset += length
    }
    return strings
  }

  // MARK: Values

  /// The value of the metadata `key`, with its type in front.
  mutating func value(of key: String) throws(CheckpointError) -> GGUFValue {
    let start = offset
    let type = try uint32("type of \(key)")
    return try value(of: key, type: type, at: start, depth: 0)
  }

  private mutating func value(
    of key: String, type: UInt32, at start: Int, depth: Int
  ) throws(CheckpointError) -> GGUFValue {
    switch type {
    case 7: return .bool(try unsigned(1, key) != 0)
    case 8: return .string(try string(key))
    case 9:
      guard depth < Self.depthLimit else {
        throw wrong(key, start, "arrays lie in arrays more than \(Self.depthLimit) deep")
      }
      return try array(of: key, depth: depth)
    default:
      guard let width = Self.width(of: type) else {
        throw wrong(key, start, "unknown type \(type)")
      }
      let bits = try unsigned(width, key)
      if Self.isFloat(type) { return .number(Self.number(bits, type)) }
      guard let value = Self.integer(bits, type) else {
        throw wrong(key, start, "\(bits) does not fit 63 bits")
      }
      return .integer(value)
    }
  }

  private mutating func array(of key: String, depth: Int) throws(CheckpointError) -> GGUFValue {
    let start = offset
    let type = try uint32("element type of \(key)")
    let size = type == 8 ? 8 : type == 9 ? 12 : type == 7 ? 1 : Self.width(of: type)
    guard let size else { throw wrong(key, start, "unknown element type \(type)") }
    let count = try count("elements of \(key)", size: size)
    guard count <= Self.elementLimit else {
      throw wrong(key, start, "\(count) elements; at most \(Self.elementLimit) are read")
    }
    switch type {
    case 8: return .strings(try strings(count, key))
    case 9:
      var elements: [GGUFValue] = []
      for _ in 0..<count {
        elements.append(try value(of: key, type: 9, at: offset, depth: depth + 1))
      }
      return .arrays(elements)
    default:
      var integers: [Int] = []
      var numbers: [Double] = []
      if Self.isFloat(type) {
        numbers.reserveCapacity(count)
      } else {
        integers.reserveCapacity(count)
      }
      for _ in 0..<count {
        let bits = try unsigned(size, key)
        if Self.isFloat(type) {
          numbers.append(Self.number(bits, type))
        } else if let value = Self.integer(bits, type) {
          integers.append(value)
        } else {
          throw wrong(key, start, "\(bits) does not fit 63 bits")
        }
      }
      return Self.isFloat(type) ? .numbers(numbers) : .integers(integers)
    }
  }

  /// Bytes of a number of this type; nil for types that are no numbers.
  private static func width(of type: UInt32) -> Int? {
    switch type {
    case 0, 1, 7: 1
    case 2, 3: 2
    case 4, 5, 6: 4
    case 10, 11, 12: 8
    default: nil
    }
  }

  private static func isFloat(_ type: UInt32) -> Bool { type == 6 || type == 12 }

  private static func number(_ bits: UInt64, _ type: UInt32) -> Double {
    type == 6
      ? Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits))) : Double(bitPattern: bits)
  }

  private static func integer(_ bits: UInt64, _ type: UInt32) -> Int? {
    switch type {
    case 1: Int(Int8(truncatingIfNeeded: bits))
    case 3: Int(Int16(truncatingIfNeeded: bits))
    case 5: Int(Int32(truncatingIfNeeded: bits))
    case 11: Int(Int64(bitPattern: bits))
    default: Int(exactly: bits)
    }
  }

  private func wrong(_ key: String, _ offset: Int, _ reason: String) -> CheckpointError {
    .malformed(file: source.file, reason: "\(key) at byte \(offset): \(reason)")
  }

  // MARK: Bytes

  /// Makes sure that the next `count` bytes are in the buffer.
  private mutating func require(
    _ count: Int, _ what: @autoclosure () -> String
  ) throws(CheckpointError) {
    if offset + count <= bufferStart + buffer.count { return }
    guard count <= remaining else {
      let end = offset + count
      guard end > source.count else {
        throw .malformed(
          file: source.file,
          reason: "metadata of more than \(Self.sizeLimit) bytes, at \(what())")
      }
      throw .truncated(file: source.file, expected: end, found: source.count)
    }
    let end = min(offset + max(count, Self.pieceSize), source.count)
    buffer = try source.bytes(offset..<end, of: "metadata")
    bufferStart = offset
  }
}
