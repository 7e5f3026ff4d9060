/// Brings LaTeX answers into one form, so that spelling does not decide.
///
/// The order of the steps matters and is part of the rules in `ANSWERS.md`.
enum LatexText {
  /// The normal form of the content of a box.
  static func normalized(_ content: String) -> String {
    // White space beyond ASCII, such as the no-break space, is white space all the same.
    let plain = content.unicodeScalars.filter { $0.isASCII || !$0.properties.isWhitespace }
    var bytes = withoutDecoration(Array(String(plain).utf8)[...], depth: 0)
    if let number = withoutThousandsCommas(bytes) { bytes = number }
    if bytes.last == UInt8(ascii: ".") { bytes.removeLast() }
    return String(decoding: withBracedArguments(bytes), as: UTF8.self)
  }

  /// Commands that only change spacing or size.
  private static let dropped = ["left", "right"]
  /// Commands whose argument is text.
  private static let unwrapped: Set<String> = ["text", "textbf", "mathrm", "mathbf", "mbox"]
  /// Nesting beyond this is left as it is.
  private static let deepest = 32

  /// Drops spacing, dollar and percent signs and degree marks, and unwraps text.
  private static func withoutDecoration(_ text: ArraySlice<UInt8>, depth: Int) -> [UInt8] {
    var result: [UInt8] = []
    var position = text.startIndex
    while position < text.endIndex {
      let byte = text[position]
      if byte == UInt8(ascii: "\\") {
        position = copyCommand(of: text, at: position, to: &result, depth: depth)
      } else if text.has("^\\circ", at: position) {
        position += 6
      } else if text.has("^{\\circ}", at: position) {
        position += 8
      } else {
        if !byte.isBlank && !"$%~".utf8.contains(byte) { result.append(byte) }
        position += 1
      }
    }
    return result
  }

  /// Handles the command at a backslash; returns the position after it.
  private static func copyCommand(
    of text: ArraySlice<UInt8>, at slash: Int, to result: inout [UInt8], depth: Int
  ) -> Int {
    let nameStart = slash + 1
    guard let first = text.byte(at: nameStart) else {
      result.append(text[slash])
      return nameStart
    }
    guard first.isLetter else {
      if !"!,;: $%".utf8.contains(first) && !first.isBlank { result += [text[slash], first] }
      return nameStart + 1
    }
    let nameEnd = text[nameStart...].firstIndex { !$0.isLetter } ?? text.endIndex
    let name = String(decoding: text[nameStart..<nameEnd], as: UTF8.self)
    if dropped.contains(name) { return nameEnd }
    if name == "dfrac" || name == "tfrac" {
      result += Array("\\frac".utf8)
      return nameEnd
    }
    if unwrapped.contains(name), depth < deepest {
      let open = text[nameEnd...].firstIndex { !$0.isBlank } ?? text.endIndex
      if let close = closingBrace(of: text, openedAt: open) {
        result += withoutDecoration(text[(open + 1)..<close], depth: depth + 1)
        return close + 1
      }
    }
    result += text[slash..<nameEnd]
    return nameEnd
  }

  /// The partner of the brace at a position, or nil where there is none.
  static func closingBrace(of text: ArraySlice<UInt8>, openedAt open: Int) -> Int? {
    guard text.byte(at: open) == UInt8(ascii: "{") else { return nil }
    var depth = 0
    var position = open
    while position < text.endIndex {
      switch text[position] {
      case UInt8(ascii: "\\"): position += 1
      case UInt8(ascii: "{"): depth += 1
      case UInt8(ascii: "}"):
        depth -= 1
        if depth == 0 { return position }
      default: break
      }
      position += 1
    }
    return nil
  }

  /// The number without its thousands commas, when the text is nothing but such a number.
  static func withoutThousandsCommas(_ text: [UInt8]) -> [UInt8]? {
    let sign = text.first.map { "+-".utf8.contains($0) } == true ? 1 : 0
    let whole = text.dropFirst(sign).prefix { $0 != UInt8(ascii: ".") }
    let fraction = text.dropFirst(sign + whole.count)
    let groups = whole.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
    guard groups.count > 1, groups.allSatisfy({ $0.allSatisfy(\.isDigit) }),
      (1...3).contains(groups[0].count), groups.dropFirst().allSatisfy({ $0.count == 3 }),
      fraction.dropFirst().allSatisfy(\.isDigit)
    else { return nil }
    return text.filter { $0 != UInt8(ascii: ",") }
  }

  /// `\frac12` as `\frac{1}{2}`, `\sqrt3` as `\sqrt{3}`.
  private static func withBracedArguments(_ bytes: [UInt8], depth: Int = 0) -> [UInt8] {
    let text = bytes[...]
    var result: [UInt8] = []
    var position = 0
    while position < text.endIndex {
      if text.has("\\frac", at: position) {
        result += text[position..<(position + 5)]
        position = braceDigit(of: text, at: position + 5, to: &result)
        if let last = result.last, last == UInt8(ascii: "}") {
          position = braceDigit(of: text, at: position, to: &result)
        } else if depth < deepest, let close = closingBrace(of: text, openedAt: position),
          text.byte(at: close + 1)?.isDigit == true
        {
          result += withBracedArguments(Array(text[position...close]), depth: depth + 1)
          position = braceDigit(of: text, at: close + 1, to: &result)
        }
      } else if text.has("\\sqrt", at: position) {
        result += text[position..<(position + 5)]
        position = braceDigit(of: text, at: position + 5, to: &result)
      } else {
        result.append(text[position])
        position += 1
      }
    }
    return result
  }

  /// Copies a digit in braces; leaves anything else alone. Returns the position after the digit.
  private static func braceDigit(
    of text: ArraySlice<UInt8>, at position: Int, to result: inout [UInt8]
  ) -> Int {
    guard let digit = text.byte(at: position), digit.isDigit else { return position }
    result += [UInt8(ascii: "{"), digit, UInt8(ascii: "}")]
    return position + 1
  }
}
