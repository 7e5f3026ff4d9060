import Foundation
import SystemCalls
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
    if kind == "boxed" { return AnswerExtractor(steps: [.box], grading: .latex) }
    let shipped = ["aime": ["aime24", "aime25"], "gpqa": ["gpqa", "mmlu"]]
    let catalog = try BenchmarkCatalog(ResourceSearch())
    let extractors = try #require(shipped[kind]).map { name in
      let definition = try catalog.definition(named: name)
      return AnswerExtractor(steps: definition.extraction, grading: definition.grading)
    }
    #expect(Set(extractors).count == 1)
    return try #require(extractors.first)
  }

  @Test func extractionAgrees() throws {
    let cases: [Extraction] = try Self.load("extraction")
    #expect(!cases.isEmpty)
    var wrong: [String] = []
    let kinds = Set(cases.map(\.kind))
    let extractors = Dictionary(
      uniqueKeysWithValues: try kinds.map { ($0, try Self.extractor($0)) })
    for example in cases {
      let found = extractors[example.kind]?.extract(from: example.text)?.answer
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

  struct Vote: Decodable {
    let answers: [String?]
    let expected: String?
  }

  @Test func votesAgree() throws {
    let cases: [Vote] = try Self.load("votes")
    #expect(!cases.isEmpty)
    for example in cases {
      #expect(MajorityVote.winner(of: example.answers) == example.expected)
    }
  }
}
