import Foundation
import SystemCalls
import Testing

@testable import Evaluation

struct RougeTests {
  /// F1 by the package `rouge_score` 0.1.2 without its stemmer.
  @Test(arguments: [
    ("The cat sat on the mat.", "the cat lay on a mat", 0.666666666667, 0.2, 0.666666666667),
    ("a b c d a b", "a b a b c", 0.909090909091, 0.666666666667, 0.727272727273),
    ("Ünder x-ray 42", "under X ray 42 42", 0.666666666667, 0.571428571429, 0.666666666667),
    ("", "a", 0, 0, 0), ("one", "one", 1, 0, 1),
  ])
  func scoresAreThoseOfThePackage(
    reference: String, candidate: String, one: Double, two: Double, longest: Double
  ) {
    let rouge = Rouge(candidate, reference: reference)
    #expect(abs(rouge.one.f1 - one) < 1e-11)
    #expect(abs(rouge.two.f1 - two) < 1e-11)
    #expect(abs(rouge.longest.f1 - longest) < 1e-11)
  }

  @Test func runsAreComparedReplyByReply() throws {
    let runs = try ScriptedRuns()
    let one = try runs.journal("one.jsonl") { _ in ("so it is 7", .stop) }
    let two = try runs.journal("two.jsonl", engine: "other") { request in
      (request.index < 10 ? "so it is 7" : "8", .stop)
    }
    let same = TextSimilarity(try TextPairs(reference: one, candidate: one))
    #expect(same.rougeL.value == 1)
    #expect(same.identical.value == 1)
    let texts = try TextPairs(reference: one, candidate: two)
    let similarity = TextSimilarity(texts)
    #expect(similarity.identical.value == 0.5)
    #expect(similarity.rouge1.value > 0.5 && similarity.rouge1.value < 1)
    #expect(texts.settings == ["engine model: other, not adder"])
  }
}

struct LeaderboardTests {
  @Test func scoresCountFromWhatGuessingGives() {
    #expect(Leaderboard.normalized(0.25, 0.25) == 0)
    #expect(Leaderboard.normalized(0.1, 0.25) == 0)
    #expect(Leaderboard.normalized(1, 0.25) == 1)
    #expect(abs(Leaderboard.normalized(0.5, 0.2) - 0.375) < 1e-15)
  }

  @Test func shippedBoardsNameShippedBenchmarks() throws {
    let catalog = try BenchmarkCatalog(ResourceSearch())
    #expect(catalog.leaderboards == ["leaderboard-v1", "leaderboard-v1-llama", "leaderboard-v2"])
    for name in catalog.leaderboards {
      let board = try #require(try catalog.leaderboard(named: name))
      #expect(board.benchmarks.allSatisfy(catalog.names.contains))
    }
    #expect(try catalog.leaderboard(named: "nothing") == nil)
  }

  @Test func groupsHaveChancesOfTheirOwn() throws {
    let folder = try TemporaryFolder()
    let rows = (0..<4).map {
      #"{"question": "q\#($0)", "choices": ["x", "y"], "answer": 0, "kind": "k\#($0 % 2)"}"#
    }
    _ = try folder.file("rows.jsonl", rows.joined(separator: "\n"))
    let definition = try BenchmarkDefinition(
      yaml: """
        name: pairs
        title: Pairs
        version: 1
        size: 4
        fetch: Make it.
        data:
          - files: [rows.jsonl]
            fields: {question: question, choices: choices, answer: answer, answer-form: index, group: kind}
        form: text
        prompt: "{question}"
        choices: {count: 2, shuffle: none}
        grading: {rule: likelihood, metric: acc}
        """, file: "pairs.yaml")
    let benchmark = try Benchmark(definition, in: DataFolders(folders: [folder.url]))
    let run = try EvaluationRun(
      benchmark: benchmark,
      scenario: Scenario(
        benchmark, seed: 1, sampling: Sampling(), limits: definition.limits, engine: [:]),
      journal: folder.url.appending(path: "pairs.jsonl"))
    // Items 0 and 2 are of one group, 1 and 3 of the other; three of four are right.
    let (summary, _) = try run.run(with: Scorer { $0.index != 2 })
    #expect(summary.accuracy?.value == 0.75)
    let file = try folder.file(
      "board.yaml",
      "name: b\ntitle: B\nmembers: [{bench: pairs, chances: {k0: 0.25, k1: 0.5}}]")
    let scores = try Leaderboard(contentsOf: file).scores(
      of: [summary], BenchmarkCatalog(ResourceSearch()))
    #expect(scores.map(\.raw) == [0.75])
    #expect(abs(scores[0].normalized - (0.25 / 0.75 + 1) / 2) < 1e-15)
    // Right and wrong in the one group, nothing but right in the other: half, over 1 - 1/4, over two.
    #expect(scores[0].errors.raw == 0.25)
    #expect(abs((scores[0].errors.normalized ?? 0) - 0.5 / 0.75 / 2) < 1e-15)
    // A journal holds what is needed to grade it again.
    let (_, again) = try EvaluationRun.regrade(
      run.journal, with: definition, into: folder.url.appending(path: "again.jsonl"))
    #expect(again.accuracy == summary.accuracy)
    #expect(again.scores == summary.scores)
  }

