/// A pull parser over the bytes of one JSON document (RFC 8259).
///
/// Strict: UTF-8 only (a byte order mark is passed over), no name twice in an object, no lone
/// surrogates, nothing after the document, nesting and the length of numbers limited. Large tables
/// are read member by member without a tree, all else by ``readValue()``. Faults are the caller's.
public struct JSONReader<Failure: JSONFailure> {
  let bytes: UnsafeBufferPointer<UInt8>
  let dialect: JSONDialect
  /// The name used in errors.
  public let file: String
  /// The byte that is read next.
  public internal(set) var offset = 0
  var depth = 0
  /// Holds the last string that had escapes.
  let unescaped = StringBuffer()

  /// Checks that `document` is UTF-8, hands a reader to `body`, and checks that nothing follows.
  public static func read<Result>(
    _ document: [UInt8], file: String, dialect: JSONDialect = .strict,
    _ body: (inout JSONReader) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try document.withUnsafeBufferPointer { (buffer) throws(Failure) -> Result in
      if let offset = UTF8Text.firstInvalidOffset(in: buffer) {
        throw .malformedJSON(file: file, offset: offset, reason: "invalid UTF-8")
      }
      var reader = JSONReader(bytes: buffer, file: file, dialect: dialect)
      let result = try body(&reader)
      reader.skipWhitespace()
      if reader.offset != buffer.count { throw reader.malformed("text after the document") }
      return result
    }
  }

  init(bytes: UnsafeBufferPointer<UInt8>, file: String, dialect: JSONDialect) {
    self.bytes = bytes
    self.file = file
    self.dialect = dialect
    if bytes.starts(with: UTF8Text.byteOrderMark) { offset = UTF8Text.byteOrderMark.count }
  }

  /// Goes back (or on) to a value found earlier.
  public mutating func seek(to offset: Int) { self.offset = offset }

  // MARK: Structure

  /// The kind of the next value, without consuming it.
  public mutating func peekKind() throws(Failure) -> JSONKind {
    skipWhitespace()
    guard offset < bytes.count else { throw malformed("unexpected end") }
    switch bytes[offset] {
    case UInt8(ascii: "{"): return .object
    case UInt8(ascii: "["): return .array
    case UInt8(ascii: "\""): return .string
    case UInt8(ascii: "t"), UInt8(ascii: "f"): return .bool
    case UInt8(ascii: "n"): return .null
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number
    case UInt8(ascii: "N"), UInt8(ascii: "I"):
      guard dialect == .python else { throw malformed("NaN and Infinity are no JSON") }
      return .number
    default: throw malformed("no JSON value starts here")
    }
  }

  /// Reads an object, calling `member` with each name; the callback must consume the value.
  ///
  /// The name's bytes are valid until the next string is read. A name that comes twice is an
  /// error.
  public mutating func readObject(
    _ key: @autoclosure () -> String,
    _ member: (inout JSONReader, UnsafeBufferPointer<UInt8>) throws(Failure) -> Void
  ) throws(Failure) {
    var names = Set<ExactString>()
    try readTable(key()) { (reader, name) throws(Failure) in
      let text = String(decoding: name, as: UTF8.self)
      guard names.insert(ExactString(text)).inserted else {
        throw reader.malformed("the name \"\(text)\" stands twice in one object")
      }
      try member(&reader, name)
    }
  }

