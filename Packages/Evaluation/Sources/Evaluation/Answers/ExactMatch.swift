import Foundation

/// Grading by patterns: each filter takes a piece of the reply, which has to be the key but for
/// what is ignored.
public struct ExactMatch: Sendable, Hashable, Codable {
  /// Takes a piece of a reply.
  public struct Filter: Sendable, Hashable, Codable {
    /// Which of several matches counts.
    public enum Place: String, Sendable, Hashable, Codable, CaseIterable {
      case first, last
    }

    /// The name of its score.
    public var name: String
    /// A regular expression (ICU's); its first group that took part, or all of it, is the piece.
    /// Nil takes the whole reply without the white space before it.
    public var pattern: String?
    /// Which match counts.
    public var take: Place

    /// The piece of `text`, without white space around what a pattern matched; nil where nothing
    /// matches.
    func piece(of text: String) -> String? {
      guard let pattern else { return String(text.drop(while: \.isWhitespace)) }
      guard let expression = try? NSRegularExpression(pattern: pattern) else { return nil }
      let whole = NSRange(text.startIndex..., in: text)
      let matches = expression.matches(in: text, range: whole)
      guard let match = take == .first ? matches.first : matches.last else { return nil }
      let groups = (1..<max(match.numberOfRanges, 1)).compactMap { group -> String? in
        Range(match.range(at: group), in: text).flatMap { $0.isEmpty ? nil : String(text[$0]) }
      }
      let piece =
        match.numberOfRanges > 1
        ? groups.first : Range(match.range, in: text).map { String(text[$0]) }
      return piece?.trimmingCharacters(in: .whitespacesAndNewlines)
    }
  }

  /// The filters; the first one's score is the benchmark's.
  public var filters: [Filter]
  /// Patterns whose matches are taken out of reply and key.
  public var ignore: [String]?
  /// Whether upper and lower case are the same.
  public var ignoresCase: Bool?
  /// Whether ASCII punctuation is taken out of both.
  public var ignoresPunctuation: Bool?

  /// A text without what is ignored.
  func normalized(_ text: String) -> String {
    var text = text
    for pattern in ignore ?? [] {
      guard let expression = try? NSRegularExpression(pattern: pattern) else { continue }
      text = expression.stringByReplacingMatches(
        in: text, range: NSRange(text.startIndex..., in: text), withTemplate: "")
    }
    if ignoresCase == true { text = text.lowercased() }
    if ignoresPunctuation == true {
      let marks = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~".unicodeScalars
      text.unicodeScalars.removeAll { marks.contains($0) }
    }
    return text
  }

  /// The grade of a reply.
  func grade(_ reply: String, key: String) -> Grade {
    let wanted = normalized(key)
    var scores: [String: Double] = [:]
    for filter in filters {
      let found = filter.piece(of: reply).map(normalized)
      scores[filter.name] = found == wanted ? 1 : 0
    }
    let main = filters.first
    return Grade(
      extracted: main?.piece(of: reply).map(normalized), step: .pattern,
      correct: main.flatMap { scores[$0.name] } == 1, scores: scores)
  }
}
