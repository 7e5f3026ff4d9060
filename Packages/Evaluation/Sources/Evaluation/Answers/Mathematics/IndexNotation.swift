/// Indices that stand for something of their own: bases of numbers and counts of choices.
enum IndexNotation {
  /// `(11011)_2`, `42_{(5)}` and `42_{\text{five}}` as numbers with a plain base, `{}_8C_4` and
  /// `C(8, 4)` as binomial coefficients.
  static func plain(_ text: [UInt8]) -> [UInt8] {
    var result = withPlainBase(text)
    if let chosen = chosen(result[...]) { result = chosen }
    return withCoefficients(result)
  }

  /// A number with its base behind it, alone or with a name before it.
  private static func withPlainBase(_ text: [UInt8]) -> [UInt8] {
    guard let mark = text.lastIndex(of: UInt8(ascii: "_")), mark > 0 else { return text }
    var number = text[..<mark].trimmed
    if number.last == UInt8(ascii: ")"), let open = number.lastIndex(of: UInt8(ascii: "(")) {
      let inner = number[(open + 1)..<(number.endIndex - 1)].trimmed
      guard inner.allSatisfy({ $0.isDigit || (0x41...0x46).contains($0) }), !inner.isEmpty else {
        return text
      }
      number = (number[..<open] + inner)[...]
    }
    guard number.last.map({ $0.isDigit || (0x41...0x46).contains($0) }) == true else { return text }
    let index = text[(mark + 1)...].replacing("\\text", by: "").filter {
      !"{}() ".utf8.contains($0)
    }
    let base = NumberWords.inDigits(Array(index))
    guard !base.isEmpty, base.count <= 2, base.allSatisfy(\.isDigit) else { return text }
    // Base ten is the usual one.
    if base.elementsEqual("10".utf8), number.allSatisfy(\.isDigit) { return Array(number) }
    return Array(number) + Array("_{".utf8) + base + [UInt8(ascii: "}")]
  }

  /// `C(8, 4)` alone.
  private static func chosen(_ text: ArraySlice<UInt8>) -> [UInt8]? {
    let plain = text.filter { !$0.isBlank }[...]
    guard let inner = plain.unwrapped(by: "C(", ")"), let sides = inner.split(atTopLevel: ","),
      sides.count == 2, sides.allSatisfy({ !$0.isEmpty && $0.allSatisfy(\.isDigit) })
    else { return nil }
    return coefficient(sides[0], sides[1])
  }

  /// Every `_8C_4` and `^8C_4`, with or without braces, and with `{}` before it.
  private static func withCoefficients(_ text: [UInt8]) -> [UInt8] {
    guard let letter = text.firstIndex(of: UInt8(ascii: "C")), letter + 1 < text.count,
      text[letter + 1] == UInt8(ascii: "_"),
      let (bottom, end) = digits(text[...], from: letter + 2)
    else { return text }
    var start = text[..<letter].trimmed.endIndex
    let hasBrace = start > 0 && text[start - 1] == UInt8(ascii: "}")
    if hasBrace { start -= 1 }
    let top = Array(text[..<start].reversed().prefix(while: \.isDigit).reversed())[...]
    start -= top.count + (hasBrace ? 1 : 0)
    guard !top.isEmpty, start > 0, "_^".utf8.contains(text[start - 1]) else { return text }
    start -= 1
    if text[..<start].suffix(2).elementsEqual("{}".utf8) { start -= 2 }
    return text[..<start] + coefficient(top, bottom) + withCoefficients(Array(text[end...]))
  }

  /// Digits at a position, in braces or not, and where they end.
  private static func digits(
    _ text: ArraySlice<UInt8>, from start: Int
  ) -> (ArraySlice<UInt8>, end: Int)? {
    if let close = LatexText.closingBrace(of: text, openedAt: start) {
      let inner = text[(start + 1)..<close]
      return !inner.isEmpty && inner.allSatisfy(\.isDigit) ? (inner, close + 1) : nil
    }
    let found = text[start...].prefix(while: \.isDigit)
    return found.isEmpty ? nil : (found, found.endIndex)
  }

  private static func coefficient(_ top: ArraySlice<UInt8>, _ bottom: ArraySlice<UInt8>) -> [UInt8]
  {
    Array("\\binom{".utf8) + top + Array("}{".utf8) + bottom + [UInt8(ascii: "}")]
  }
}
