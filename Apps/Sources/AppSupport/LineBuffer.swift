/// A line that is being edited: its characters, the cursor, and the lines that were typed before.
public struct LineBuffer: Sendable, Equatable {
  /// What a person asks of the line.
  public enum Key: Sendable, Equatable {
    case character(Character)
    case left, right, home, end, wordLeft, wordRight
    case backspace, delete
    /// Cuts to the line's end, to its beginning, or the word before the cursor.
    case cutRight, cutLeft, cutWord
    /// The line before or after in the history.
    case up, down
  }

  /// The characters of the line.
  public private(set) var characters: [Character] = []
  /// The index of the character under the cursor; the count at the line's end.
  public private(set) var cursor = 0
  /// Lines that were typed, the oldest first.
  public private(set) var history: [String]
  private let longestHistory: Int
  /// Where in the history the line is, and what was typed before it went there.
  private var place: Int
  private var typed: [Character] = []

  /// An empty line after those of a history.
  public init(history: [String] = [], longestHistory: Int = 500) {
    self.longestHistory = longestHistory
    self.history = Array(history.suffix(longestHistory))
    place = self.history.count
  }

  /// The line as text.
  public var text: String { String(characters) }

  /// Does what a key asks for.
  public mutating func take(_ key: Key) {
    switch key {
    case .character(let character):
      characters.insert(character, at: cursor)
      cursor += 1
    case .left: cursor = max(0, cursor - 1)
    case .right: cursor = min(characters.count, cursor + 1)
    case .home: cursor = 0
    case .end: cursor = characters.count
    case .wordLeft: cursor = wordStart
    case .wordRight:
      while cursor < characters.count, characters[cursor].isWhitespace { cursor += 1 }
      while cursor < characters.count, !characters[cursor].isWhitespace { cursor += 1 }
    case .backspace: if cursor > 0 { cut(cursor - 1..<cursor) }
    case .delete: if cursor < characters.count { cut(cursor..<cursor + 1) }
    case .cutRight: cut(cursor..<characters.count)
    case .cutLeft: cut(0..<cursor)
    case .cutWord: cut(wordStart..<cursor)
    case .up: if place > 0 { go(to: place - 1) }
    case .down: if place < history.count { go(to: place + 1) }
    }
  }

  /// Ends the line: it becomes part of the history, and an empty one follows.
  public mutating func finish() -> String {
    let line = text
    if !line.allSatisfy(\.isWhitespace), history.last != line { history.append(line) }
    if history.count > longestHistory { history.removeFirst(history.count - longestHistory) }
    clear()
    return line
  }

  /// Empties the line.
  public mutating func clear() {
    (characters, typed, cursor, place) = ([], [], 0, history.count)
  }

  private mutating func cut(_ range: Range<Int>) {
    characters.removeSubrange(range)
    cursor = range.lowerBound
  }

  private mutating func go(to next: Int) {
    if place == history.count { typed = characters }
    place = next
    characters = place == history.count ? typed : Array(history[place])
    cursor = characters.count
  }

  private var wordStart: Int {
    var start = cursor
    while start > 0, characters[start - 1].isWhitespace { start -= 1 }
    while start > 0, !characters[start - 1].isWhitespace { start -= 1 }
    return start
  }
}
