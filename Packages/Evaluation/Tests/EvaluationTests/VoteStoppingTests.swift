import Foundation
import Testing

@testable import Evaluation

struct VoteStoppingTests {
  private let same: (String, String) -> Bool = { $0 == $1 }

  @Test func decidedNeverChangesTheWinner() {
    for seed in 0..<300 {
      let total = 1 + seed % 12
      var random = SplitMix64(state: UInt64(seed))
      let answers: [String?] = (0..<total).map { _ in
        let draw = random.next(below: 4)
        return draw == 3 ? nil : "\(draw)"
      }
      let full = VoteTally(answers, areEqual: same)
      let stop = VoteRule.decided.stop(answers, of: total, areEqual: same) ?? -1
      #expect((1...total).contains(stop))
      let part = VoteTally(Array(answers.prefix(stop)), areEqual: same)
      #expect(part.leaders == full.leaders || stop == total)
    }
  }

  @Test func decidedStopsAsSoonAsItCan() {
    let answers: [String?] = ["7", "7", "8", "7", "9"]
    #expect(VoteRule.decided.stop(answers, of: 5, areEqual: same) == 4)
    #expect(VoteRule.decided.stop(["7", "7", "7"], of: 5, areEqual: same) == 3)
    #expect(VoteRule.decided.stop(["7", "7"], of: 5, areEqual: same) == nil)
    #expect(VoteRule.all.stop(answers, of: 5, areEqual: same) == 5)
  }

  /// Beta(n + 1, 1) has 1 - 2^-(n + 1) above one half; with equal votes the mass is one half.
  @Test func leadsHaveTheProbabilityOfTheBetaDistribution() {
    #expect(abs(VoteRule.lead(4, over: 0) - (1 - pow(2.0, -5))) < 1e-12)
    #expect(abs(VoteRule.lead(3, over: 3) - 0.5) < 1e-12)
    #expect(abs(VoteRule.lead(2, over: 1) - 11.0 / 16) < 1e-12)
    #expect(abs(VoteRule.lead(2000, over: 2000) - 0.5) < 1e-9)
    #expect(VoteRule.beta(0.95).stop(["7", "7", "7", "7"], of: 16, areEqual: same) == 4)
  }

  /// What is missing may weigh 1 each.
  @Test func decidedHoldsForWeights() {
    for seed in 0..<300 {
      let total = 1 + seed % 12
      var random = SplitMix64(state: UInt64(seed))
      let answers: [String?] = (0..<total).map { _ in "\(random.next(below: 3))" }
      let weights = answers.map { _ in Double(1 + random.next(below: 100)) / 100 }
      let full = VoteTally(answers, weights: weights, areEqual: same)
      let stop =
        VoteRule.decided.stop(answers, weights: weights, of: total, areEqual: same) ?? -1
      #expect((1...total).contains(stop))
      let part = VoteTally(
        Array(answers.prefix(stop)), weights: Array(weights.prefix(stop)), areEqual: same)
      #expect(part.leaders == full.leaders || stop == total)
    }
    #expect(VoteRule.decided.takesWeights && !VoteRule.beta(0.95).takesWeights)
  }

  @Test func rulesAreReadAndPrinted() {
    for text in ["all", "decided", "beta:0.95"] {
      #expect(VoteRule(parsing: text).map { "\($0)" } == text)
    }
    for text in ["", "beta", "beta:0.5", "beta:1", "beta:x", "decided:1"] {
      #expect(VoteRule(parsing: text) == nil)
    }
  }

  @Test func aPoolCountsWhatIsLeftOut() {
    let votes = [0, 0, 1, 0, 1].map { VotePool.Vote(answer: $0, tokens: 10) }
    let cost = VotePool.cost(.decided, votes, [true, false])
    #expect(cost.count == 4 && cost.tokens == 40 && cost.credit == 1)
    let tie = VotePool.cost(.decided, Array(votes.dropFirst()).dropLast(0), [true, false])
    #expect(tie.count == 4 && tie.credit == 0.5)
    let weights = zip([0, 0, 1], [0.2, 0.3, 0.9]).map {
      VotePool.Vote(answer: $0, tokens: 1, weight: $1)
    }
    #expect(VotePool.cost(.all, weights, [true, false]).credit == 0)
    #expect(VotePool.cost(.all, weights, [false, true]).credit == 1)
    let none = VotePool.cost(.all, [VotePool.Vote(answer: nil, tokens: 3)], [])
    #expect(none.credit == 0 && none.count == 1 && none.tokens == 3)
  }

  @Test func thoughtsStopWhereProbesAgree() throws {
    let rule = try #require(StableAnswer(agreeing: 2))
    #expect(rule.stop(["1", "2", "2", "3"], areEqual: same) == 2)
    #expect(rule.stop(["1", nil, "1"], areEqual: same) == nil)
    #expect(rule.stop(["1", "1"], areEqual: same) == 1)
    #expect(try #require(StableAnswer(agreeing: 3)).stop(["1", "1", "2"], areEqual: same) == nil)
    #expect(StableAnswer(agreeing: 1) == nil)
  }
}
