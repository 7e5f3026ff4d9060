/// Splitting LaTeX where no bracket is open.
extension ArraySlice<UInt8> {
  /// The positions at which no bracket, brace or environment is open.
  ///
  /// Round and square brackets may close each other, for half-open intervals. Positions within an
  /// opening or closing bracket do not count.
  var topLevelPositions: [Int] {
    var positions: [Int] = []
    var depth = 0
    var position = startIndex
    while position < endIndex {
      let byte = self[position]
      if byte == UInt8(ascii: "\\") {
        let isOpening =
          has("\\{", at: position) || has("\\begin", at: position) || has("\\langle", at: position)
        let isClosing =
          has("\\}", at: position) || has("\\end", at: position) || has("\\rangle", at: position)
        if isClosing { depth -= 1 }
        if depth == 0, !isOpening, !isClosing { positions.append(position) }
        if isOpening { depth += 1 }
        position += 2
        continue
      }
      if ")]}".utf8.contains(byte) {
        depth -= 1
      } else if "([{".utf8.contains(byte) {
        depth += 1
      } else if depth == 0 {
        positions.append(position)
      }
      position += 1
    }
    return positions
  }

  /// Where the bracket that opens the text is closed.
  var firstClosingBracket: Int? {
    var depth = 0
    for position in indices {
      if "([{".utf8.contains(self[position]) { depth += 1 }
      if ")]}".utf8.contains(self[position]) {
        depth -= 1
        if depth == 0 { return position }
      }
    }
    return nil
  }

  /// The pieces between separators where nothing is open; nil without any, or with too many.
  func split(atTopLevel separator: String) -> [ArraySlice<UInt8>]? {
    var pieces: [ArraySlice<UInt8>] = []
    var start = startIndex
    for position in topLevelPositions
    where position >= start && self[position...].starts(with: separator.utf8) {
      let end = position + separator.utf8.count
      // A command does not end within a word: `\in` is no part of `\infty` or `\int`.
      let words: [StaticString] = ["fty", "t_", "t^"]
      if separator == "\\in", words.contains(where: { has($0, at: end) }) { continue }
      pieces.append(self[start..<position])
      start = end
    }
    guard !pieces.isEmpty, pieces.count < MathAnswer.mostParts else { return nil }
    return pieces + [self[start...]]
  }

  /// What stands between two marks at the ends.
  func unwrapped(by open: String, _ close: String) -> ArraySlice<UInt8>? {
    let (openCount, closeCount) = (open.utf8.count, close.utf8.count)
    guard count >= openCount + closeCount, starts(with: open.utf8),
      suffix(closeCount).elementsEqual(close.utf8)
    else { return nil }
    let inner = dropFirst(openCount).dropLast(closeCount)
    return inner.contains(open) ? nil : inner
  }

  /// Whether a text occurs.
  func contains(_ text: String) -> Bool { firstRange(of: text.utf8) != nil }

  /// Every occurrence of a text replaced by another.
  func replacing(_ text: String, by other: String) -> ArraySlice<UInt8> {
    replacing(text.utf8, with: other.utf8)
  }
}
