import Foundation

/// What a judge says of two answers, A and B: one of `[[A>>B]]`, `[[A>B]]`, `[[A=B]]`, `[[B>A]]` and
/// `[[B>>A]]` (Li et al., arXiv:2406.11939).
struct Verdict: Sendable, Hashable {
  /// As the judge writes it, without its brackets.
  let text: String

  /// The letter of the better answer; nil for a tie.
  var better: String? { text == "A=B" ? nil : String(text.prefix(1)) }

  /// For how many games it counts: three where one answer is significantly better.
  var weight: Double { text.contains(">>") ? 3 : 1 }

  /// What it is worth to the answer with a letter: 1, 0, or half for a tie.
  func score(of letter: String) -> Double { better.map { $0 == letter ? 1 : 0 } ?? 0.5 }

  /// A verdict as it is stored; nil for anything else.
  init?(_ text: String) {
    guard ["A>>B", "A>B", "A=B", "B>A", "B>>A"].contains(text) else { return nil }
    self.text = text
  }

  /// The verdict of a reply: the one that stands in it, once or several times; nil where none does,
  /// or different ones do.
  init?(in reply: String) {
    let pieces = reply.components(separatedBy: "[[").dropFirst()
    let found = Set(
      pieces.compactMap { piece in
        piece.range(of: "]]").flatMap { Verdict(String(piece[..<$0.lowerBound])) }
      })
    guard found.count == 1, let verdict = found.first else { return nil }
    self = verdict
  }

  /// The grade of a reply that judges the answer with a letter: right where that one is better.
  static func grade(_ reply: String, letter: String) -> Grade {
    guard let verdict = Verdict(in: reply) else { return .none }
    return Grade(
      extracted: verdict.text, step: nil, correct: verdict.better == letter, scores: nil)
  }
}
