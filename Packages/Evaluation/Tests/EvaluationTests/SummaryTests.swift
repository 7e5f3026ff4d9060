import Foundation
import Testing

@testable import Evaluation

struct SummaryTests {
  let runs: ScriptedRuns

  init() throws { runs = try ScriptedRuns() }

  @Test func badEndingsAreCountedAndWarnedAbout() throws {
    let summary = try Summary(
      journal: runs.journal("a.jsonl") { request in
        switch request.index {
        case 0: ("\\boxed{1", .length)
        case 1: ("no idea", .stop)
        case 2: (" \n", .budget)
        case 3: ("", .failed)
        default: ("\\boxed{\(request.index + 1)}", .stop)
        }
      })
    #expect(
      summary.flags
        == ReplyFlags(truncated: 2, budget: 2, unparsed: 2, unanswered: 2, failed: 2, looping: 0))
    #expect(summary.steps == ["box": 32, "open-box": 2, "none": 4])
    #expect(summary.accuracy?.value == 17.0 / 19)
    #expect(summary.warnings.count == 4)
    #expect(summary.warnings[0].hasPrefix("2 of 40 replies could not be had"))
    #expect(summary.warnings[1].hasPrefix("2 of 38 replies (5.3 %) were cut off"))
    #expect(summary.groups.map(\.size) == [1, 2])
    #expect(summary.groups.first?.pass == summary.accuracy)
  }
}
