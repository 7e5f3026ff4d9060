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
    #expect(summary.steps == ["box": 32, "open-box": 2, "none": 6])
    #expect(summary.accuracy?.value == 0.85)
    #expect(summary.warnings.count == 4)
    #expect(summary.warnings.first?.hasPrefix("2 of 40 replies (5.0 %) were cut off") == true)
    #expect(summary.groups.map(\.size) == [1, 2])
    #expect(summary.groups.first?.pass == summary.accuracy)
  }
}
