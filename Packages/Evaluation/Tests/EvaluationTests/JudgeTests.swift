import Foundation
import SystemCalls
import Testing

@testable import Evaluation

/// Answers that a judge compares with another model's.
struct JudgeTests {
  private let folder: TemporaryFolder
  private let questions: Benchmark
  private let catalog: BenchmarkCatalog

  init() throws {
    folder = try TemporaryFolder()
    catalog = try BenchmarkCatalog(ResourceSearch())
    let rows = (0..<4).map {
      #"{"question_id": "q\#($0)", "cluster": "c", "turns": [{"content": "Say \#($0) {choices}."}]}"#
    }
    _ = try folder.file("arena-hard/question.jsonl", rows.joined(separator: "\n"))
    questions = try Benchmark(
      catalog.definition(named: "arena-hard"), in: DataFolders(folders: [folder.url]))
  }

  /// Answers whatever it is told, to each item and sample.
  private struct Teller: Responder {
    let answer: (SampleRequest) -> String?
    func respond(
      to requests: [SampleRequest], each: (SampleRequest, SampleResponse) throws -> Void
    ) throws {
      for request in requests {
        guard let text = answer(request) else {
          try each(request, .failed("none", seconds: 0))
          continue
        }
        try each(
          request,
          SampleResponse(
            thought: "", answer: text, promptTokens: 1, thoughtTokens: 0, injectedTokens: 0,
            answerTokens: 1, finish: .stop, cost: SampleCost(seconds: 0)))
      }
    }
  }

  private func run(
    _ benchmark: Benchmark, _ name: String, _ answer: @escaping (SampleRequest) -> String?
  ) throws -> EvaluationRun {
    let run = try EvaluationRun(
      benchmark: benchmark,
      scenario: Scenario(
        benchmark, seed: 1, sampling: Sampling(), limits: benchmark.definition.limits,
        engine: ["model": name]),
      journal: folder.url.appending(path: "\(name).jsonl"))
    _ = try run.run(with: Teller(answer: answer))
    return run
  }

  /// The answers "own 0" and so on, and those of a file "other 0".
  private func pairs() throws -> Benchmark {
    let own = try run(questions, "own") { "own \($0.index)" }
    let rows = (0..<4).map {
      #"{"question_id": "q\#($0)", "model_id": "gpt", "choices": [{"index": 0, "turns": "#
        + #"[{"content": "other \#($0)"}]}]}"#
    }
    let other = try folder.file("gpt.jsonl", rows.joined(separator: "\n"))
    let (answers, baseline) = (
      try ModelAnswers(contentsOf: own.journal), try ModelAnswers(contentsOf: other)
    )
    #expect(answers.name == "own" && baseline.name == "gpt" && baseline.scenario == nil)
    return try Benchmark(
      judging: questions, answers, against: baseline, by: catalog.judge())
  }

