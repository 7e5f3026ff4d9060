/// Finds answers that stand in running text instead of a box.
enum AnswerPhrase {
  /// The last "answer is ..." with an answer of the rule's kind.
  ///
  /// - Returns: Nil where there is none; rules without a fixed form of answer have none.
  static func last(in text: ArraySlice<UInt8>, grading: GradingRule) -> String? {
    var end = text.endIndex
    while let anchor = lastAnchor(in: text[..<end], grading: grading) {
      let after = anchor.position + anchor.word.utf8CodeUnitCount
      let found =
        switch grading {
        case .integer:
          isDenied(text[..<anchor.position]) ? nil : integer(after: after, in: text)
        case .letter(let count):
          isDenied(text[..<anchor.position])
            ? nil
            : letter(
              after: after, in: text, count: count,
              isAnswer: !["option", "choice"].contains(anchor.word.description),
              isChosen: isChosen(text[..<anchor.position]))
        default: String?.none
        }
      if let found { return found }
      end = anchor.position
    }
    if case .letter(let count) = grading { return verdict(in: text, count: count) }
    return nil
  }

  /// The last line that is not blank, when it is just a letter (`X`, `(X)`, `X.` or `X)`), or
  /// begins with a marked one and no other line begins with another.
  static func lastLine(in text: ArraySlice<UInt8>, grading: GradingRule) -> String? {
    guard case .letter(let count) = grading else { return nil }
    let lines = text.split { $0 == 10 || $0 == 13 }
      .map { Array($0.filter { !$0.isMarkdown && $0 != UInt8(ascii: "$") })[...].trimmed }
      .filter { !$0.isEmpty }
    guard let line = lines.last else { return nil }
    let last = AnswerWrapping.words(String(decoding: line, as: UTF8.self))[...]
    guard let found = letter(at: last.startIndex, in: last, count: count) else { return nil }
    if found.end == last.endIndex { return found.text }
    func isMarked(_ line: ArraySlice<UInt8>, _ end: Int) -> Bool {
      ".)".utf8.contains(line[end - 1]) || line.byte(at: end) == UInt8(ascii: ":")
    }
    let isOther = lines.dropLast().contains { line in
      guard let other = letter(at: line.startIndex, in: line, count: count) else { return false }
      return other.text != found.text && isMarked(line, other.end)
    }
    return isMarked(last, found.end) && !isOther ? found.text : nil
  }

  /// What follows the last "final answer is", up to "I hope it is correct" or the end of its line,
  /// without the full stop.
  static func finalAnswer(in text: ArraySlice<UInt8>) -> String? {
    guard let mark = text.lastRange(of: "final answer is") else { return nil }
    var line = text[mark.upperBound...].prefix { $0 != 10 && $0 != 13 }
    if let end = line.lastRange(of: "I hope it is correct") { line = line[..<end.lowerBound] }
    var answer = line.trimmed
    if answer.last == UInt8(ascii: ".") { answer = answer.dropLast().trimmed }
    return answer.isEmpty ? nil : String(decoding: answer, as: UTF8.self)
  }

  /// What follows the last `####` on its line.
  static func afterHashMark(in text: ArraySlice<UInt8>) -> String? {
    guard let mark = text.lastRange(of: "####") else { return nil }
    let line = text[mark.upperBound...].drop { $0 == UInt8(ascii: "#") }
      .prefix { $0 != 10 && $0 != 13 }.trimmed
    return line.isEmpty ? nil : String(decoding: line, as: UTF8.self)
  }

  private static func lastAnchor(
    in text: ArraySlice<UInt8>, grading: GradingRule
  ) -> (position: Int, word: StaticString)? {
    let words: [StaticString]
    if case .letter = grading {
      words = ["answer", "option", "choice"]
    } else {
      words = ["answer"]
    }
    for position in text.indices.reversed() {
      let byte = text[position]
      if "aoc".utf8.contains(byte.lowercased) {
        for word in words where text.hasWord(word, at: position) { return (position, word) }
      }
      guard byte >= 0x80 || "ar".utf8.contains(byte.lowercased) else { continue }
      if let word = AnswerWords.nouns.first(where: { text.hasWord($0, at: position) }) {
        return (position, word)
      }
    }
    return nil
  }

  // MARK: Whole numbers

