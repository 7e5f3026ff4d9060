import Foundation
import Testing

@testable import Evaluation

/// Replies that could not be had.
@Suite struct FailedReplyTests {
  /// Adds, but has no reply to every fifth request.
  private struct Unsteady: Responder {
    func respond(
      to requests: [SampleRequest], each: (SampleRequest, SampleResponse) throws -> Void
    ) throws {
      for (place, request) in requests.enumerated() {
        try each(
          request,
          place % 5 == 0 ? .failed("no answer", seconds: 1) : Adder.reply(to: request))
      }
    }
  }

  @Test func countInNoScoreAndAreAskedForAgain() throws {
    let folder = try TemporaryFolder()
    let benchmark = try sums(in: folder)
    let run = try EvaluationRun(
      benchmark: benchmark, scenario: scenario(of: benchmark),
      journal: folder.url.appending(path: "run.jsonl"))
    let some = try run.run(with: Unsteady()).summary
    #expect(some.flags.failed == 8)
    #expect(some.replies == 32)
    #expect(some.flags.unanswered == 0)
    #expect(some.steps["none"] == nil)
    #expect(some.warnings.contains { $0.hasPrefix("8 of 40 replies could not be had") })
    #expect(!some.warnings.contains { $0.hasPrefix("only") })
    let text = try String(contentsOf: run.journal, encoding: .utf8)
    #expect(text.components(separatedBy: #""failure":"no answer""#).count == 9)
    // A run that is whole asks nobody again, unless it is told to.
    let sweep = try BudgetSweep([run])
    #expect(try sweep.finished()?.first?.summary == some)
    #expect(try sweep.finished(damage: .dropFailed) == nil)
    let all = try run.run(with: Adder(), damage: .dropFailed)
    #expect(all.summary.replies == 40 && all.summary.flags.failed == 0)
    #expect(all.notes == ["8 replies that could not be had are asked for again"])
    let other = try EvaluationRun(
      benchmark: benchmark, scenario: scenario(of: benchmark),
      journal: folder.url.appending(path: "other.jsonl"))
    _ = try other.run(with: Adder())
    #expect(try Data(contentsOf: run.journal) == Data(contentsOf: other.journal))
  }

  @Test func failuresAreNoAnswersToAnyRule() throws {
    var failed = SampleResponse.failed("gone", seconds: 0)
    failed.answer = "\\boxed{1} without any comma"
    var good = failed
    good.finish = .stop
    for (rule, key, steps) in [
      (GradingRule.instructions, #"[{"id": "punctuation:no_comma"}]"#, []),
      (.integer(from: nil, to: nil), "1", [ExtractionStep.box]),
    ] {
      #expect(rule.grade(good, key: key, steps: steps).correct)
      #expect(rule.grade(failed, key: key, steps: steps) == .none)
    }
  }
}
