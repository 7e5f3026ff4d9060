import Foundation

/// Counts sentences of English text as the Punkt algorithm does (Kiss and Strunk, 2006), with a
/// short list of abbreviations in place of a trained one.
enum SentenceCount {
  /// How many sentences a text has.
  static func of(_ text: String) -> Int {
    let scalars = Array(text.unicodeScalars)
    guard scalars.contains(where: { !$0.properties.isWhitespace }) else { return 0 }
    return 1 + scalars.indices.count { isEnd($0, scalars) }
  }

  /// Whether a sentence ends at a place behind which another one begins.
  private static func isEnd(_ index: Int, _ text: [Unicode.Scalar]) -> Bool {
    guard ".?!".unicodeScalars.contains(text[index]), index + 1 < text.count else { return false }
    let next = text[index + 1]
    // Brackets and quotes that close a sentence belong to it; what follows them begins the next
    // one.
    let closers = ")\";}]*:@'({[!?".unicodeScalars
    var following = index + 1
    while following < text.count, closers.contains(text[following]) { following += 1 }
    let isClosed = closers.contains(next)
    guard isClosed || next.properties.isWhitespace,
      let start = text[following...].firstIndex(where: { !$0.properties.isWhitespace })
    else { return false }
    guard text[index] == "." else { return true }
    let word = String(
      String.UnicodeScalarView(
        text[..<index].reversed().prefix { !$0.properties.isWhitespace && $0 != "(" && $0 != "\"" }
          .reversed()))
    guard isAbbreviated(word) else { return true }
    // Behind an abbreviation only a word that is never a name begins a sentence.
    let after = String(
      String.UnicodeScalarView(text[start...].prefix { $0.properties.isAlphabetic || $0 == "'" }))
    return starters.contains(after)
  }

  private static func isAbbreviated(_ word: String) -> Bool {
    if word.isEmpty || word.hasSuffix(".") { return true }
    let plain = word.lowercased()
    let isInitial = word.count == 1 && word.first?.isUppercase == true && word != "I"
    let isDotted = plain.contains(".") && plain.split(separator: ".").allSatisfy { $0.count == 1 }
    return isInitial || isDotted || abbreviations.contains(plain)
  }

  private static let abbreviations: Set<String> = [
    "dr", "mr", "mrs", "ms", "prof", "st", "jr", "sr", "vs", "etc", "inc", "ltd", "co", "corp",
    "no",
    "gen", "col", "lt", "sgt", "capt", "gov", "sen", "rep", "rev", "hon", "mt", "ft", "ave", "blvd",
    "rd", "jan", "feb", "mar", "apr", "aug", "sept", "sep", "oct", "nov", "dec", "e.g", "i.e",
    "a.m",
    "p.m", "u.s", "u.k", "u.n", "ph.d", "d.c", "cf", "approx", "est", "fig", "vol", "pp", "messrs",
  ]

  private static let starters: Set<String> = [
    "The", "A", "An", "This", "That", "These", "Those", "It", "He", "She", "They", "We", "I", "You",
    "In", "On", "At", "But", "And", "So", "If", "When", "As", "However", "There", "His", "Her",
    "My",
    "Our", "Their", "Its", "For", "What", "How", "Why", "Who", "Where", "While", "After", "Before",
  ]
}

/// Words of English text as the Penn Treebank cuts them, as far as their case matters.
enum EnglishWords {
  /// The words; punctuation is cut off.
  static func of(_ text: String) -> [String] {
    var text = text
    for (pattern, template) in cuts { text = Pattern.replace(pattern, text, template) }
    return text.split(whereSeparator: \.isWhitespace).map(String.init)
  }

  private static let cuts: [(String, String)] = [
    ("([«“‘„»”’`]+)", " $1 "), ("([:,])([^\\d])", " $1 $2"), ("\\.{2,}", " $0 "),
    ("[;@#$%&?!*\\[\\](){}<>\"]", " $0 "), ("--", " -- "),
    ("([^' ])('[sS]|'[mM]|'[dD]|')(?=\\s|$)", "$1 $2 "),
    ("([^' ])('ll|'LL|'re|'RE|'ve|'VE|n't|N'T)(?=\\s|$)", "$1 $2 "),
    ("(?i)\\b(can)(not)\\b", "$1 $2"), ("(?i)\\b(gim|lem)(me)\\b", "$1 $2"),
    ("(?i)\\b(gon|wan)(na)\\b", "$1 $2"), ("(?i)\\b(got)(ta)\\b", "$1 $2"),
  ]
}
