/// Sees through what stands around an answer: boxes, colours, sizes, bold print, the dollar signs
/// and brackets of formulas, marks of Markdown, and phrases such as "the answer is".
enum AnswerWrapping {
  /// An answer without decoration; blanks and `\text{...}` within it are kept.
  static func removed(from content: String) -> [UInt8] {
    var text = unwrapped(Array(content.utf8)[...], opensText: false, depth: 0)[...].trimmed
    // What stands behind bold print belongs to it: `**45** cookies`.
    if text.has("**", at: text.startIndex),
      let close = text.dropFirst(2).firstRange(of: "**".utf8)
    {
      text =
        (text[(text.startIndex + 2)..<close.lowerBound] + text[close.upperBound...])[...].trimmed
    }
    for _ in 0..<8 {
      let before = text
      text = withoutMarks(text)
      if text.first == UInt8(ascii: "{"),
        LatexText.closingBrace(of: text, openedAt: text.startIndex) == text.endIndex - 1
      {
        text = text.dropFirst().dropLast().trimmed
      }
      if text == before { break }
    }
    if let answer = withoutPhrase(words(of: text)) { return answer }
    let isText = text.has("\\text{", at: text.startIndex)
    if isText, LatexText.closingBrace(of: text, openedAt: text.startIndex + 5) == text.endIndex - 1
    {
      return words(of: text)
    }
    return Array(text)
  }

  /// An answer in words: as ``removed(from:)``, and texts without their `\text{}`.
  static func words(_ content: String) -> [UInt8] { words(of: removed(from: content)[...]) }

  private static func words(of text: ArraySlice<UInt8>) -> [UInt8] {
    Array(withoutMarks(unwrapped(text, opensText: true, depth: 0)[...].trimmed))
  }

  // MARK: Commands

  private static let deepest = 32
  /// Commands that only change the look of their argument.
  private static let styles: Set<String> = [
    "boxed", "fbox", "underline", "uline", "textbf", "mathbf", "boldsymbol", "bm", "pmb", "mathsf",
    "mathit", "mathtt", "mathnormal", "framebox", "ensuremath",
  ]
  /// Commands whose argument is not printed where it stands, or is struck out.
  private static let unseen: Set<String> = [
    "tag", "label", "phantom", "hphantom", "vphantom", "hspace", "vspace", "cancel", "bcancel",
    "xcancel", "sout",
  ]
  /// Commands whose argument is text.
  private static let texts: Set<String> = [
    "text", "textnormal", "textrm", "textit", "textsf", "texttt", "textsc", "emph", "mbox", "hbox",
    "mathrm", "operatorname",
  ]
  /// Commands with a colour before what they colour.
  private static let colours: Set<String> = ["textcolor", "colorbox", "color"]
  /// Commands that change the look of what follows, or the space around it.
  private static let switches: Set<String> = [
    "large", "Large", "LARGE", "huge", "Huge", "small", "tiny", "normalsize", "footnotesize", "bf",
    "it", "rm", "sf", "tt", "bfseries", "itshape", "displaystyle", "textstyle", "scriptstyle",
    "big", "Big", "bigg", "Bigg", "bigl", "bigr", "Bigl", "Bigr", "biggl", "biggr", "Biggl",
    "Biggr", "limits", "nolimits", "hfill", "noindent", "centering", "hline", "quad", "qquad",
  ]

  /// The text with commands of the kinds above undone; `opensText` undoes texts too.
  private static func unwrapped(
    _ text: ArraySlice<UInt8>, opensText: Bool, depth: Int
  ) -> [UInt8] {
    var result: [UInt8] = []
    var position = text.startIndex
    while position < text.endIndex {
      let byte = text[position]
      guard byte == UInt8(ascii: "\\") else {
        if byte != UInt8(ascii: "$") { result.append(byte == UInt8(ascii: "~") ? 0x20 : byte) }
        position += 1
        continue
      }
      guard let next = text.byte(at: position + 1) else { break }
      guard next.isLetter else {
        position = copyMark(text, at: position, to: &result)
        continue
      }
      let end = text[(position + 1)...].firstIndex { !$0.isLetter } ?? text.endIndex
      let name = String(decoding: text[(position + 1)..<end], as: UTF8.self)
      let (argument, after) = argument(of: text, at: end)
      let isText = texts.contains(name)
      if depth < deepest, let argument, styles.contains(name) || (opensText && isText) {
        result += unwrapped(argument, opensText: opensText, depth: depth + 1)
        position = after
      } else if depth < deepest, let argument, isText {
        let inner = unwrapped(argument, opensText: false, depth: depth + 1)
        result += Array("\\text{".utf8) + inner + [UInt8(ascii: "}")]
        position = after
      } else if argument != nil, colours.contains(name) || unseen.contains(name) {
        // What is struck out of all that a fraction holds leaves one.
        if isWhole(argument: position..<after, of: text) { result.append(UInt8(ascii: "1")) }
        position = after
      } else if depth < deepest, name == "cancelto", let argument {
        result += unwrapped(argument, opensText: opensText, depth: depth + 1)
        position = self.argument(of: text, at: after).after
      } else if switches.contains(name) {
        result.append(UInt8(ascii: " "))
        position = end
      } else {
        result += text[position..<end]
        position = end
      }
    }
    return result
  }

