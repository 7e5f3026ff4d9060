import JSON

/// Walking over UTF-8 bytes.
extension UTF8Text {
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
