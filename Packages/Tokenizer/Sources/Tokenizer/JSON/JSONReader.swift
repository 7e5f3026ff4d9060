/// A pull parser over the bytes of one JSON document.
///
/// Large tables (`model.vocab`, `model.merges`) are read member by member without building a tree;
/// everything small goes through ``readValue()``. The bytes are checked to be UTF-8 beforehand.
struct JSONReader {
  /// Deepest nesting of arrays and objects that is accepted.
  static let maximumDepth = 128

  let bytes: UnsafeBufferPointer<UInt8>
  let file: String
  private(set) var offset = 0
  private var depth = 0
  /// Holds the last string that had escapes.
  private let unescaped = StringBuffer()

  /// Checks that `document` is UTF-8, hands a reader to `body`, and checks that nothing follows.
  static func read<Result>(
    _ document: [UInt8], file: String,
    _ body: (inout JSONReader) throws(TokenizerError) -> Result
  ) throws(TokenizerError) -> Result {
    try document.withUnsafeBufferPointer { (buffer) throws(TokenizerError) -> Result in
      if let offset = UTF8Text.firstInvalidOffset(in: buffer) {
        throw .malformedJSON(file: file, offset: offset, reason: "invalid UTF-8")
      }
      var reader = JSONReader(bytes: buffer, file: file)
      let result = try body(&reader)
      reader.skipWhitespace()
      if reader.offset != buffer.count { throw reader.malformed("text after the document") }
      return result
    }
  }

  private init(bytes: UnsafeBufferPointer<UInt8>, file: String) {
    self.bytes = bytes
    self.file = file
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { offset = 3 }
  }

  /// Goes back (or on) to a value found earlier.
  mutating func seek(to offset: Int) { self.offset = offset }

  // MARK: Structure

  /// The kind of the next value, without consuming it.
  mutating func peekKind() throws(TokenizerError) -> JSONKind {
    skipWhitespace()
    guard offset < bytes.count else { throw malformed("unexpected end") }
    switch bytes[offset] {
    case UInt8(ascii: "{"): return .object
    case UInt8(ascii: "["): return .array
    case UInt8(ascii: "\""): return .string
    case UInt8(ascii: "t"), UInt8(ascii: "f"): return .bool
    case UInt8(ascii: "n"): return .null
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number
    default: throw malformed("no JSON value starts here")
    }
  }

  /// Reads an object, calling `member` with each name; the callback must consume the value.
  ///
  /// The name's bytes are valid until the next string is read.
  mutating func readObject(
    _ key: @autoclosure () -> String,
    _ member: (inout JSONReader, UnsafeBufferPointer<UInt8>) throws(TokenizerError) -> Void
  ) throws(TokenizerError) {
    try open(.object, key())
    var isFirst = true
    while try !close(UInt8(ascii: "}"), isFirst: isFirst) {
      isFirst = false
      skipWhitespace()
      let name = try readString("member name in \(key())")
      skipWhitespace()
      guard consume(UInt8(ascii: ":")) else { throw malformed("expected ':'") }
      try member(&self, name)
    }
  }

  /// Reads an array, calling `element` with each index; the callback must consume the value.
  mutating func readArray(
    _ key: @autoclosure () -> String,
    _ element: (inout JSONReader, Int) throws(TokenizerError) -> Void
  ) throws(TokenizerError) {
    try open(.array, key())
    var index = 0
    while try !close(UInt8(ascii: "]"), isFirst: index == 0) {
      try element(&self, index)
      index += 1
    }
  }

  private mutating func open(_ kind: JSONKind, _ key: @autoclosure () -> String)
    throws(TokenizerError)
  {
    try expect(kind, key())
    guard depth < Self.maximumDepth else {
      throw malformed("nested deeper than \(Self.maximumDepth)")
    }
    depth += 1
    offset += 1
  }

  private mutating func close(_ end: UInt8, isFirst: Bool) throws(TokenizerError) -> Bool {
    skipWhitespace()
    if consume(end) {
      depth -= 1
      return true
    }
    if isFirst { return false }
    guard consume(UInt8(ascii: ",")) else {
      throw malformed("expected ',' or '\(Unicode.Scalar(end))'")
    }
    return false
  }

  // MARK: Scalars