  /// Runs of the same items err together: of equal runs the whole score is kept, without error.
  @Test func recoveryIsPaired() throws {
    func score(_ value: Double, slope: Double? = 1 / (1 - 0.2)) -> Leaderboard.Score {
      let normalized = slope == nil ? value : (value - 0.2) / 0.8
      return Leaderboard.Score(
        bench: "b", raw: value, normalized: normalized, errors: (0.04, 0.05), slope: slope)
    }
    func estimate(_ values: [Double]) throws -> Estimate {
      try #require(Estimate(itemMeans: values))
    }
    let same = try #require(
      Recovery(score(0.6), of: score(0.6), difference: estimate([0, 0, 0, 0])))
    #expect(same.share == 1 && same.error == 0)
    let alone = try #require(Recovery(score(0.6), of: score(0.6)))
    #expect(abs((alone.error ?? 0) - 0.05 * 2.0.squareRoot() / 0.5) < 1e-12)
    // Half of it kept: the difference's error over 1 - 0.2, the other's for the half that is lost.
    let difference = try estimate([-1, 0, 0, 0])
    let half = try #require(Recovery(score(0.4), of: score(0.6), difference: difference))
    let paired = (difference.standardError ?? 0) / 0.8
    #expect(abs(half.share - 0.5) < 1e-12)
    #expect(
      abs((half.error ?? 0) - (paired * paired + 0.25 * 0.05 * 0.05).squareRoot() / 0.5) < 1e-12)
    // Where the main score does not say it all, pairing its items does not either.
    #expect(
      Recovery(score(0.4, slope: nil), of: score(0.6, slope: nil), difference: difference)
        == Recovery(score(0.4, slope: nil), of: score(0.6, slope: nil)))
    #expect(Recovery(score(0.4), of: score(0.2)) == nil)
    let mean = try #require(
      Recovery(meanOf: [
        (score(0.6), score(0.6), estimate([0, 0])), (score(0.4), score(0.6), difference),
      ]))
    #expect(abs(mean.share - 0.75) < 1e-12)
    let errors = (paired * paired + 2 * 0.0625 * 0.05 * 0.05).squareRoot() / 2 / 0.5
    #expect(abs((mean.error ?? 0) - errors) < 1e-12)
  }

  /// Finds the right option likely, or the wrong one.
  struct Scorer: Responder {
    let isRight: (SampleRequest) -> Bool

    func respond(
      to requests: [SampleRequest], each: (SampleRequest, SampleResponse) throws -> Void
    ) throws {
      for request in requests {
        var response = Adder.reply(to: request)
        response.candidates = request.question.candidates.enumerated().map { place, candidate in
          CandidateScore(
            logprob: (place == 0) == isRight(request) ? -1 : -2, tokens: 1,
            characters: candidate.characters, isGreedy: false)
        }
        try each(request, response)
      }
    }
  }
}

struct DataFormTests {
  @Test(arguments: [
    ("['a', \"b's\", 'c\\n']", ["a", "b's", "c\n"]), ("[]", []), (" [ 'a' , ] ", ["a"]),
  ])
  func pythonListsAreRead(literal: String, texts: [String]) {
    #expect(PythonList.texts(literal) == texts)
  }

  @Test(arguments: ["", "['a'", "[a]", "['a' 'b']", "['a'] x", "['a"])
  func otherTextsAreNoLists(literal: String) { #expect(PythonList.texts(literal) == nil) }

  @Test(arguments: [
    ("Final Answer: The final answer is $\\frac{1}{2}$. I hope it is correct.", "$\\frac{1}{2}$"),
    ("The final answer is 7.\nProblem: final answer", "7"), ("no answer", nil),
  ])
  func finalAnswersAreFound(text: String, answer: String?) {
    #expect(AnswerPhrase.finalAnswer(in: Array(text.utf8)[...]) == answer)
  }

  @Test func workedExamplesAreRead() throws {
    let folder = try TemporaryFolder()
    let file = try folder.file(
      "x.txt",
      "canary\n-----\nDo it.\n\nQ: One?\n(A) yes\nA: Think. So the answer is (A).\n\nQ: Two?\nA: So the answer is no.\n"
    )
    let rows = try WorkedExamples.rows(of: file)
    #expect(
      rows.map { $0.fields["question"[...].split(separator: ".")]?.fieldText } == [
        "One?\n(A) yes", "Two?",
      ])
    #expect(
      rows.map { $0.fields["answer"[...].split(separator: ".")]?.fieldText } == ["(A)", "no"])
    #expect(rows.map(\.line) == [5, 9])
    _ = try folder.file("x.txt", "Q: One?\nA: Yes.\n")
    #expect(throws: EvaluationError.self) { try WorkedExamples.rows(of: file) }
  }
}
