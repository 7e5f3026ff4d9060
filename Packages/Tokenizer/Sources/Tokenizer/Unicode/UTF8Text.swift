/// Walking over UTF-8 bytes.
enum UTF8Text {
  /// A scalar and the number of bytes it takes.
  typealias Decoded = (scalar: UInt32, length: Int)

  /// The scalar that starts at `position`. The text must be valid UTF-8 up to its end.
  @inline(__always)
  static func scalar(_ text: UnsafeBufferPointer<UInt8>, at position: Int) -> Decoded {
    let first = UInt32(text[position])
    if first < 0x80 { return (first, 1) }
    let second = UInt32(text[position + 1] & 0x3F)
    if first < 0xE0 { return ((first & 0x1F) << 6 | second, 2) }
    let third = UInt32(text[position + 2] & 0x3F)
    if first < 0xF0 { return ((first & 0x0F) << 12 | second << 6 | third, 3) }
    let fourth = UInt32(text[position + 3] & 0x3F)
    return ((first & 0x07) << 18 | second << 12 | third << 6 | fourth, 4)
  }

  /// The scalar that ends just before `position` (> 0), in valid UTF-8.
  static func scalar(_ text: UnsafeBufferPointer<UInt8>, before position: Int) -> Decoded {
    var start = position - 1
    while start > 0, text[start] & 0xC0 == 0x80 { start -= 1 }
    return scalar(text, at: start)
  }

  /// The length of the well-formed sequence at the start of `bytes`, or nil.
  ///
  /// `needsMore` tells an incomplete but so far well-formed sequence from a broken one
  /// (Unicode 16, table 3-7).
  static func sequenceLength(
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
  static func firstInvalidOffset(in bytes: UnsafeBufferPointer<UInt8>) -> Int? {
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

  /// How many bytes at the end of `bytes` begin a character that may still be completed (0...3).
  static func incompleteTail(of bytes: UnsafeBufferPointer<UInt8>) -> Int {
    for length in 1...3 where length <= bytes.count {
      let position = bytes.count - length
      if bytes[position] & 0xC0 == 0x80 { continue }
      let (covered, isComplete) = sequenceLength(bytes, at: position)
      return covered == length && !isComplete ? length : 0
    }
    return 0
  }
}