  /// Whether braces hold a range and nothing else.
  private static func isWhole(argument range: Range<Int>, of text: ArraySlice<UInt8>) -> Bool {
    range.lowerBound > text.startIndex && text[range.lowerBound - 1] == UInt8(ascii: "{")
      && text.byte(at: range.upperBound) == UInt8(ascii: "}")
  }

  /// Copies a command that is a mark: brackets of formulas go, spaces are blanks.
  private static func copyMark(
    _ text: ArraySlice<UInt8>, at slash: Int, to result: inout [UInt8]
  ) -> Int {
    let mark = text[slash + 1]
    if "()[]!".utf8.contains(mark) { return slash + 2 }
    if mark.isBlank || ",;:".utf8.contains(mark) {
      result.append(UInt8(ascii: " "))
      return slash + 2
    }
    result += text[slash...(slash + 1)]
    guard mark == UInt8(ascii: "\\"), text.byte(at: slash + 2) == UInt8(ascii: "["),
      let close = text[(slash + 2)...].firstIndex(of: UInt8(ascii: "]")),
      text[(slash + 3)..<close].last?.isLetter == true
    else { return slash + 2 }
    return close + 1
  }

  /// What stands in braces at a position, or behind blanks, and where it ends.
  private static func argument(
    of text: ArraySlice<UInt8>, at position: Int
  ) -> (inner: ArraySlice<UInt8>?, after: Int) {
    let open = text[position...].firstIndex { !$0.isBlank } ?? text.endIndex
    guard let close = LatexText.closingBrace(of: text, openedAt: open) else {
      return (nil, position)
    }
    return (text[(open + 1)..<close], close + 1)
  }

  /// Without marks of Markdown and blanks at the ends.
  private static func withoutMarks(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var text = text.trimmed
    while let first = text.first, first.isMarkdown { text = text.dropFirst().trimmed }
    while let last = text.last, last.isMarkdown || ",;".utf8.contains(last) {
      // `1,5,` is a list that goes on, and `1,5` could be a decimal.
      if last == UInt8(ascii: ","), isPair(text.dropLast()) { break }
      text = text.dropLast().trimmed
    }
    return text
  }

  /// Whether a text is digits, a comma and digits that are no thousands.
  private static func isPair(_ text: ArraySlice<UInt8>) -> Bool {
    let parts = text.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
    return parts.count == 2 && parts[1].count != 3
      && parts.allSatisfy { !$0.isEmpty && $0.allSatisfy(\.isDigit) }
  }

  // MARK: Phrases

  private static let openings: [StaticString] = [
    "so", "thus", "therefore", "hence", "the", "final", "correct", "right",
  ]
  private static let nouns: [StaticString] = ["answer", "option", "choice", "result", "solution"]
  private static let connectors: [StaticString] = ["is", ":", "="]

  /// What follows "the answer is" and its like; nil where the text does not begin so.
  private static func withoutPhrase(_ words: [UInt8]) -> [UInt8]? {
    let text = words[...]
    var position = 0
    func skipBlanks() {
      while let byte = text.byte(at: position), byte.isBlank || ",*".utf8.contains(byte) {
        position += 1
      }
    }
    func take(_ choices: [StaticString]) -> Bool {
      for word in choices where text.hasWord(word, at: position) {
        let end = position + word.utf8CodeUnitCount
        let isWord = text[position].isLetter
        if isWord, text.byte(at: end)?.isLetter == true { continue }
        position = end
        skipBlanks()
        return true
      }
      return false
    }
    while take(openings) {}
    guard take(nouns) else { return nil }
    while take(connectors) {}
    let rest = text[position...].trimmed
    return rest.isEmpty ? nil : Array(withoutMarks(rest))
  }
}
