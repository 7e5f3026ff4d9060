import KVLayout
import Testing

@testable import MemoryPlanner

/// Rules that end votes and thoughts early, as an axis of plans.
@Suite struct TokenSavingTests {
  private func request(
    _ change: (inout PlanRequest) -> Void = { _ in }
  ) throws -> PlanRequest {
    let model = try #require(Qwen3Family.models.first { $0.name == "4b" })
    var request = try PlanRequest(
      memory: 64 << 30, task: .math, models: [model], precisions: [WeightPrecision(bits: 8)],
      policies: [.full], thinkBudgets: [6000], samples: [1, 16])
    change(&request)
    return request
  }

  /// A vote that stops when it is decided is the whole vote for fewer tokens: nobody has to ask.
  @Test func exactVotesAreTheDefault() throws {
    let advice = try Planner.advise(request())
    let (votes, one) = (
      try #require(advice.first { $0.configuration.load.samples == 16 }),
      try #require(advice.first { $0.configuration.load.samples == 1 })
    )
    #expect(votes.configuration.voteRule == "decided" && one.configuration.voteRule == nil)
    let whole = try #require(
      Planner.advise(request { $0.voteRules = ["all"] }).first {
        $0.configuration.load.samples == 16
      })
    #expect(votes.expected == whole.expected && votes.memory == whole.memory)
    #expect(one.savings.isEmpty && whole.savings.isEmpty)
    let saving = try #require(votes.savings.first)
    #expect(saving.saved > 0.1 && saving.source.contains("docs/thinking.md"))
    #expect(saving.text.hasPrefix("stop when decided: "))
  }

  /// Thoughts that stop answer sooner, not as well, and their probes take pages.
  @Test func stableThoughtsTradeAccuracyForSeconds() throws {
    let speed = MachineSpeed(bytesPerSecond: 5e10)
    func row(_ rules: [String]) throws -> Advice {
      let advice = try Planner.advise(request { $0.thoughtRules = rules }, speed: speed)
      return try #require(advice.first { $0.configuration.load.samples == 1 })
    }
    let (plain, stable) = (try row([]), try row(["stable:4"]))
    #expect(try #require(stable.seconds) < 0.65 * #require(plain.seconds))
    #expect(try #require(stable.expected).value < #require(plain.expected).value)
    #expect(stable.memory.kv > plain.memory.kv)
    let unknown = try #require(row(["stable:9"]).expected)
    #expect(unknown.steps.contains { $0.contains("nothing is known") })
    #expect(unknown.range.upperBound > (try #require(plain.expected)).range.upperBound)
  }

  @Test func whatAStudyMeasuredOfARuleComesFirst() throws {
    func measured(_ rule: String?, _ saved: Double?, _ accuracy: Double) -> MeasuredAccuracy {
      MeasuredAccuracy(
        model: "4b", bits: 8, kv: "bf16", thinkBudget: 6000, samples: 16, rule: rule,
        saved: saved, task: .math, accuracy: accuracy, standardError: 0.01, study: "mine",
        benchmark: "aime25")
    }
    func best(_ measurements: [MeasuredAccuracy], _ rules: [String]) throws -> Advice {
      let advice = try Planner.advise(
        request {
          $0.voteRules = rules
          $0.samples = [16]
        }, measurements: measurements)
      return try #require(advice.first)
    }
    let both = [measured(nil, nil, 0.7), measured("beta:0.9", 0.6, 0.69)]
    let decided = try best(both, ["decided"])
    #expect(decided.expected?.value == 0.7 && decided.savings.first?.source != "mine")
    let beta = try best(both, ["beta:0.9"])
    #expect(beta.expected?.value == 0.69 && beta.savings.first?.saved == 0.6)
    let own = try best(both + [measured("decided", 0.2, 0.7)], ["decided"])
    #expect(own.savings.first?.saved == 0.2 && own.savings.first?.source == "mine")
  }

  @Test func rulesOfThoughtsExcludeThoseOfVotes() throws {
    let all = try request {
      $0.thoughtRules = ["stable:3", "stable:4"]
    }.configurations()
    #expect(all.count == 4 && all.allSatisfy { $0.voteRule == nil && $0.thoughtRule != nil })
    #expect(all[0].description.hasSuffix("stop thoughts at stable:3"))
  }
}
