import Foundation
import Testing

@testable import Evaluation

struct StateSimilarityTests {
  @Test func scoresAreThoseOfTheDefinitions() {
    let reference = TokenStates([3, 0, 0, 2, 0, 5], width: 2)
    let candidate = TokenStates([1, 1, 4, 0], width: 2)
    // Of (1, 1) the best cosine is 1/sqrt 2, of (4, 0) it is 1; of the reference's 1, and twice
    // 1/sqrt 2.
    let root = 0.5.squareRoot()
    let (precision, recall) = ((root + 1) / 2, (1 + 2 * root) / 3)
    let score = candidate.bertScore(reference: reference)
    #expect(abs(score - 2 * precision * recall / (precision + recall)) < 1e-7)
    #expect(abs(reference.bertScore(reference: candidate) - score) < 1e-7)
    // Means (2.5, 0.5) and (1, 7/3).
    let cosine = (2.5 + 0.5 * 7 / 3) / ((2.5 * 2.5 + 0.25) * (1 + 49.0 / 9)).squareRoot()
    #expect(abs(candidate.cosine(reference) - cosine) < 1e-12)
  }

  @Test func wideStatesAndEmptyTexts() {
    let rows = (0..<3 * 19).map { Float(($0 * 37) % 23) - 11 }
    let states = TokenStates(rows, width: 19)
    #expect(abs(states.bertScore(reference: states) - 1) < 1e-6)
    #expect(abs(states.cosine(states) - 1) < 1e-12)
    let nothing = TokenStates([], width: 19)
    #expect(nothing.bertScore(reference: states) == 0 && states.bertScore(reference: nothing) == 0)
    #expect(nothing.cosine(states) == 0)
  }

  @Test func runsAreComparedItemByItem() throws {
    let runs = try ScriptedRuns()
    let one = try runs.journal("one.jsonl") { _ in ("7", .stop) }
    let two = try runs.journal("two.jsonl") { ($0.index < 10 ? "7" : "8", .stop) }
    var asked = 0
    let similarity = StateSimilarity(try TextPairs(reference: one, candidate: two)) { text in
      asked += 1
      return TokenStates(text.hasSuffix("7") ? [1, 0] : [0, 1], width: 2)
    }
    #expect(similarity.bertScore.value == 0.5 && similarity.sentences.value == 0.5)
    // Equal texts once: two samples of twenty items, half of them with another text.
    #expect(asked == 60)
  }
}
