import Foundation

/// What counts as an answer, and when two answers are the same.
public enum GradingRule: Sendable, Hashable, Codable, CustomStringConvertible {
  /// An integer, within bounds where they are given.
  case integer(from: Int?, to: Int?)
  /// One of the first letters of the alphabet, A, B and so on.
  case letter(count: Int)
  /// A text without the blanks around it, compared character by character.
  case text
  /// LaTeX in normal form; equal rational numbers are equal.
  case latex
  /// Free-form mathematics, compared by value: fractions, decimals, radicals, sets, intervals,
  /// matrices, equations and units are understood.
  case mathematics
  /// The likelihoods of an item's options decide; the key is the places of the right ones.
  case likelihood(metric: LikelihoodMetric)
  /// Nothing is right or wrong: how likely a text is, in windows of so many tokens.
  case perplexity(window: Int)
  /// Patterns find the answer, which has to be the key but for what is ignored.
  case exact(ExactMatch)
  /// Programs check whether a reply follows its instructions, which are the key, as canonical JSON.
  case instructions
  /// The reply is a program that is run with its tests, which are the key, in a ``Sandbox``.
  case program
  /// Nothing is right or wrong until a judge compares the reply with another model's.
  case judged
  /// The reply is a judge's, who says which of two answers is better; the key is the letter of one.
  case verdict

  /// Longer texts are no numbers, letters or formulas: a model that went round in circles wrote
  /// them.
  static let longest = 1 << 16

  /// The answer in the form that is stored, compared and voted on.
  ///
  /// - Parameter candidate: What an extraction step found, or the key of the data.
  /// - Returns: Nil when this is no answer in the sense of the rule.
  public func canonical(_ candidate: String) -> String? {
    switch self {
    case .integer, .letter, .latex, .mathematics:
      if candidate.utf8.count > Self.longest { return nil }
    default: break
    }
    return form(of: candidate)
  }

  private func form(of candidate: String) -> String? {
    switch self {
    case .integer(let from, let to):
      IntegerAnswer.canonical(candidate, from: from, to: to)
    case .letter(let count): LetterAnswer.canonical(candidate, count: count)
    case .text: nonEmpty(String(decoding: Array(candidate.utf8)[...].trimmed, as: UTF8.self))
    case .latex: nonEmpty(LatexText.normalized(candidate))
    case .mathematics: nonEmpty(MathText.normalized(candidate))
    case .likelihood, .perplexity, .instructions, .program, .judged, .verdict: candidate
    case .exact: nonEmpty(candidate.trimmingCharacters(in: .whitespacesAndNewlines))
    }
  }

  /// Whether two canonical answers are the same; no answer equals nothing.
  public func areEqual(_ answer: String?, _ key: String) -> Bool {
    guard let answer else { return false }
    if answer == key { return true }
    switch self {
    case .integer, .letter, .text, .likelihood, .perplexity, .instructions, .program, .judged,
      .verdict:
      return false
    case .exact(let match): return match.normalized(answer) == match.normalized(key)
    case .latex:
      guard let left = Rational(latex: answer), let right = Rational(latex: key) else {
        return false
      }
      return left == right
    case .mathematics: return MathEquality.areEqual(answer, key)
    }
  }

  /// What the rule accepts, in words.
  public var description: String {
    switch self {
    case .integer(let from, let to):
      from == nil && to == nil
        ? "a whole number"
        : "a whole number from \(from.map(String.init) ?? "any") to \(to.map(String.init) ?? "any")"
    case .letter(let count): "a letter from A to \(ChoiceLetter.all[min(count, 26) - 1])"
    case .text: "a text"
    case .latex: "LaTeX in normal form"
    case .mathematics: "mathematics"
    case .likelihood(let metric): "likelihoods of options (\(metric.rawValue))"
    case .perplexity(let window): "perplexity over windows of \(window) tokens"
    case .instructions: "instructions that programs check"
    case .program: "a program that passes its tests"
    case .judged: "an answer that a judge compares with another"
    case .verdict: "a judge's verdict on two answers"
    case .exact(let match):
      "text found by \(match.filters.map(\.name).joined(separator: ", "))"
    }
  }

  private func nonEmpty(_ text: String) -> String? { text.isEmpty ? nil : text }
}

