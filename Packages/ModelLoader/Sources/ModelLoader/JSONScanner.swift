/// Reads JSON text strictly (RFC 8259), one piece at a time, without building a tree.
///
/// Strict means: UTF-8 only, no duplicate keys in an object, no lone surrogates, no trailing text,
/// nesting and length limited. The safetensors header is read straight from it, so that memory
/// stays in proportion to the tensors described; everything else goes through `JSONValue`.
struct JSONScanner {
  /// Objects and arrays may be nested this deep.
  static let depthLimit = 64

  private let bytes: UnsafeBufferPointer<UInt8>
  private let file: String
  private(set) var offset = 0
  private var depth = 0

  /// Runs `body` over `bytes` and makes sure that it consumed all of them but white space.
  ///
  /// - Throws: `CheckpointError.json` naming `file`, or what `body` throws.
  static func scan<Result>(
    _ bytes: [UInt8], file: String,
    _ body: (inout JSONScanner) throws(CheckpointError) -> Result
  ) throws(CheckpointError) -> Result {
    try bytes.withUnsafeBufferPointer { (buffer) throws(CheckpointError) -> Result in
      var scanner = JSONScanner(bytes: buffer, file: file)
      let result = try body(&scanner)
      if let extra = scanner.next() { throw scanner.error("\(name(extra)) after the end") }
      return result
    }
  }

  private init(bytes: UnsafeBufferPointer<UInt8>, file: String) {
    self.bytes = bytes
    self.file = file
  }

  func error(_ reason: String) -> CheckpointError {
    .json(file: file, offset: offset, reason: reason)
  }

  /// What a value is, by its first character.
  enum Kind { case object, array, string, number, literal }

  /// The kind of the value that comes next; what is no value at all counts as a literal, which then
  /// fails.
  mutating func kind() -> Kind {
    switch next().map(Unicode.Scalar.init) {
    case "{": .object
    case "[": .array
    case "\"": .string
    case .some("-"), .some("0"..."9"): .number
    default: .literal
    }
  }

