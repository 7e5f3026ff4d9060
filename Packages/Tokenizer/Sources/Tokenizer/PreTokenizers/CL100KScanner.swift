/// The split pattern of Qwen2, Qwen3 (one digit per piece) and Llama 3 (up to three):
///
///     (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|
///     ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
struct CL100KScanner: SplitScanner {
  /// The most digits in one piece.
  let maximumDigits: Int

  /// The scanner for a pattern written exactly in this family's form.
  init?(pattern: String) {
    switch pattern {
    case Self.pattern(digits: #"\p{N}"#): maximumDigits = 1
    case Self.pattern(digits: #"\p{N}{1,3}"#): maximumDigits = 3
    default: return nil
    }
  }

  init(maximumDigits: Int) { self.maximumDigits = maximumDigits }

  private static func pattern(digits: String) -> String {
    #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"# + digits
      + #"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
  }

  @inline(__always)
  func pieceEnd(
    in text: UnsafeBufferPointer<UInt8>, from start: Int, to end: Int,
    classes: UnsafePointer<ScalarClasses>
  ) -> Int {
    let (first, length) = Scan.scalar(text, start, classes)
    if first.contains(.letter) {
      return Scan.run(of: .letter, in: text, from: start + length, to: end, classes)
    }
    if text[start] == UInt8(ascii: "'"), let length = contraction(text, start + 1, end) {
      return start + 1 + length
    }
    if first.contains(.number) { return digitsEnd(text, start + length, end, classes) }

    let second = start + length
    if second < end, !first.contains(.lineBreak) {
      let found = Scan.scalar(text, second, classes)
      if found.classes.contains(.letter) {
        return Scan.run(of: .letter, in: text, from: second + found.length, to: end, classes)
      }
      if text[start] == 0x20, found.classes.isDisjoint(with: [.space, .number]) {
        return symbolsEnd(text, second, end, classes)
      }
    }
    if !first.contains(.space) { return symbolsEnd(text, start, end, classes) }
    return lineBreaksEnd(text, start, end, classes)
      ?? Scan.spaceEnd(in: text, from: start, to: end, classes)
  }

  /// `\p{N}{1,k}`, one of them already passed.
  @inline(__always)
  private func digitsEnd(_ text: Scan.Text, _ start: Int, _ end: Int, _ classes: Scan.Classes)
    -> Int
  {
    var position = start
    var count = 1
    while count < maximumDigits, position < end {
      let (found, length) = Scan.scalar(text, position, classes)
      if !found.contains(.number) { break }
      position += length
      count += 1
    }
    return position
  }

  /// `[^\s\p{L}\p{N}]+[\r\n]*`
  @inline(__always)
  private func symbolsEnd(_ text: Scan.Text, _ start: Int, _ end: Int, _ classes: Scan.Classes)
    -> Int
  {
    let symbols = Scan.run(
      without: [.space, .letter, .number], in: text, from: start, to: end, classes)
    return Scan.run(of: .lineBreak, in: text, from: symbols, to: end, classes)
  }

  /// `\s*[\r\n]+`: white space up to and with its last line break, or nil without one.
  @inline(__always)
  private func lineBreaksEnd(_ text: Scan.Text, _ start: Int, _ end: Int, _ classes: Scan.Classes)
    -> Int?
  {
    var position = start
    var lastBreak: Int?
    while position < end {
      let (found, length) = Scan.scalar(text, position, classes)
      if !found.contains(.space) { break }
      position += length
      if found.contains(.lineBreak) { lastBreak = position }
    }
    return lastBreak
  }

  /// The length of `s t re ve m ll d` in either case; the long s (U+017F) folds to s.
  private func contraction(_ text: Scan.Text, _ position: Int, _ end: Int) -> Int? {
    guard position < end else { return nil }
    let next = position + 1 < end ? text[position + 1] | 0x20 : 0
    switch text[position] | 0x20 {
    case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"): return 1
    case UInt8(ascii: "r"), UInt8(ascii: "v"): return next == UInt8(ascii: "e") ? 2 : nil
    case UInt8(ascii: "l"): return next == UInt8(ascii: "l") ? 2 : nil
    default: break
    }
    let isLongS = text[position] == 0xC5 && position + 1 < end && text[position + 1] == 0xBF
    return isLongS ? 2 : nil
  }
}
