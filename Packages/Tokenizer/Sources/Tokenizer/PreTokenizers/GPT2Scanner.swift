/// The split pattern of GPT-2, OPT and every `ByteLevel` pre-tokenizer with `use_regex`:
///
///     's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
struct GPT2Scanner: SplitScanner {
  static let pattern =
    #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#

  @inline(__always)
  func pieceEnd(
    in text: UnsafeBufferPointer<UInt8>, from start: Int, to end: Int,
    classes: UnsafePointer<ScalarClasses>
  ) -> Int {
    if text[start] == UInt8(ascii: "'"), let length = contraction(text, start + 1, end) {
      return start + 1 + length
    }
    let content = text[start] == 0x20 && start + 1 < end ? start + 1 : start
    let found = Scan.scalar(text, content, classes).classes
    if found.contains(.letter) {
      return Scan.run(of: .letter, in: text, from: content, to: end, classes)
    }
    if found.contains(.number) {
      return Scan.run(of: .number, in: text, from: content, to: end, classes)
    }
    if !found.contains(.space) {
      return Scan.run(
        without: [.space, .letter, .number], in: text, from: content, to: end, classes)
    }
    return Scan.spaceEnd(in: text, from: start, to: end, classes)
  }

  private func contraction(_ text: UnsafeBufferPointer<UInt8>, _ position: Int, _ end: Int) -> Int?
  {
    guard position < end else { return nil }
    switch text[position] {
    case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"): return 1
    case UInt8(ascii: "r"), UInt8(ascii: "v"):
      return position + 1 < end && text[position + 1] == UInt8(ascii: "e") ? 2 : nil
    case UInt8(ascii: "l"):
      return position + 1 < end && text[position + 1] == UInt8(ascii: "l") ? 2 : nil
    default: return nil
    }
  }
}
