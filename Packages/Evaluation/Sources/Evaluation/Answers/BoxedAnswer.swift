/// Finds `\boxed{...}` and `\fbox{...}` in a text.
///
/// A box has balanced braces, where `\{` and `\}` do not count; one that is never closed is no box,
/// and a box within a box is part of its content. `\boxed 5` without braces holds the characters up
/// to the next blank.
enum BoxedAnswer {
  /// The content of the last box that is not blank and that the words around do not deny.
  static func last(in text: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    stated(in: text).last?.content
  }

  /// The boxes up to the last one of which the text does not say that it is not the answer.
  private static func stated(
    in text: ArraySlice<UInt8>
  ) -> [(range: Range<Int>, content: ArraySlice<UInt8>)] {
    var boxes = all(in: text)
    while let last = boxes.last,
      Denial.isMade(before: text[..<last.range.lowerBound], after: text[last.range.upperBound...])
    {
      boxes.removeLast()
    }
    return boxes
  }

  /// The last box with those before it that "and", "or" or a comma join to it, as a list.
  static func lastJoined(in text: ArraySlice<UInt8>) -> String? {
    var boxes = stated(in: text)
    guard let last = boxes.popLast() else { return nil }
    var contents = [String(decoding: last.content, as: UTF8.self)]
    var start = last.range.lowerBound
    while let box = boxes.popLast(), isConnection(text[box.range.upperBound..<start]) {
      let content = String(decoding: box.content, as: UTF8.self)
      if !contents.contains(content) { contents.insert(content, at: 0) }
      start = box.range.lowerBound
    }
    return contents.joined(separator: ", ")
  }

  /// Whether text between two boxes makes a list of them: "and", "or" or a comma, a name with an
  /// equals sign, and marks of formulas.
  private static func isConnection(_ text: ArraySlice<UInt8>) -> Bool {
    guard text.count <= 60 else { return false }
    var rest = String(decoding: text, as: UTF8.self)
    for mark in ["\\text", "\\mbox", "\\quad", "\\qquad", "\\(", "\\)", "\\[", "\\]"] {
      rest = rest.replacing(mark, with: " ")
    }
    var joins = false
    let words = rest.split { " \n\r\t${}*~\\".contains($0) }
    for (index, word) in words.enumerated() {
      switch word {
      case "and", "or", ",", ";", ",and", ",or": joins = true
      case "=": if index == 0 { return false }
      default:
        let isName = index == words.count - 1 || words[index + 1] == "="
        guard isName, word.count <= 3, word.hasSuffix("=") || index < words.count - 1 else {
          return false
        }
      }
    }
    return joins
  }

  /// All boxes that are not blank, with the place of the whole command.
  private static func all(
    in text: ArraySlice<UInt8>
  ) -> [(range: Range<Int>, content: ArraySlice<UInt8>)] {
    let closing = closingBraces(in: text)
    var found: [(range: Range<Int>, content: ArraySlice<UInt8>)] = []
    var position = text.startIndex
    while let start = commandEnd(in: text, from: &position) {
      let command = text[..<position].lastIndex(of: UInt8(ascii: "\\")) ?? position
      guard text.byte(at: start) == UInt8(ascii: "{") else {
        let content = bareContent(of: text, from: start)
        position = start + content.count
        if !content.isEmpty { found.append((command..<position, content)) }
        continue
      }
      if let close = closing[start - text.startIndex] {
        let content = text[(start + 1)..<close].trimmed
        position = close + 1
        if !content.isEmpty { found.append((command..<position, content)) }
      }
    }
    return found
  }

  /// The rest of the line in the last box, where the text ends before the box does.
  static func unfinished(in text: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    let closing = closingBraces(in: text)
    var found: ArraySlice<UInt8>?
    var position = text.startIndex
    while let start = commandEnd(in: text, from: &position) {
      if text.byte(at: start) == UInt8(ascii: "{"), closing[start - text.startIndex] == nil {
        let rest = text[(start + 1)...].trimmed
        let line = rest.prefix { $0 != UInt8(ascii: "\n") }.trimmed
        if !line.isEmpty { found = line }
      }
    }
    return found
  }

  /// The position after the next box command and its blanks; `position` moves behind the command.
  private static func commandEnd(in text: ArraySlice<UInt8>, from position: inout Int) -> Int? {
    while let slash = text[position...].firstIndex(of: UInt8(ascii: "\\")) {
      let end =
        text.has("\\boxed", at: slash) ? slash + 6 : text.has("\\fbox", at: slash) ? slash + 5 : nil
      guard let end, text.byte(at: end)?.isLetter != true else {
        position = slash + 1
        continue
      }
      position = end
      return text[end...].firstIndex { !$0.isBlank } ?? text.endIndex
    }
    return nil
  }

  private static func bareContent(of text: ArraySlice<UInt8>, from start: Int) -> ArraySlice<UInt8>
  {
    var content = text[start...].prefix { !$0.isBlank }
    while let last = content.last, "$.,".utf8.contains(last) { content.removeLast() }
    return content
  }

  /// For each opening brace, by distance from the start, where its partner is.
  private static func closingBraces(in text: ArraySlice<UInt8>) -> [Int: Int] {
    var closing: [Int: Int] = [:]
    var open: [Int] = []
    var position = text.startIndex
    while position < text.endIndex {
      switch text[position] {
      case UInt8(ascii: "\\"): position += 1
      case UInt8(ascii: "{"): open.append(position)
      case UInt8(ascii: "}"):
        if let start = open.popLast() { closing[start - text.startIndex] = position }
      default: break
      }
      position += 1
    }
    return closing
  }
}
