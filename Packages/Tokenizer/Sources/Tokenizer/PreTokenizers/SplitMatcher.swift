import Foundation

/// Finds the places a `Split`, `Digits` or `Punctuation` step cuts at.
enum SplitMatcher: Sendable {
  case gpt2(GPT2Scanner)
  case cl100k(CL100KScanner)
  /// Any other pattern.
  case regex(RegexMatcher)
  case literal(String)
  /// Each scalar that has the class is a match of its own.
  case scalars(ScalarClasses)

  /// The matches in `text` (valid UTF-8), in order and not overlapping.
  func matches(in text: UnsafeBufferPointer<UInt8>) -> [Range<Int>] {
    switch self {
    case .gpt2(let scanner): Self.pieces(of: text, scanner)
    case .cl100k(let scanner): Self.pieces(of: text, scanner)
    case .regex(let regex): regex.matches(in: text)
    case .literal(let literal): Self.occurrences(of: Array(literal.utf8), in: text)
    case .scalars(let wanted): Self.scalars(wanted, in: text)
    }
  }

  private static func pieces(of text: UnsafeBufferPointer<UInt8>, _ scanner: some SplitScanner)
    -> [Range<Int>]
  {
    ScalarClasses.withTable { classes in
      var pieces: [Range<Int>] = []
      var position = 0
      while position < text.count {
        let end = scanner.pieceEnd(in: text, from: position, to: text.count, classes: classes)
        pieces.append(position..<end)
        position = end
      }
      return pieces
    }
  }

  private static func occurrences(of literal: [UInt8], in text: UnsafeBufferPointer<UInt8>)
    -> [Range<Int>]
  {
    guard let first = literal.first else { return [] }
    var found: [Range<Int>] = []
    var position = 0
    while position < text.count {
      if text[position] == first, text[position...].starts(with: literal) {
        found.append(position..<position + literal.count)
        position += literal.count
      } else {
        position += 1
      }
    }
    return found
  }

  private static func scalars(_ wanted: ScalarClasses, in text: UnsafeBufferPointer<UInt8>)
    -> [Range<Int>]
  {
    ScalarClasses.withTable { classes in
      var found: [Range<Int>] = []
      var position = 0
      while position < text.count {
        let (scalar, length) = Scan.scalar(text, position, classes)
        if !scalar.isDisjoint(with: wanted) { found.append(position..<position + length) }
        position += length
      }
      return found
    }
  }
}

/// What becomes of the matches of a split (`behavior` in `tokenizer.json`).
enum SplitBehavior: String, Sendable {
  /// Matches are thrown away.
  case removed = "Removed"
  /// Each match is a piece.
  case isolated = "Isolated"
  /// Each match ends the piece before it.
  case mergedWithPrevious = "MergedWithPrevious"
  /// Each match begins the piece after it.
  case mergedWithNext = "MergedWithNext"
  /// Matches that touch are one piece.
  case contiguous = "Contiguous"

  /// The pieces of `0..<count`; `inverted` when what lies between the matches counts as them.
  func pieces(_ matches: [Range<Int>], count: Int, inverted: Bool) -> [Range<Int>] {
    var spans: [(range: Range<Int>, isMatch: Bool)] = []
    var position = 0
    for match in matches where !match.isEmpty {
      if position < match.lowerBound { spans.append((position..<match.lowerBound, inverted)) }
      spans.append((match, !inverted))
      position = match.upperBound
    }
    if position < count { spans.append((position..<count, inverted)) }

    switch self {
    case .removed: return spans.filter { !$0.isMatch }.map(\.range)
    case .isolated: return spans.map(\.range)
    case .contiguous:
      return Self.join(spans) { $0.isMatch == $1.isMatch }
    case .mergedWithPrevious:
      return Self.join(spans) { !$0.isMatch && $1.isMatch }
    case .mergedWithNext:
      return Self.join(spans) { $0.isMatch && !$1.isMatch }
    }
  }

  /// Joins neighbours for which `belong` holds.
  private static func join(
    _ spans: [(range: Range<Int>, isMatch: Bool)],
    where belong: ((range: Range<Int>, isMatch: Bool), (range: Range<Int>, isMatch: Bool)) -> Bool
  ) -> [Range<Int>] {
    var pieces: [Range<Int>] = []
    for (index, span) in spans.enumerated() {
      if index > 0, belong(spans[index - 1], span), let last = pieces.popLast() {
        pieces.append(last.lowerBound..<span.range.upperBound)
      } else {
        pieces.append(span.range)
      }
    }
    return pieces
  }
}
