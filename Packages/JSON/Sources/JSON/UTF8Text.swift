/// Checks of UTF-8 bytes (The Unicode Standard, table 3-7).
public enum UTF8Text {
  /// The length of the well-formed sequence that starts at `position`; 0 for a broken one.
  ///
  /// `isComplete` tells a sequence that the end of the bytes cuts off, well formed so far, from
  /// a whole one.
  public static func sequenceLength(
    _ bytes: UnsafeBufferPointer<UInt8>, at position: Int
  ) -> (length: Int, isComplete: Bool) {
    let first = bytes[position]
    let needed: Int
    var second: ClosedRange<UInt8> = 0x80...0xBF
    switch first {
    case 0..<0x80: return (1, true)
    case 0xC2...0xDF: needed = 2
    case 0xE0: (needed, second) = (3, 0xA0...0xBF)
    case 0xED: (needed, second) = (3, 0x80...0x9F)
    case 0xE1...0xEF: needed = 3
    case 0xF0: (needed, second) = (4, 0x90...0xBF)
    case 0xF4: (needed, second) = (4, 0x80...0x8F)
    case 0xF1...0xF3: needed = 4
    default: return (0, true)
    }
    var length = 1
    while length < needed, position + length < bytes.count {
      let allowed = length == 1 ? second : 0x80...0xBF
      if !(allowed ~= bytes[position + length]) { return (0, true) }
      length += 1
    }
    return (length, length == needed)
  }

  /// Where the first byte that is not part of well-formed UTF-8 lies, or nil.
  public static func firstInvalidOffset(in bytes: UnsafeBufferPointer<UInt8>) -> Int? {
    var position = 0
    let raw = UnsafeRawBufferPointer(bytes)
    while position < bytes.count {
      if position + 8 <= bytes.count,
        raw.loadUnaligned(fromByteOffset: position, as: UInt64.self) & 0x8080_8080_8080_8080 == 0
      {
        position += 8
        continue
      }
      let (length, isComplete) = sequenceLength(bytes, at: position)
      guard length > 0, isComplete else { return position }
      position += length
    }
    return nil
  }

  /// The text of UTF-8 bytes without the byte order mark that some editors put first.
  ///
  /// - Throws: ``InvalidUTF8`` with the offset of the first byte that is no part of UTF-8.
  public static func text(of bytes: some Sequence<UInt8>) throws(InvalidUTF8) -> String {
    let bytes = Array(bytes)
    return try bytes.withUnsafeBufferPointer { (buffer) throws(InvalidUTF8) -> String in
      if let offset = firstInvalidOffset(in: buffer) { throw InvalidUTF8(offset: offset) }
      let mark = buffer.starts(with: byteOrderMark) ? byteOrderMark.count : 0
      return String(decoding: buffer[mark...], as: UTF8.self)
    }
  }

  /// U+FEFF in UTF-8.
  static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]
}

/// Bytes that were to be text are not UTF-8.
public struct InvalidUTF8: Error, Hashable, Sendable, CustomStringConvertible {
  /// The first byte that is not part of well-formed UTF-8.
  public let offset: Int

  /// Says where.
  public var description: String { "byte \(offset) is not UTF-8" }
}
