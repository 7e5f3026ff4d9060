import JSON

/// Finds added tokens in text: of all that start leftmost, the longest.
struct AddedTokenMatcher: Sendable {
  /// A stretch of text, or a token found in it with the white space it swallowed.
  enum Segment: Equatable {
    case text(Range<Int>)
    case token(Int32)
  }

  private let tokens: [AddedToken]
  /// The child of the root by first byte, -1 where no token starts so.
  private var roots = [Int32](repeating: -1, count: 256)
  private var nodes: [Node] = [Node()]

  private struct Node: Sendable {
    var children: [(byte: UInt8, node: Int32)] = []
    /// Index of the token that ends here, or -1.
    var token: Int32 = -1
  }

  /// Looks for the `spelling` of each token; empty ones are ignored.
  init(_ tokens: [AddedToken], spelling: (AddedToken) -> [UInt8] = { Array($0.content.utf8) }) {
    self.tokens = tokens
    for (index, token) in tokens.enumerated() {
      var node = 0
      for byte in spelling(token) { node = child(of: node, byte) }
      if node != 0, nodes[node].token < 0 { nodes[node].token = Int32(index) }
    }
    for child in nodes[0].children { roots[Int(child.byte)] = child.node }
  }

  var isEmpty: Bool { nodes.count == 1 }

  private mutating func child(of node: Int, _ byte: UInt8) -> Int {
    if let found = nodes[node].children.first(where: { $0.byte == byte }) { return Int(found.node) }
    nodes[node].children.append((byte, Int32(nodes.count)))
    nodes.append(Node())
    return nodes.count - 1
  }

  /// Calls `body` with the segments of `text` (valid UTF-8) in order; texts are never empty.
  ///
  /// A special token that begins at one of `plainStarts`, ascending, is text.
  func forEachSegment(
    of text: UnsafeBufferPointer<UInt8>, _ specialText: SpecialText, plainStarts: [Int] = [],
    _ body: (Segment) -> Void
  ) {
    var textStart = 0
    var position = 0
    var plain = plainStarts[...]
    while let match = nextMatch(in: text, from: position) {
      let token = tokens[match.token]
      while let start = plain.first, start < match.range.lowerBound { plain.removeFirst() }
      if token.isSpecial, plain.first == match.range.lowerBound {
        position = match.range.lowerBound + 1
        continue
      }
      position = match.range.upperBound
      if token.isSpecial, specialText == .treatSpecialTextAsPlain { continue }
      if token.isSingleWord, touchesWord(text, match.range) { continue }
      var start = match.range.lowerBound
      var end = match.range.upperBound
      if token.stripsLeft {
        while start > textStart, isSpace(UTF8Text.scalar(text, before: start)) {
          start -= UTF8Text.scalar(text, before: start).length
        }
      }
      if token.stripsRight {
        while end < text.count, isSpace(UTF8Text.scalar(text, at: end)) {
          end += UTF8Text.scalar(text, at: end).length
        }
      }
      if textStart < start { body(.text(textStart..<start)) }
      body(.token(token.id))
      textStart = end
    }
    if textStart < text.count { body(.text(textStart..<text.count)) }
  }

  /// Where tokens begin in `text`, also within one another; those in `kept` do not count.
  func starts(in text: UnsafeBufferPointer<UInt8>, keeping kept: Set<String>) -> [Int] {
    var starts: [Int] = []
    var position = 0
    while let match = nextMatch(in: text, from: position) {
      if !kept.contains(tokens[match.token].content) { starts.append(match.range.lowerBound) }
      position = match.range.lowerBound + 1
    }
    return starts
  }

  private func nextMatch(in text: UnsafeBufferPointer<UInt8>, from start: Int)
    -> (token: Int, range: Range<Int>)?
  {
    if isEmpty { return nil }
    return roots.withUnsafeBufferPointer { roots in
      var position = start
      while position < text.count {
        let root = roots[Int(text[position])]
        if root >= 0, let match = longestMatch(in: text, at: position, root) { return match }
        position += 1
      }
      return nil
    }
  }

  private func longestMatch(in text: UnsafeBufferPointer<UInt8>, at start: Int, _ root: Int32)
    -> (token: Int, range: Range<Int>)?
  {
    var longest: (token: Int, range: Range<Int>)?
    var node = Int(root)
    var end = start + 1
    while true {
      if nodes[node].token >= 0 { longest = (Int(nodes[node].token), start..<end) }
      guard end < text.count,
        let next = nodes[node].children.first(where: { $0.byte == text[end] })
      else { return longest }
      node = Int(next.node)
      end += 1
    }
  }

  private func isSpace(_ decoded: UTF8Text.Decoded) -> Bool {
    ScalarClasses.lookUp(decoded.scalar).contains(.space)
  }

  private func touchesWord(_ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> Bool {
    func isWord(_ decoded: UTF8Text.Decoded) -> Bool {
      ScalarClasses.lookUp(decoded.scalar).contains(.word)
    }
    if range.lowerBound > 0, isWord(UTF8Text.scalar(text, before: range.lowerBound)) {
      return true
    }
    return range.upperBound < text.count && isWord(UTF8Text.scalar(text, at: range.upperBound))
  }
}