  /// `is`, `:` or `=` and then an integer that does not go on as something else, or a chain of
  /// equations that ends with one.
  private static func integer(after start: Int, in text: ArraySlice<UInt8>) -> String? {
    var position = skip(in: text, from: start) { $0.isMarkdown || $0.isBlank }
    for word in subjects where text.hasWord(word, at: position) {
      position = skip(in: text, from: position + word.utf8CodeUnitCount, while: \.isBlank)
    }
    if let verb = AnswerWords.verbs.first(where: { text.hasWord($0, at: position) }) {
      position += verb.utf8CodeUnitCount
    } else if let mark = colons.first(where: { text.has($0, at: position) }) {
      position += mark.utf8CodeUnitCount
    } else {
      return nil
    }
    position = skipWrapping(in: text, from: position)
    for word in adverbs where text.hasWord(word, at: position) {
      position = skipWrapping(in: text, from: position + word.utf8CodeUnitCount)
    }
    if let number = integer(at: position, in: text) { return number }
    let line = text[position...].prefix { $0 != 10 && $0 != 13 && $0 != UInt8(ascii: ";") }
    guard let equals = line.lastIndex(of: UInt8(ascii: "=")),
      !hasWords(line[..<equals])
    else { return nil }
    return integer(at: skipWrapping(in: text, from: equals + 1), in: text)
  }

  /// What the answer may answer, before "is".
  private static let subjects: [StaticString] = [
    "to the problem", "to this problem", "to the question", "to this question",
  ]
  /// Words that may stand behind "is".
  private static let adverbs: [StaticString] = [
    "therefore", "thus", "then", "clearly", "indeed", "simply", "just", "most likely", "probably",
    "definitely", "actually", "exactly",
  ]
  private static let asides = adverbs + subjects
  private static let colons: [StaticString] = [":", "=", "\u{ff1a}"]

  /// Whether there are words, and not just names of one letter and commands.
  private static func hasWords(_ text: ArraySlice<UInt8>) -> Bool {
    var position = text.startIndex
    while position < text.endIndex {
      let end = skip(in: text, from: position, while: \.isLetter)
      if end - position > 1, position == text.startIndex || text[position - 1] != 0x5c {
        return true
      }
      position = max(end, position + 1)
    }
    return false
  }

  private static let wrappings: [StaticString] = [
    "\\(", "\\[", "\\textbf{", "\\mathbf{", "\\text{", "\\mathrm{", "\\underline{",
    "\\boldsymbol{", "\\textnormal{", "\\boxed{",
  ]

  /// The position behind blanks, marks of Markdown and formulas, and commands for bold print.
  private static func skipWrapping(in text: ArraySlice<UInt8>, from start: Int) -> Int {
    var position = start
    while let byte = text.byte(at: position) {
      if let command = wrappings.first(where: { text.has($0, at: position) }) {
        position += command.utf8CodeUnitCount
      } else if byte.isMarkdown || byte.isBlank || "$:".utf8.contains(byte) {
        position += 1
      } else {
        break
      }
    }
    return position
  }

  private static func integer(at start: Int, in text: ArraySlice<UInt8>) -> String? {
    var position = start
    if let sign = text.byte(at: position), "+-".utf8.contains(sign) { position += 1 }
    let digits = position
    position = skip(in: text, from: position, while: \.isDigit)
    guard position > digits else { return nil }
    while position - digits <= 3 || text[digits..<position].contains(UInt8(ascii: ",")),
      text.byte(at: position) == UInt8(ascii: ","),
      skip(in: text, from: position + 1, while: \.isDigit) == position + 4
    {
      position += 4
    }
    guard !goesOn(text, at: position) else { return nil }
    return String(
      decoding: text[start..<position].filter { $0 != UInt8(ascii: ",") }, as: UTF8.self)
  }

  /// Whether a number continues as a decimal, a fraction, a power, a sum or a product.
  private static func goesOn(_ text: ArraySlice<UInt8>, at position: Int) -> Bool {
    guard let byte = text.byte(at: position) else { return false }
    let following = text.byte(at: position + 1)
    switch byte {
    case UInt8(ascii: "."): return following?.isDigit == true
    case UInt8(ascii: "/"), UInt8(ascii: "^"): return true
    case UInt8(ascii: "\\"): return following?.isLetter == true && !isSpace(text, at: position)
    default: break
    }
    // A letter that is no unit is a factor.
    if byte.isLetter, following?.isLetter != true { return !"mgshL".utf8.contains(byte) }
    let next = skip(in: text, from: position, while: \.isBlank)
    for word: StaticString in ["or", "and"] where text.hasWord(word, at: next) {
      let other = skip(in: text, from: next + word.utf8CodeUnitCount) {
        $0.isBlank || $0.isMarkdown
      }
      return text.byte(at: other)?.isDigit == true
    }
    guard let sign = text.byte(at: next) else { return false }
    if text.has("\\times", at: next) || text.has("\\cdot", at: next) { return true }
    guard "+-*/=^".utf8.contains(sign) else { return false }
    let operand = skip(in: text, from: next + 1, while: \.isBlank)
    return text.byte(at: operand).map { $0.isDigit || "\\(".utf8.contains($0) } == true
  }

