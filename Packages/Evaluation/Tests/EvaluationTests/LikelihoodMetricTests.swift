import Foundation
import Testing

@testable import Evaluation

struct LikelihoodMetricTests {
  func candidates(_ values: [(Double, Int)]) -> [CandidateScore] {
    values.map { CandidateScore(logprob: $0.0, tokens: 1, characters: $0.1, isGreedy: false) }
  }

  @Test func lengthsCountByCharacters() throws {
    let scores = candidates([(-4, 4), (-6, 12), (-9, 3)])
    let plain = try #require(LikelihoodMetric.accuracy.grade(scores, right: [1]))
    #expect(plain.extracted == "0")
    #expect(!plain.correct)
    #expect(plain.scores == ["acc": 0, "acc_norm": 1])
    let normalized = try #require(LikelihoodMetric.normalized.grade(scores, right: [1]))
    #expect(normalized.extracted == "1")
    #expect(normalized.correct)
  }

  @Test func massIsTheShareOfTheRightOnes() throws {
    let scores = candidates([(-1, 1), (-2, 1), (-3, 1)])
    let grade = try #require(LikelihoodMetric.mass.grade(scores, right: [0, 2]))
    let expected = (exp(-1.0) + exp(-3)) / (exp(-1) + exp(-2) + exp(-3))
    #expect(abs(try #require(grade.scores?["mc2"]) - expected) < 1e-15)
    // Probabilities that no number holds have a share all the same.
    let small = candidates([(-2000, 1), (-2001, 1)])
    let share = try #require(LikelihoodMetric.mass.grade(small, right: [1])?.scores?["mc2"])
    #expect(abs(share - 1 / (1 + exp(1))) < 1e-15)
  }

  @Test func amongEqualsTheFirstIsChosen() throws {
    let grade = try #require(
      LikelihoodMetric.accuracy.grade(candidates([(-1, 1), (-1, 1)]), right: [1]))
    #expect(grade.extracted == "0")
    #expect(LikelihoodMetric.accuracy.grade([], right: [0]) == nil)
  }
}

struct ExactMatchTests {
  func gsm8k() throws -> ExactMatch {
    let definition = try BenchmarkDefinition(
      yaml: sumsYAML.replacing("extraction: [box, open-box]\n", with: "").replacing(
        "grading: {rule: integer}",
        with: #"""
          grading:
            rule: exact
            filters:
              - {name: strict, pattern: "#### (\\-?[0-9\\.\\,]+)", take: first}
              - {name: flexible, pattern: "(-?[$0-9.,]{2,})|(-?[0-9]+)", take: last}
            ignore: [",", "\\$", "(?s).*#### ", "\\.$"]
            ignore-case: true
          """#),
      file: "x.yaml")
    guard case .exact(let match) = definition.grading else {
      throw EvaluationError.notComparable(reason: "no exact match")
    }
    return match
  }

  @Test(arguments: [
    ("So it is 7.\n#### 1,200", "a\n#### 1200", ["strict": 1.0, "flexible": 1.0]),
    ("So it is $1,200.", "a\n#### 1200", ["strict": 0, "flexible": 1]),
    ("#### 7\nor 8", "#### 7", ["strict": 1, "flexible": 0]),
    ("nothing", "#### 7", ["strict": 0, "flexible": 0]),
  ])
  func filtersTakeTheirPieces(reply: String, key: String, scores: [String: Double]) throws {
    let grade = try gsm8k().grade(reply, key: key)
    #expect(grade.scores == scores)
    #expect(grade.correct == (scores["strict"] == 1))
  }

  @Test func withoutPatternTheReplyIsTheAnswer() {
    let match = ExactMatch(
      filters: [ExactMatch.Filter(name: "strict", pattern: nil, take: .first)],
      ignore: [#"\.$"#], ignoresCase: true, ignoresPunctuation: true)
    #expect(match.grade(" b", key: "B.").correct)
    #expect(!match.grade(" b because", key: "B.").correct)
  }
}

struct TextWindowTests {
  @Test func paragraphsAreJoinedAndWindowsCut() throws {
    let folder = try TemporaryFolder()
    _ = try folder.file("wiki.test.raw", " \n = Title = \n \n Some text .\n")
    let yaml = """
      name: text
      title: Text
      version: 1
      size: 1
      fetch: Make it.
      data: [{files: [wiki.test.raw]}]
      form: text
      prompt: "{question}"
      grading: {rule: perplexity, window: 4}
      """
    let definition = try BenchmarkDefinition(yaml: yaml, file: "text.yaml")
    let text = try ScoredTextFile(definition, in: DataFolders(folders: [folder.url]))
    #expect(text.text == "\n\n = Title = \n\n\n\n\n Some text .\n")
    let benchmark = try text.windows(context: 8) { $0.utf8.prefix(11).map { Int32($0) } }
    #expect(benchmark.items.count == 2)
    #expect(benchmark.question(1, order: []).tokens == [32, 84, 105, 116].map { Int32($0) })
    #expect(throws: EvaluationError.self) {
      try text.windows(context: 3) { $0.utf8.map { Int32($0) } }
    }
    #expect(throws: EvaluationError.self) { try text.windows(context: 8) { _ in [1] } }
  }

  @Test func lossBecomesPerplexity() throws {
    var tally = ScoreTally()
    let folder = try TemporaryFolder()
    let benchmark = try sums(in: folder)
    for (index, loss) in [1.0, 2.0].enumerated() {
      var response = Adder.reply(
        to: try EvaluationRun(
          benchmark: benchmark, scenario: scenario(of: benchmark),
          journal: folder.url.appending(path: "x")
        ).request(for: SampleID(index: index, sample: 0)))
      response.candidates = [
        CandidateScore(logprob: -loss * 3, tokens: 3, characters: 0, isGreedy: false)
      ]
      let grade = GradingRule.perplexity(window: 4).grade(response, key: "", steps: [])
      #expect(grade.scores == ["loss": loss])
      tally.add(grade.scores ?? [:], of: index, group: nil)
    }
    let score = try #require(tally.scores(main: "loss").first)
    #expect(score.name == "perplexity")
    #expect(abs(score.estimate.value - exp(1.5)) < 1e-12)
  }
}