  @Test func withoutJudgeNothingIsScored() throws {
    let summary = try Summary(journal: run(questions, "own") { _ in "so" }.journal)
    #expect(summary.accuracy == nil && summary.scores == nil)
    #expect(summary.warnings.count == 1 && summary.warnings[0].contains("without a judge"))
    let table = SummaryTable([SummaryTable.Run(name: "own", summary: summary)])
    for format in SummaryTable.Format.allCases { #expect(!table.text(format).contains("accuracy")) }
  }

  @Test func bothOrdersAreAsked() throws {
    let pairs = try pairs()
    #expect(pairs.items.count == 4)
    func question(_ sample: Int) -> SampleQuestion {
      let order = pairs.choiceOrder(of: pairs.items[2], sample: sample, seed: 7)
      return pairs.question(2, order: order)
    }
    #expect(
      question(0).prompt == """
        <|User Prompt|>
        Say 2 {choices}.

        <|The Start of Assistant A's Answer|>
        other 2
        <|The End of Assistant A's Answer|>

        <|The Start of Assistant B's Answer|>
        own 2
        <|The End of Assistant B's Answer|>
        """)
    #expect(question(1).prompt.contains("Assistant A's Answer|>\nown 2\n"))
    #expect(pairs.key(of: pairs.items[2], order: [0, 1]) == "B")
    #expect(pairs.key(of: pairs.items[2], order: [1, 0]) == "A")
    // As Arena-Hard has it, to the byte.
    #expect(
      Scenario.digest(of: question(0).opening)
        == "03f68010febd7a6405102ef882b4dd5a9700c56b2e1ff286d3b38f5d3a929bbf")
  }

  @Test(arguments: [
    ("so [[A>>B]]", "A>>B"), ("[[A=B]] and again [[A=B]]", "A=B"), ("[[B>A]][[x]]", "B>A"),
    ("[[A>B]] no, [[B>A]]", nil), ("A>B", nil), ("[[A>B", nil), ("[[A<B]]", nil), ("", nil),
  ])
  func verdictsAreFound(reply: String, verdict: String?) {
    #expect(Verdict(in: reply)?.text == verdict)
  }

  @Test func significantVerdictsCountThreefold() throws {
    // By question the verdicts where the other answer is shown first, and where it is second.
    let verdicts = [["B>>A", "A>B"], ["A>B", "B>>A"], ["A=B", "none"], ["A>>B", "A=B"]]
    let judged = try run(try pairs(), "judge") { "so: [[\(verdicts[$0.index][$0.sample])]]" }
    let report = try JudgeReport(journal: judged.journal)
    #expect(report.questions == 4 && report.undecided == 1)
    // First: 3 won, 1 lost, half of 1, 3 lost, of 8; second: 1 won, 3 lost, half of 1, of 5.
    let orders: [Double] = [3.5 / 8, 1.5 / 5]
    #expect(report.orders == orders)
    #expect(report.score == (orders[0] + orders[1]) / 2)
    let interval = try #require(report.interval)
    #expect(interval.contains(try #require(report.score)))
    #expect(interval.lowerBound < 0.2 && interval.upperBound > 0.5)
    #expect(try JudgeReport(journal: judged.journal) == report)
    let text = SummaryTable(report).text(.brief)
    #expect(text.contains("0.368") && text.contains(" to "))
  }

  @Test func whatWasNotJudgedHasNoScore() throws {
    let judged = try run(try pairs(), "judge") { $0.sample == 0 ? "[[B>A]]" : nil }
    let report = try JudgeReport(journal: judged.journal)
    #expect(report.orders == [1, nil] && report.score == nil && report.interval == nil)
    #expect(report.summary.flags.failed == 4)
    #expect(throws: EvaluationError.self) {
      try JudgeReport(journal: run(questions, "own") { _ in "so" }.journal)
    }
  }

  @Test func answersHaveToBeToTheSameQuestions() throws {
    let own = try ModelAnswers(contentsOf: run(questions, "own") { "\($0.index)" }.journal)
    let few = try folder.file(
      "few.jsonl", #"{"question_id": "q0", "choices": [{"turns": [{"content": "x"}]}]}"#)
    func error(_ baseline: ModelAnswers) -> String {
      let error = #expect(throws: EvaluationError.self) {
        try Benchmark(judging: questions, own, against: baseline, by: catalog.judge())
      }
      return error?.description ?? ""
    }
    #expect(error(try ModelAnswers(contentsOf: few)) == "few has no answer to q1")
    let others = try sums(in: TemporaryFolder())
    let wrong = try ModelAnswers(contentsOf: run(others, "wrong") { _ in "1" }.journal)
    #expect(error(wrong).contains("wrong are to other questions"))
    let broken = try folder.file("broken.jsonl", #"{"choices": []}"#)
    #expect(throws: EvaluationError.self) { try ModelAnswers(contentsOf: broken) }
  }
}
