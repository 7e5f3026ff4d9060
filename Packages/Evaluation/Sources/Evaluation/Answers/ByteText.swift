/// Searching in text as UTF-8 bytes: the marks of answers are all ASCII.
extension ArraySlice<UInt8> {
  /// Where a text occurs last.
  func lastRange(of text: StaticString) -> Range<Int>? {
    let pattern = text.bytes
    var start = endIndex - pattern.count
    while start >= startIndex {
      if self[start] == pattern[0], self[start...].starts(with: pattern) {
        return start..<(start + pattern.count)
      }
      start -= 1
    }
    return nil
  }

  /// Whether a text stands at a position.
  func has(_ text: StaticString, at position: Int) -> Bool {
    position <= endIndex && self[position...].starts(with: text.bytes)
  }

  /// Whether an ASCII text in lower case stands at a position, in any case.
  func hasWord(_ text: StaticString, at position: Int) -> Bool {
    let pattern = text.bytes
    guard endIndex - position >= pattern.count else { return false }
    return zip(self[position...], pattern).allSatisfy { $0.lowercased == $1 }
  }

  /// The byte at a position, or nil beyond the end.
  func byte(at position: Int) -> UInt8? { position < endIndex ? self[position] : nil }

  /// Without blanks at both ends.
  var trimmed: ArraySlice<UInt8> {
    guard let first = firstIndex(where: { !$0.isBlank }),
      let last = lastIndex(where: { !$0.isBlank })
    else { return self[startIndex..<startIndex] }
    return self[first...last]
  }
}

extension StaticString {
  /// The bytes of the text.
  fileprivate var bytes: UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(start: utf8Start, count: utf8CodeUnitCount)
  }
}

extension UInt8 {
  /// White space of ASCII.
  var isBlank: Bool { self == 0x20 || (0x09...0x0d).contains(self) }
  /// 0 to 9.
  var isDigit: Bool { (0x30...0x39).contains(self) }
  /// A to Z or a to z.
  var isLetter: Bool { (0x61...0x7a).contains(lowercased) }
  /// A to Z as a to z, everything else unchanged.
  var lowercased: UInt8 { (0x41...0x5a).contains(self) ? self | 0x20 : self }
  /// a to z as A to Z, everything else unchanged.
  var uppercased: UInt8 { (0x61...0x7a).contains(self) ? self & 0xdf : self }
  /// Marks of Markdown that stand around words: `*`, `_` and the back quote.
  var isMarkdown: Bool { self == 0x2a || self == 0x5f || self == 0x60 }
}