  /// Whether a command only makes space, or begins a text such as a unit.
  private static func isSpace(_ text: ArraySlice<UInt8>, at position: Int) -> Bool {
    ["\\text", "\\quad", "\\mathrm", "\\pmod", "\\bmod"].contains { text.has($0, at: position) }
  }

  // MARK: Letters

  /// Words and marks that may stand between "answer" and the letter.
  private static let fillers: [StaticString] =
    AnswerWords.verbs + AnswerWords.adjectives + [
      ":", "=", "should be", "must be", "would be", "will be", "has to be", "option", "choice",
      "letter", "the", "correct", "$", "\\(", "\\[", "\\text{", "\\textbf{", "\\mathbf{",
      "\\mathrm{", "\\boxed{", "\\textnormal{", "\\underline{", "\"", "'", "(s)", ">", "- ", "{",
      "\u{2013}", "\u{2014}", "\u{ff1a}",
    ]
  private static let connectors =
    [":", "=", "should be", "must be", "would be", "will be", "has to be"]
    + AnswerWords.verbs.map(\.description)

  /// The letter behind "answer", "option" or "choice". Behind the latter two a connector has to
  /// stand before the letter ("the correct option is B"), a verdict behind it ("option B is
  /// correct"), or the text end with what is chosen ("I choose option B.").
  private static func letter(
    after start: Int, in text: ArraySlice<UInt8>, count: Int, isAnswer: Bool, isChosen: Bool
  ) -> String? {
    var position = start
    var passed = 0
    var hasColon = false
    while let byte = text.byte(at: position) {
      if byte.isMarkdown || byte.isBlank {
        position += 1
      } else if let found = letter(at: position, in: text, count: count) {
        let rest = text[found.end...]
        let isEnclosed = "([".utf8.contains(byte)
        let isMarked = ".)".utf8.contains(text[found.end - 1])
        if isList(rest, count: count) || isAsked(rest) { return nil }
        let isName =
          isEnclosed || isMarked || !(rest.first?.isBlank ?? false)
          || rest.prefix(while: \.isBlank).contains(10)
          || LetterAnswer.isFollowed(byte, by: rest.drop(while: \.isBlank))
        let counts = isAnswer || passed > 0 || isVerdict(rest) || (isChosen && isEnd(rest))
        return isName && counts ? found.text : nil
      } else if isAnswer, hasColon, LetterAnswer.isOption(byte.uppercased, count: count),
        isEnd(text[(position + 1)...].prefix { $0 != 10 && $0 != 13 })
      {
        return String(UnicodeScalar(byte.uppercased))
      } else if let word = asides.first(where: { text.hasWord($0, at: position) }) {
        position += word.utf8CodeUnitCount
      } else if let filler = fillers.first(where: { text.hasWord($0, at: position) }) {
        passed += connectors.contains(filler.description) ? 1 : 0
        hasColon = hasColon || [":", "\u{ff1a}"].contains(filler.description)
        guard passed <= 2 else { return nil }
        position += filler.utf8CodeUnitCount
      } else {
        return nil
      }
    }
    return nil
  }

  /// Whether a text goes on with nothing but marks.
  private static func isEnd(_ rest: ArraySlice<UInt8>) -> Bool {
    rest.allSatisfy { $0.isBlank || $0.isMarkdown || ".)!$}\"".utf8.contains($0) }
  }

  /// Whether a question is asked, as in "is the answer B?".
  private static func isAsked(_ rest: ArraySlice<UInt8>) -> Bool {
    rest.drop { $0.isBlank || $0.isMarkdown || ".)".utf8.contains($0) }.first == UInt8(ascii: "?")
  }

  /// Whether the words before say that something is not thought or said, as in "I don't think that
  /// the answer is B".
  private static func isDenied(_ before: ArraySlice<UInt8>) -> Bool {
    let part = before.suffix(80).split { ".!?,;:\n\r".utf8.contains($0) }.last ?? []
    let words = part.split { !$0.isLetter && $0 != UInt8(ascii: "'") }
      .map { String(decoding: $0, as: UTF8.self).lowercased() }
    return words.contains { $0.hasSuffix("n't") || ["not", "never", "wrong"].contains($0) }
      && words.contains { ["think", "believe", "say", "claim", "conclude", "mean"].contains($0) }
  }

  /// Whether a text ends with "choose" or the like, and no word before it denies that.
  private static func isChosen(_ before: ArraySlice<UInt8>) -> Bool {
    let words = before.suffix(60).split { !$0.isLetter && $0 != UInt8(ascii: "'") }
      .map { String(decoding: $0, as: UTF8.self).lowercased() }
    guard let verb = words.last(where: { !["the", "with", "for"].contains($0) }),
      ["choose", "select", "pick", "go", "choosing", "chose", "selected"].contains(verb)
    else { return false }
    return !words.contains { ["not", "never", "if", "cannot"].contains($0) || $0.hasSuffix("n't") }
  }