  /// Reads a string; the bytes are valid until the next string is read.
  mutating func readString(_ key: @autoclosure () -> String) throws(TokenizerError)
    -> UnsafeBufferPointer<UInt8>
  {
    try expect(.string, key())
    offset += 1
    let start = offset
    while offset < bytes.count {
      let byte = bytes[offset]
      if byte == UInt8(ascii: "\"") {
        offset += 1
        return UnsafeBufferPointer(rebasing: bytes[start..<offset - 1])
      }
      if byte == UInt8(ascii: "\\") { return try readEscapedString(from: start) }
      guard byte >= 0x20 else { throw malformed("control character in a string") }
      offset += 1
    }
    throw malformed("unterminated string")
  }

  private mutating func readEscapedString(from start: Int) throws(TokenizerError)
    -> UnsafeBufferPointer<UInt8>
  {
    unescaped.removeAll()
    unescaped.append(UnsafeBufferPointer(rebasing: bytes[start..<offset]))
    while offset < bytes.count {
      let byte = bytes[offset]
      offset += 1
      switch byte {
      case UInt8(ascii: "\""): return unescaped.contents
      case UInt8(ascii: "\\"): try readEscape()
      case 0..<0x20: throw malformed("control character in a string")
      default: unescaped.append(byte)
      }
    }
    throw malformed("unterminated string")
  }