  /// Reads an object as ``readObject(_:_:)`` does, without looking for names that come twice: for
  /// large tables whose reader finds them itself.
  public mutating func readTable(
    _ key: @autoclosure () -> String,
    _ member: (inout JSONReader, UnsafeBufferPointer<UInt8>) throws(Failure) -> Void
  ) throws(Failure) {
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
  public mutating func readArray(
    _ key: @autoclosure () -> String,
    _ element: (inout JSONReader, Int) throws(Failure) -> Void
  ) throws(Failure) {
    try open(.array, key())
    var index = 0
    while try !close(UInt8(ascii: "]"), isFirst: index == 0) {
      try element(&self, index)
      index += 1
    }
  }

  private mutating func open(_ kind: JSONKind, _ key: @autoclosure () -> String)
    throws(Failure)
  {
    try expect(kind, key())
    guard depth < JSONValue.maximumDepth else {
      throw malformed("nested deeper than \(JSONValue.maximumDepth)")
    }
    depth += 1
    offset += 1
  }

  private mutating func close(_ end: UInt8, isFirst: Bool) throws(Failure) -> Bool {
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
  public mutating func readString(_ key: @autoclosure () -> String) throws(Failure)
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

  private mutating func readEscapedString(from start: Int) throws(Failure)
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

  private mutating func readEscape() throws(Failure) {
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
      unescaped.append(scalar: try readCodePoint())
    default:
      offset -= 1
      throw malformed("unknown escape")
    }
  }

  /// The digits of `\u`, and those of the second half of a pair of surrogates.
  private mutating func readCodePoint() throws(Failure) -> Unicode.Scalar {
    let start = offset - 2
    let first = try readHexadecimal()
    if let scalar = Unicode.Scalar(first) { return scalar }
    if first < 0xDC00, consume(UInt8(ascii: "\\")), consume(UInt8(ascii: "u")) {
      let second = try readHexadecimal()
      if 0xDC00..<0xE000 ~= second,
        let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
      {
        return scalar
      }
    }
    offset = start
    throw malformed("lone surrogate")
  }

  private mutating func readHexadecimal() throws(Failure) -> UInt32 {
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
  public mutating func readText(_ key: @autoclosure () -> String) throws(Failure) -> String {
    String(decoding: try readString(key()), as: UTF8.self)
  }

  /// Reads an integer; fractions, exponents and numbers past 64 bits are errors.
  public mutating func readInteger(_ key: @autoclosure () -> String) throws(Failure) -> Int {
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
  public mutating func readNumber() throws(Failure) -> JSONValue {
    try expect(.number, "")
    let start = offset
    if let value = readPythonNumber() { return .number(value) }
    let isInteger = try skipNumber()
    guard offset - start <= 1024 else { throw malformed("number of \(offset - start) characters") }
    if isInteger, let value = Self.integer(bytes[start..<offset]) { return .integer(value) }
    let text = String(decoding: bytes[start..<offset], as: UTF8.self)
    guard let value = Double(text), value.isFinite else { throw malformed("number out of range") }
    return .number(value)
  }

  private mutating func readPythonNumber() -> Double? {
    guard dialect == .python else { return nil }
    if skipWord("NaN") { return .nan }
    if skipWord("Infinity") { return .infinity }
    return skipWord("-Infinity") ? -.infinity : nil
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
  private mutating func skipNumber() throws(Failure) -> Bool {
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

  private mutating func skipDigits() throws(Failure) {
    let start = offset
    while offset < bytes.count, UInt8(ascii: "0")...UInt8(ascii: "9") ~= bytes[offset] {
      offset += 1
    }
    if offset == start { throw malformed("expected a digit") }
  }

  /// Reads `true` or `false`.
  public mutating func readBool(_ key: @autoclosure () -> String) throws(Failure) -> Bool {
    try expect(.bool, key())
    if skipWord("true") { return true }
    if skipWord("false") { return false }
    throw malformed("expected true or false")
  }

  /// Reads `null`.
  public mutating func readNull(_ key: @autoclosure () -> String) throws(Failure) {
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
  public mutating func readValue() throws(Failure) -> JSONValue {
    switch try peekKind() {
    case .null:
      try readNull("")
      return .null
    case .bool: return .bool(try readBool(""))
    case .number: return try readNumber()
    case .string: return .string(try readText(""))
    case .array:
      var elements: [JSONValue] = []
      try readArray("") { (reader, _) throws(Failure) in
        elements.append(try reader.readValue())
      }
      return .array(elements)
    case .object:
      var object = OrderedObject<JSONValue>()
      try readObject("") { (reader, name) throws(Failure) in
        let name = String(decoding: name, as: UTF8.self)
        object[name] = try reader.readValue()
      }
      return .object(object)
    }
  }

  /// Skips any value, checking its form; names that come twice are not looked for.
  public mutating func skipValue() throws(Failure) {
    switch try peekKind() {
    case .null: try readNull("")
    case .bool: _ = try readBool("")
    case .number: if readPythonNumber() == nil { _ = try skipNumber() }
    case .string: _ = try readString("")
    case .array:
      try readArray("") { (reader, _) throws(Failure) in try reader.skipValue() }
    case .object:
      try readTable("") { (reader, _) throws(Failure) in try reader.skipValue() }
    }
  }

  // MARK: Helpers

  private mutating func expect(_ kind: JSONKind, _ key: @autoclosure () -> String)
    throws(Failure)
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

  /// The error that the byte read next is not what it should be.
  public func malformed(_ reason: String) -> Failure {
    .malformedJSON(file: file, offset: offset, reason: reason)
  }
}
