import Foundation
import JSON

/// The general path for split patterns that have no scanner of their own.
///
/// Patterns are written for Oniguruma; Foundation's ICU engine reads the same syntax except that
/// its `\s` lacks two White_Space scalars, so `\s` and `\S` are spelled out.
struct RegexMatcher: @unchecked Sendable {
  // Sendable: NSRegularExpression is immutable and documented as safe to share.
  private let expression: NSRegularExpression

  /// Nil when the pattern does not compile.
  init?(pattern: String) {
    guard
      let expression = try? NSRegularExpression(pattern: Self.withUnicodeSpaces(pattern))
    else { return nil }
    self.expression = expression
  }

  /// `\s` as `\p{White_Space}`, leaving escaped backslashes alone.
  static func withUnicodeSpaces(_ pattern: String) -> String {
    var result = ""
    var isEscaped = false
    for scalar in pattern.unicodeScalars {
      switch (isEscaped, scalar) {
      case (true, "s"): result += #"\p{White_Space}"#
      case (true, "S"): result += #"\P{White_Space}"#
      case (true, _): result += "\\" + String(scalar)
      case (false, "\\"): break
      case (false, _): result.unicodeScalars.append(scalar)
      }
      isEscaped = !isEscaped && scalar == "\\"
    }
    return result
  }

  /// The matches in `text`, as byte ranges.
  func matches(in text: UnsafeBufferPointer<UInt8>) -> [Range<Int>] {
    let string = String(decoding: text, as: UTF8.self)
    let all = NSRange(location: 0, length: string.utf16.count)
    var offsets = UTF16Offsets(text)
    return expression.matches(in: string, range: all).map { match in
      let start = offsets.byteOffset(ofUTF16: match.range.location)
      return start..<offsets.byteOffset(ofUTF16: match.range.location + match.range.length)
    }
  }

  /// Turns increasing UTF-16 offsets into byte offsets in one walk.
  private struct UTF16Offsets {
    private let text: UnsafeBufferPointer<UInt8>
    private var position = 0
    private var units = 0

    init(_ text: UnsafeBufferPointer<UInt8>) { self.text = text }

    mutating func byteOffset(ofUTF16 target: Int) -> Int {
      while units < target, position < text.count {
        let length = UTF8Text.scalar(text, at: position).length
        position += length
        units += length == 4 ? 2 : 1
      }
      return position
    }
  }
}
