import AppSupport
import Foundation

/// Reads lines from a person at a terminal, who can edit them and go back to those typed before;
/// from a pipe as they come.
final class Terminal {
  /// Whether somebody sits there.
  let isInteractive = isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1
  private(set) var buffer: LineBuffer
  private let prompt = "> "
  /// Rows between the first of the line and the cursor.
  private var cursorRow = 0

  init(history: [String]) { buffer = LineBuffer(history: history) }

  /// The next line; nil at the end of the input, and where the process is asked to stop.
  func line() -> String? {
    guard isInteractive else { return readLine() }
    var saved = termios()
    guard tcgetattr(STDIN_FILENO, &saved) == 0 else { return readLine() }
    var raw = saved
    raw.c_lflag &= ~tcflag_t(ECHO | ICANON | ISIG | IEXTEN)
    raw.c_iflag &= ~tcflag_t(IXON | ICRNL)
    tcsetattr(STDIN_FILENO, TCSADRAIN, &raw)
    defer { tcsetattr(STDIN_FILENO, TCSADRAIN, &saved) }
    cursorRow = 0
    draw()
    while let byte = next() {
      switch byte {
      case 0x0D, 0x0A:
        buffer.take(.end)
        draw()
        Console.write("\n")
        return buffer.finish()
      case 0x03:
        Console.write("^C\n")
        buffer.clear()
        cursorRow = 0
      case 0x04:
        if buffer.characters.isEmpty {
          Console.write("\n")
          return nil
        }
        buffer.take(.delete)
      case 0x0C:
        Console.write("\u{1B}[2J\u{1B}[H")
        cursorRow = 0
      default: if let key = key(byte) { buffer.take(key) }
      }
      draw()
    }
    Console.write("\n")
    return nil
  }

  private func key(_ byte: UInt8) -> LineBuffer.Key? {
    switch byte {
    case 0x01: return .home
    case 0x02: return .left
    case 0x05: return .end
    case 0x06: return .right
    case 0x08, 0x7F: return .backspace
    case 0x0B: return .cutRight
    case 0x0E: return .down
    case 0x10: return .up
    case 0x15: return .cutLeft
    case 0x17: return .cutWord
    case 0x1B: return escaped()
    case 0x09: return .character(" ")
    case 0..<0x20: return nil
    default: return character(byte)
    }
  }

  /// A key that comes as an escape sequence, such as an arrow.
  private func escaped() -> LineBuffer.Key? {
    guard let second = next(patience: 50) else { return nil }
    switch second {
    case UInt8(ascii: "b"): return .wordLeft
    case UInt8(ascii: "f"): return .wordRight
    case UInt8(ascii: "["), UInt8(ascii: "O"): break
    default: return nil
    }
    var parameters = ""
    while let byte = next(patience: 50) {
      if !(0x40...0x7E).contains(byte) {
        parameters.append(Character(Unicode.Scalar(byte)))
        continue
      }
      let isWord = parameters.hasSuffix(";5") || parameters.hasSuffix(";3")
      switch (Character(Unicode.Scalar(byte)), parameters) {
      case ("A", _): return .up
      case ("B", _): return .down
      case ("C", _): return isWord ? .wordRight : .right
      case ("D", _): return isWord ? .wordLeft : .left
      case ("H", _), ("~", "1"), ("~", "7"): return .home
      case ("F", _), ("~", "4"), ("~", "8"): return .end
      case ("~", "3"): return .delete
      default: return nil
      }
    }
    return nil
  }

  /// A character of one to four bytes; what is no UTF-8 is passed over.
  private func character(_ first: UInt8) -> LineBuffer.Key? {
    let length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
    var bytes = [first]
    while bytes.count < length, let byte = next(patience: 50) { bytes.append(byte) }
    return String(validating: bytes, as: UTF8.self)?.first.map { .character($0) }
  }

  /// The next byte; nil at the end, when `patience` milliseconds have gone by, and where the
  /// process is asked to stop.
  private func next(patience: Int32? = nil) -> UInt8? {
    while !Interrupts.isPending {
      var waiting = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
      if poll(&waiting, 1, patience ?? 100) > 0 {
        var byte: UInt8 = 0
        return read(STDIN_FILENO, &byte, 1) == 1 ? byte : nil
      }
      if patience != nil { return nil }
    }
    return nil
  }

  /// Draws the line anew, over as many rows as it takes.
  private func draw() {
    let width = max(Console.width, 8)
    func cells(_ text: some Sequence<Character>) -> Int {
      text.reduce(0) { $0 + ($1.isWide ? 2 : 1) }
    }
    let before = prompt.count + cells(buffer.characters[..<buffer.cursor])
    let all = prompt.count + cells(buffer.characters)
    var text = cursorRow > 0 ? "\u{1B}[\(cursorRow)A" : ""
    text += "\r\u{1B}[J\(prompt)\(buffer.text)"
    // At the right edge the cursor goes on to the next row only when something follows.
    if all % width == 0 { text += " \r\u{1B}[K" }
    cursorRow = before / width
    let rowsUp = all / width - cursorRow
    if rowsUp > 0 { text += "\u{1B}[\(rowsUp)A" }
    text += "\r"
    if before % width > 0 { text += "\u{1B}[\(before % width)C" }
    Console.write(text)
  }
}

extension Character {
  /// Whether terminals give it two cells: East Asian wide characters and emoji.
  fileprivate var isWide: Bool {
    guard let value = unicodeScalars.first?.value else { return false }
    return (0x1100...0x115F).contains(value) || (0x2E80...0xA4CF).contains(value)
      || (0xAC00...0xD7A3).contains(value) || (0xF900...0xFAFF).contains(value)
      || (0xFE30...0xFE6F).contains(value) || (0xFF00...0xFF60).contains(value)
      || (0x1F300...0x1FAFF).contains(value)
  }
}
