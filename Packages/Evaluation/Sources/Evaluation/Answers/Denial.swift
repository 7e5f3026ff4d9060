/// Statements that something is not the answer: "42 is not the answer", "it can't be 42".
enum Denial {
  /// Whether the words around something say so, within its clause.
  static func isMade(before: ArraySlice<UInt8>, after: ArraySlice<UInt8>) -> Bool {
    isMade(before: words(Array(clause(before.suffix(reach).reversed()).reversed())))
      || isMade(behind: words(clause(Array(after.prefix(reach)))))
  }

  /// So many bytes on either side are read.
  private static let reach = 80

  /// The bytes up to the first mark that ends a clause.
  private static func clause(_ text: [UInt8]) -> [UInt8] {
    Array(text.prefix { !".!?,;:\n\r".utf8.contains($0) })
  }

  private static func words(_ text: [UInt8]) -> [String] {
    text.split { !$0.isLetter && $0 != UInt8(ascii: "'") && $0 < 0x80 }
      .map { String(decoding: $0, as: UTF8.self).lowercased().replacing("\u{2019}", with: "'") }
      .filter { !["boxed", "fbox", "text", "textbf", "mathbf"].contains($0) }
  }

  private static func isNegation(_ word: String) -> Bool {
    ["not", "never", "cannot", "ne", "neq", "\u{2260}"].contains(word) || word.hasSuffix("n't")
  }

  /// Whether words end with a negation of what follows: "is not equal to".
  private static func isMade(before words: [String]) -> Bool {
    let joints = ["equal", "to", "be", "the", "simply", "just"]
    return words.last { !joints.contains($0) }.map(isNegation) == true
  }

  /// Whether words begin with a verdict on what stands before them: "is wrong", "apples is not the
  /// answer".
  private static func isMade(behind words: [String]) -> Bool {
    let verbs = ["is", "was", "are", "were", "be", "would", "can", "seems"]
    let verdicts = ["wrong", "incorrect", "invalid", "impossible", "rejected", "extraneous"]
    let praises = ["answer", "solution", "result", "right", "correct", "possible", "valid", "it"]
    guard let verb = words.prefix(4).firstIndex(where: { verbs.contains($0) || isNegation($0) })
    else { return false }
    let rest = words[verb...].drop { verbs.contains($0) }
    if rest.first.map(isNegation) == true {
      return rest.dropFirst().prefix(4).contains { praises.contains($0) }
    }
    return rest.first.map(verdicts.contains) == true
  }
}