  private mutating func readEscape() throws(TokenizerError) {
    guard offset < bytes.count else { throw malformed("unterminated string") }
    let letter = bytes[offset]
    offset += 1
    switch letter {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): unescaped.append(letter)
    case UInt8(ascii: "b"): unescaped.append(0x08)
    case UInt8(ascii: "f"): unescaped.append(0x0C)
    case UInt8(ascii: "n"): unescaped.append(0x0A)
    case UInt8(ascii: "r"): unescaped.append(0x0D)
    case UInt8(ascii: "t"): unescaped.append(0x09)
    case UInt8(ascii: "u"):
      var code = try readHexadecimal()
      let isHigh = 0xD800..<0xDC00 ~= code
      if isHigh, offset + 6 <= bytes.count, bytes[offset] == UInt8(ascii: "\\"),
        bytes[offset + 1] == UInt8(ascii: "u")
      {
        let mark = offset
        offset += 2
        let low = try readHexadecimal()
        if 0xDC00..<0xE000 ~= low {
          code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
        } else {
          offset = mark
        }
      }
      unescaped.append(scalar: Unicode.Scalar(code) ?? "\u{FFFD}")
    default:
      offset -= 1
      throw malformed("unknown escape")
    }
  }

  private mutating func readHexadecimal() throws(TokenizerError) -> UInt32 {
    guard offset + 4 <= bytes.count else { throw malformed("unterminated string") }
    var code: UInt32 = 0
    for byte in bytes[offset..<offset + 4] {
      guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else {
        throw malformed("expected four hexadecimal digits")
      }
      code = code << 4 | UInt32(digit)
    }
    offset += 4
    return code
  }

  /// Reads a string as a `String`.
  mutating func readText(_ key: @autoclosure () -> String) throws(TokenizerError) -> String {
    String(decoding: try readString(key()), as: UTF8.self)
  }

  /// Reads an integer; fractions, exponents and numbers past 64 bits are errors.
  mutating func readInteger(_ key: @autoclosure () -> String) throws(TokenizerError) -> Int {
    try expect(.number, key())
    let start = offset
    let isInteger = try skipNumber()
    guard isInteger, let value = Self.integer(bytes[start..<offset]) else {
      throw .wrongType(
        file: file, key: key(), offset: start, expected: "an integer",
        found: String(decoding: bytes[start..<offset], as: UTF8.self))
    }
    return value
  }

  /// Reads a number: `.integer` where it is one and fits, else `.number`.
  mutating func readNumber() throws(TokenizerError) -> JSONValue {
    let start = offset
    let isInteger = try skipNumber()
    if isInteger, let value = Self.integer(bytes[start..<offset]) { return .integer(value) }
    let text = String(decoding: bytes[start..<offset], as: UTF8.self)
    guard let value = Double(text), value.isFinite else { throw malformed("number out of range") }
    return .number(value)
  }

  /// The value of digits with or without a minus; nil past 64 bits.
  private static func integer(_ digits: Slice<UnsafeBufferPointer<UInt8>>) -> Int? {
    let isNegative = digits.first == UInt8(ascii: "-")
    var value = 0
    for digit in digits.dropFirst(isNegative ? 1 : 0) {
      let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
      let unit = Int(digit - UInt8(ascii: "0"))
      let sum =
        isNegative
        ? tens.subtractingReportingOverflow(unit) : tens.addingReportingOverflow(unit)
      if overflow || sum.overflow { return nil }
      value = sum.partialValue
    }
    return value
  }

  /// Passes over a number, checking its form; tells whether it is written as an integer.
  private mutating func skipNumber() throws(TokenizerError) -> Bool {
    var isInteger = true
    _ = consume(UInt8(ascii: "-"))
    if !consume(UInt8(ascii: "0")) { try skipDigits() }
    if consume(UInt8(ascii: ".")) {
      isInteger = false
      try skipDigits()
    }
    if consume(UInt8(ascii: "e")) || consume(UInt8(ascii: "E")) {
      isInteger = false
      if !consume(UInt8(ascii: "+")) { _ = consume(UInt8(ascii: "-")) }
      try skipDigits()
    }
    return isInteger
  }

  private mutating func skipDigits() throws(TokenizerError) {
    let start = offset
    while offset < bytes.count, UInt8(ascii: "0")...UInt8(ascii: "9") ~= bytes[offset] {
      offset += 1
    }
    if offset == start { throw malformed("expected a digit") }
  }

  mutating func readBool(_ key: @autoclosure () -> String) throws(TokenizerError) -> Bool {
    try expect(.bool, key())
    if skipWord("true") { return true }
    if skipWord("false") { return false }
    throw malformed("expected true or false")
  }

  mutating func readNull(_ key: @autoclosure () -> String) throws(TokenizerError) {
    try expect(.null, key())
    if !skipWord("null") { throw malformed("expected null") }
  }

  private mutating func skipWord(_ word: StaticString) -> Bool {
    let end = offset + word.utf8CodeUnitCount
    guard end <= bytes.count else { return false }
    let expected = UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount)
    guard bytes[offset..<end].elementsEqual(expected) else { return false }
    offset = end
    return true
  }

  // MARK: Whole values

  /// Reads any value as a tree.
  mutating func readValue() throws(TokenizerError) -> JSONValue {
    switch try peekKind() {
    case .null:
      try readNull("")
      return .null
    case .bool: return .bool(try readBool(""))
    case .number: return try readNumber()
    case .string: return .string(try readText(""))
    case .array:
      var elements: [JSONValue] = []
      try readArray("") { (reader, _) throws(TokenizerError) in
        elements.append(try reader.readValue())
      }
      return .array(elements)
    case .object:
      var object = OrderedObject<JSONValue>()
      try readObject("") { (reader, name) throws(TokenizerError) in
        let name = String(decoding: name, as: UTF8.self)
        object[name] = try reader.readValue()
      }
      return .object(object)
    }
  }

  /// Skips any value, checking its form.
  mutating func skipValue() throws(TokenizerError) {
    switch try peekKind() {
    case .null: try readNull("")
    case .bool: _ = try readBool("")
    case .number: _ = try skipNumber()
    case .string: _ = try readString("")
    case .array:
      try readArray("") { (reader, _) throws(TokenizerError) in try reader.skipValue() }
    case .object:
      try readObject("") { (reader, _) throws(TokenizerError) in try reader.skipValue() }
    }
  }

  // MARK: Helpers

  private mutating func expect(_ kind: JSONKind, _ key: @autoclosure () -> String)
    throws(TokenizerError)
  {
    let found = try peekKind()
    guard found == kind else {
      throw .wrongType(
        file: file, key: key(), offset: offset, expected: kind.rawValue, found: found.rawValue)
    }
  }

  private mutating func skipWhitespace() {
    while offset < bytes.count {
      switch bytes[offset] {
      case 0x20, 0x0A, 0x0D, 0x09: offset += 1
      default: return
      }
    }
  }

  private mutating func consume(_ byte: UInt8) -> Bool {
    guard offset < bytes.count, bytes[offset] == byte else { return false }
    offset += 1
    return true
  }

  func malformed(_ reason: String) -> TokenizerError {
    .malformedJSON(file: file, offset: offset, reason: reason)
  }
}