  /// Whether another option follows a comma, as in `C, D`.
  private static func isList(_ rest: ArraySlice<UInt8>, count: Int) -> Bool {
    let marks: [StaticString] = [",", "/", "&", ";", "+", "-", "\u{2013}", "~"]
    guard let mark = marks.first(where: { rest.has($0, at: rest.startIndex) }) else { return false }
    let next = rest.dropFirst(mark.utf8CodeUnitCount).drop { $0.isBlank || $0.isMarkdown }
    guard let other = letter(at: next.startIndex, in: next, count: count) else { return false }
    // "C, A is wrong" goes on with a sentence.
    return next[other.end...].drop(while: \.isBlank).first?.isLetter != true
  }

  private static let verdicts: [StaticString] = [
    "is correct", "is right", "is the correct", "is the right", "is the answer", "is the best",
    "is true",
  ]

  /// The last letter before "is the correct answer" and the like.
  private static func verdict(in text: ArraySlice<UInt8>, count: Int) -> String? {
    let nouns: [StaticString] = ["answer", "option", "choice"]
    for position in text.indices.reversed() {
      let isInWord = position > text.startIndex && text[position - 1].isLetter
      guard !isInWord, let found = letter(at: position, in: text, count: count) else { continue }
      let rest = text[found.end...].drop { $0.isBlank || $0.isMarkdown }
      if rest.hasWord("is correct", at: rest.startIndex), isEnd(rest.dropFirst(10)),
        isFirst(text[..<position])
      {
        return found.text
      }
      let verdict = verdicts.first {
        $0.description.hasPrefix("is the") && rest.hasWord($0, at: rest.startIndex)
      }
      guard let verdict else { continue }
      let noun = rest.dropFirst(verdict.utf8CodeUnitCount).trimmed
      if verdict.description == "is the answer"
        || nouns.contains(where: { noun.hasWord($0, at: noun.startIndex) })
      {
        return found.text
      }
    }
    return nil
  }

  /// Whether a sentence begins behind a text, or a word that concludes.
  private static func isFirst(_ before: ArraySlice<UInt8>) -> Bool {
    let rest = before.reversed().drop { ($0.isBlank && $0 != 10) || $0.isMarkdown }
    guard let last = rest.first else { return true }
    if last == 10 || ".,:".utf8.contains(last) { return true }
    let word = String(decoding: rest.prefix(while: \.isLetter).reversed(), as: UTF8.self)
    return ["so", "thus", "hence", "therefore", "that"].contains(word.lowercased())
  }

  /// Whether text says of the option before it that it is the answer.
  private static func isVerdict(_ rest: ArraySlice<UInt8>) -> Bool {
    let text = rest.drop { $0.isBlank || $0.isMarkdown || ".)".utf8.contains($0) }
    return verdicts.contains { text.hasWord($0, at: text.startIndex) }
  }

  /// A letter at a position, as `X`, `X.`, `X)`, `(X)` or `[X]`; in brackets it may be lower case.
  private static func letter(
    at start: Int, in text: ArraySlice<UInt8>, count: Int
  ) -> (text: String, end: Int)? {
    let isEnclosed = text.byte(at: start).map { "([".utf8.contains($0) } == true
    let position = isEnclosed ? start + 1 : start
    guard let byte = text.byte(at: position) else { return nil }
    let letter = isEnclosed ? byte.uppercased : byte
    guard LetterAnswer.isOption(letter, count: count) else { return nil }
    let following = text.byte(at: position + 1)
    if isEnclosed, following.map({ ")]".utf8.contains($0) }) != true { return nil }
    func isLetter(behind mark: StaticString) -> Bool {
      text.has(mark, at: position + 1)
        && text.byte(at: position + 1 + mark.utf8CodeUnitCount)?.isLetter == true
    }
    let isPartOfWord =
      following.map { $0.isLetter || $0.isDigit } == true || isLetter(behind: "'")
      || isLetter(behind: "\u{2019}") || isLetter(behind: "-")
    guard !isPartOfWord else { return nil }
    let isMarked = isEnclosed || following.map { ".)".utf8.contains($0) } == true
    return (String(UnicodeScalar(letter)), position + (isMarked ? 2 : 1))
  }

  private static func skip(
    in text: ArraySlice<UInt8>, from start: Int, while condition: (UInt8) -> Bool
  ) -> Int {
    var position = start
    while let byte = text.byte(at: position), condition(byte) { position += 1 }
    return position
  }
}