/// Whole numbers as answers.
enum IntegerAnswer {
  /// The number in plain decimal digits, or nil for anything else or a number out of bounds.
  ///
  /// Everything up to the last `=`, leading zeros, a plus sign and zero decimals are dropped.
  static func canonical(_ candidate: String, from: Int?, to: Int?) -> String? {
    let isShort = candidate.utf8.count <= LatexEvaluator.longest
    let text = isShort ? MathText.plain(candidate)[...] : Array(candidate.utf8)[...]
    let plain = String(decoding: Quantity.unmarked(text)?.number ?? text, as: UTF8.self)
    var digits = Array(LatexText.normalized(plain).utf8)[...]
    if let equals = digits.lastIndex(of: UInt8(ascii: "=")) { digits = digits[(equals + 1)...] }
    if digits.contains(UInt8(ascii: ",")),
      let plain = LatexText.withoutThousandsCommas(Array(digits))
    {
      digits = plain[...]
    }
    let isNegative = digits.first == UInt8(ascii: "-")
    if isNegative || digits.first == UInt8(ascii: "+") { digits = digits.dropFirst() }
    if let point = digits.firstIndex(of: UInt8(ascii: ".")) {
      guard digits[(point + 1)...].allSatisfy({ $0 == UInt8(ascii: "0") }) else { return nil }
      digits = digits[..<point]
    }
    while let inner = digits.unwrapped(by: "(", ")") { digits = inner }
    // A fraction that is whole, or another number that is known exactly, such as `2^7`.
    let exact =
      Rational(latex: String(decoding: digits, as: UTF8.self))
      ?? LatexEvaluator.value(of: digits, at: 1)?.exact
    if let whole = exact?.wholeNumber { digits = Array(whole.utf8)[...] }
    guard !digits.isEmpty, digits.allSatisfy(\.isDigit),
      let value = Int((isNegative ? "-" : "") + String(decoding: digits, as: UTF8.self)),
      value >= from ?? .min, value <= to ?? .max
    else { return nil }
    return String(value)
  }
}

/// Letters of options as answers.
enum LetterAnswer {
  /// The upper-case letter of `X`, `(X)`, `[X]`, `"X"`, or of `X` followed by `:`, `.`, `)` or a
  /// blank and text.
  static func canonical(_ candidate: String, count: Int) -> String? {
    let words = AnswerWrapping.words(candidate)
    // A prime makes another name of a letter.
    if words[...].trimmed.dropFirst().first == UInt8(ascii: "'") { return nil }
    let text = words.filter { !"\"'".utf8.contains($0) }[...].trimmed
    guard var first = text.first else { return nil }
    var rest = text.dropFirst()
    if let close = enclosures[first] {
      guard rest.count >= 2, rest.dropFirst().first == close else { return nil }
      first = rest.first ?? first
      rest = rest.dropFirst(2)
      return isOption(first.uppercased, count: count)
        ? String(UnicodeScalar(first.uppercased)) : nil
    }
    guard isOption(first.uppercased, count: count) else { return nil }
    if rest.isEmpty { return String(UnicodeScalar(first.uppercased)) }
    guard let next = rest.first else { return nil }
    if ":.)".utf8.contains(next) { return String(UnicodeScalar(first.uppercased)) }
    guard next.isBlank, isOption(first, count: count), isFollowed(first, by: rest.trimmed) else {
      return nil
    }
    return String(UnicodeScalar(first))
  }

  private static let enclosures: [UInt8: UInt8] = [
    UInt8(ascii: "("): UInt8(ascii: ")"), UInt8(ascii: "["): UInt8(ascii: "]"),
    UInt8(ascii: "{"): UInt8(ascii: "}"),
  ]

  /// Whether words behind a letter leave it the name of an option: an article does not, nor does
  /// another option or a formula.
  static func isFollowed(_ letter: UInt8, by rest: ArraySlice<UInt8>) -> Bool {
    if "+*/^=<>,&".utf8.contains(rest.first ?? 0) { return false }
    for word: StaticString in ["and ", "or ", "nor "] where rest.hasWord(word, at: rest.startIndex)
    {
      return false
    }
    if isRefused(rest) { return false }
    guard "AI".utf8.contains(letter), let next = rest.first, next.isLetter else { return true }
    let verbs: [StaticString] = [
      "is", "because", "since", "as", "which", "with", "seems", "must", "would", "has",
    ]
    return verbs.contains { rest.hasWord($0, at: rest.startIndex) }
  }

  /// Whether words say of the option before them that it is wrong.
  private static func isRefused(_ rest: ArraySlice<UInt8>) -> Bool {
    let words = rest.split { !$0.isLetter }.prefix(3)
      .map { String(decoding: $0, as: UTF8.self).lowercased() }
    return words.first == "is"
      && words.contains { NumberChange.isRefusal($0) || ["false", "not"].contains($0) }
  }

  /// Whether a byte is the upper-case letter of one of the first options.
  static func isOption(_ byte: UInt8, count: Int) -> Bool {
    byte >= UInt8(ascii: "A") && Int(byte) < Int(UInt8(ascii: "A")) + count
  }
}
