import Foundation
import Testing

@testable import Evaluation

/// The stored extraction, equality and vote cases, through the shipped definitions.
@Suite(
  .enabled(
    if: Shared.exists(Shared.goldens.appending(path: "grading")),
    "needs the stored grading cases (shared/goldens/grading)"))
struct GradingGoldenTests {
  struct Extraction: Decodable {
    let id: String
    let kind: String
    let text: String
    let expected: String?
  }

  struct Equality: Decodable {
    let kind: String
    let pred: String?
    let gold: String
    let equal: Bool
  }

  static func load<Value: Decodable>(_ name: String) throws -> Value {
    let file = Shared.goldens.appending(path: "grading/\(name).json")
    return try JSONDecoder().decode(Value.self, from: Data(contentsOf: file))
  }

  static func extractor(_ kind: String) throws -> AnswerExtractor {
    switch kind {
    case "boxed": return AnswerExtractor(steps: [.box], grading: .latex)
    case "aime":
      return AnswerExtractor(
        steps: [.box, .answerPhrase], grading: .integer(from: 0, to: 999))
    case "gpqa":
      return AnswerExtractor(
        steps: [.box, .answerPhrase, .lastLine], grading: .letter(count: 4))
    default: throw CocoaError(.coderInvalidValue)
    }
  }

  @Test func extractionAgrees() throws {
    let cases: [Extraction] = try Self.load("extraction")
    #expect(!cases.isEmpty)
    var wrong: [String] = []
    for example in cases {
      let found = try Self.extractor(example.kind).extract(from: example.text)?.answer
      if found != example.expected {
        wrong.append("\(example.id): \(found ?? "null"), not \(example.expected ?? "null")")
      }
    }
    #expect(wrong == [])
  }

  @Test func equalityAgrees() throws {
    let cases: [Equality] = try Self.load("equality")
    #expect(!cases.isEmpty)
    for example in cases {
      let grading = try Self.extractor(example.kind).grading
      let left = example.kind == "boxed" ? example.pred.flatMap(grading.canonical) : example.pred
      let right = example.kind == "boxed" ? grading.canonical(example.gold) : example.gold
      let found = grading.areEqual(left, try #require(right))
      #expect(found == example.equal, "\(example.pred ?? "null") and \(example.gold)")
    }
  }
}