  /// The next byte that is not white space, which stays unread; nil at the end.
  mutating func next() -> UInt8? {
    while offset < bytes.count {
      let byte = bytes[offset]
      guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return byte }
      offset += 1
    }
    return nil
  }

  // MARK: Objects and arrays

  /// Calls `member` with each key of an object, standing before its value, which `member` must
  /// read.
  mutating func object(
    _ member: (inout JSONScanner, String) throws(CheckpointError) -> Void
  ) throws(CheckpointError) {
    var keys = Set<String>()
    try list(from: UInt8(ascii: "{"), to: UInt8(ascii: "}")) { (scanner) throws(CheckpointError) in
      let key = try scanner.string()
      guard keys.insert(key).inserted else { throw scanner.error("duplicate key \"\(key)\"") }
      try scanner.expect(UInt8(ascii: ":"))
      try member(&scanner, key)
    }
  }

  /// Calls `element` before each element of an array, which `element` must read.
  mutating func array(
    _ element: (inout JSONScanner) throws(CheckpointError) -> Void
  ) throws(CheckpointError) {
    try list(from: UInt8(ascii: "["), to: UInt8(ascii: "]"), element)
  }

  private mutating func list(
    from open: UInt8, to close: UInt8,
    _ item: (inout JSONScanner) throws(CheckpointError) -> Void
  ) throws(CheckpointError) {
    try expect(open)
    depth += 1
    guard depth <= Self.depthLimit else {
      throw error("nested deeper than \(Self.depthLimit)")
    }
    if next() == close {
      offset += 1
    } else {
      while true {
        try item(&self)
        if next() == UInt8(ascii: ",") {
          offset += 1
          continue
        }
        try expect(close)
        break
      }
    }
    depth -= 1
  }

  private mutating func expect(_ byte: UInt8) throws(CheckpointError) {
    guard let found = next() else { throw error("text ends where \(Self.name(byte)) must stand") }
    guard found == byte else {
      throw error("\(Self.name(byte)) expected, \(Self.name(found)) found")
    }
    offset += 1
  }

  // MARK: Scalars

  /// A number as written: exact when it is an integer that fits `Int`.
  enum Number: Equatable {
    case integer(Int)
    case real(Double)
  }

  /// Reads a number.
  mutating func number() throws(CheckpointError) -> Number {
    _ = next()
    let start = offset
    skip(UInt8(ascii: "-"))
    let integerDigits = try digits()
    if integerDigits > 1, bytes[offset - integerDigits] == UInt8(ascii: "0") {
      throw error("number with a leading zero")
    }
    var isIntegral = true
    if skip(UInt8(ascii: ".")) {
      isIntegral = false
      _ = try digits()
    }
    if skip(UInt8(ascii: "e")) || skip(UInt8(ascii: "E")) {
      isIntegral = false
      if !skip(UInt8(ascii: "+")) { skip(UInt8(ascii: "-")) }
      _ = try digits()
    }
    // A number longer than this is no size and no probability.
    guard offset - start <= 1024 else { throw error("number of \(offset - start) characters") }
    let text = String(decoding: bytes[start..<offset], as: UTF8.self)
    if isIntegral, let value = Int(text) { return .integer(value) }
    guard let value = Double(text), value.isFinite else { throw error("number out of range") }
    return .real(value)
  }

  private mutating func digits() throws(CheckpointError) -> Int {
    let start = offset
    while offset < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[offset]) {
      offset += 1
    }
    guard offset > start else { throw error("digit expected") }
    return offset - start
  }

  @discardableResult
  private mutating func skip(_ byte: UInt8) -> Bool {
    guard offset < bytes.count, bytes[offset] == byte else { return false }
    offset += 1
    return true
  }

  /// Reads `true`, `false` or `null`; nil stands for `null`.
  mutating func literal() throws(CheckpointError) -> Bool? {
    _ = next()
    for (word, value) in [("true", true), ("false", false), ("null", nil)] as [(String, Bool?)]
    where bytes[offset...].starts(with: word.utf8) {
      offset += word.utf8.count
      return value
    }
    throw error("value expected")
  }

  /// Reads a string.
  mutating func string() throws(CheckpointError) -> String {
    try expect(UInt8(ascii: "\""))
    var text: [UInt8] = []
    while true {
      let start = offset
      while offset < bytes.count, bytes[offset] >= 0x20, bytes[offset] != UInt8(ascii: "\""),
        bytes[offset] != UInt8(ascii: "\\")
      {
        offset += 1
      }
      text.append(contentsOf: bytes[start..<offset])
      guard offset < bytes.count else { throw error("string without an end") }
      switch bytes[offset] {
      case UInt8(ascii: "\""):
        offset += 1
        guard let string = String(validating: text, as: UTF8.self) else {
          throw error("string is not UTF-8")
        }
        return string
      case UInt8(ascii: "\\"):
        offset += 1
        text.append(contentsOf: String(try escape()).utf8)
      default:
        throw error("control character in a string")
      }
    }
  }

  private mutating func escape() throws(CheckpointError) -> Unicode.Scalar {
    guard offset < bytes.count else { throw error("string without an end") }
    let byte = bytes[offset]
    offset += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"): return try unicodeEscape()
    default: throw error("unknown escape \\\(Self.name(byte))")
    }
  }

  private mutating func unicodeEscape() throws(CheckpointError) -> Unicode.Scalar {
    let first = try hexadecimal()
    var value = first
    if (0xD800..<0xDC00).contains(first), skip(UInt8(ascii: "\\")), skip(UInt8(ascii: "u")) {
      let second = try hexadecimal()
      guard (0xDC00..<0xE000).contains(second) else { throw error("lone surrogate") }
      value = 0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)
    }
    guard let scalar = Unicode.Scalar(value) else { throw error("lone surrogate") }
    return scalar
  }

  private mutating func hexadecimal() throws(CheckpointError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard offset < bytes.count, let digit = Unicode.Scalar(bytes[offset]).hexDigitValue else {
        throw error("four hexadecimal digits expected")
      }
      value = value << 4 | digit
      offset += 1
    }
    return value
  }

  /// Reads any value and forgets it.
  mutating func skipValue() throws(CheckpointError) {
    switch kind() {
    case .object: try object { (scanner, _) throws(CheckpointError) in try scanner.skipValue() }
    case .array: try array { (scanner) throws(CheckpointError) in try scanner.skipValue() }
    case .string: _ = try string()
    case .number: _ = try number()
    case .literal: _ = try literal()
    }
  }

  private static func name(_ byte: UInt8) -> String {
    (0x21..<0x7F).contains(byte)
      ? "'\(Unicode.Scalar(byte))'" : "byte 0x\(String(byte, radix: 16))"
  }
}

extension Unicode.Scalar {
  fileprivate var hexDigitValue: UInt32? {
    switch self {
    case "0"..."9": value - 0x30
    case "a"..."f": value - 0x61 + 10
    case "A"..."F": value - 0x41 + 10
    default: nil
    }
  }
}
