import Testing

@testable import Evaluation

struct VoteTallyTests {
  @Test func theOrderOfRepliesMakesNoDifference() {
    let answers: [String?] = ["0.5", "7", nil, #"\frac{1}{2}"#, "7", "12", #"\frac12"#, nil]
    let tally = VoteTally(boxed: answers)
    #expect(tally.ranking.map(\.answer) == ["0.5", "7", "12"])
    #expect(tally.ranking.map(\.votes) == [3, 2, 1] && tally.none == 2)
    #expect(tally.winner == "0.5")
    for seed in 0..<20 {
      let order = SampleSeed.permutation(of: answers.count, seed: UInt64(seed))
      #expect(VoteTally(boxed: order.map { answers[$0] }) == tally)
    }
  }

  @Test func tiesHaveNoWinner() {
    let tie = VoteTally(boxed: ["10", "2", "2", "10", "3"])
    #expect(tie.leaders == ["2", "10"] && tie.winner == nil)
    let empty = VoteTally(boxed: [nil, nil])
    #expect(empty.leaders == [] && empty.winner == nil && empty.none == 2)
  }

  @Test func weightsDecideAndVotesAreCounted() {
    let answers: [String?] = ["1", "2", "1", nil, "2.0", "3"]
    let weights = [0.1, 0.4, 0.2, 0.9, 0.3, 0.6]
    let tally = VoteTally(boxed: answers, weights: weights)
    #expect(tally.ranking.map(\.answer) == ["2", "3", "1"])
    #expect(tally.ranking.map(\.votes) == [2, 1, 2] && tally.isWeighted && tally.none == 1)
    #expect(tally.winner == "2" && tally.ranking[1].weight == 0.6)
    for seed in 0..<20 {
      let order = SampleSeed.permutation(of: answers.count, seed: UInt64(seed))
      let other = VoteTally(
        boxed: order.map { answers[$0] }, weights: order.map { weights[$0] })
      #expect(other == tally)
    }
    #expect(!VoteTally(boxed: answers).isWeighted)
  }

  @Test func weightsAreReadAndPrinted() {
    for text in ["equal", "confidence:64"] {
      #expect(VoteWeights(parsing: text).map { "\($0)" } == text)
    }
    #expect(VoteWeights(parsing: "confidence") == .confidence(window: 32))
    for text in ["", "sure", "confidence:", "confidence:0", "confidence:x", "equal:1"] {
      #expect(VoteWeights(parsing: text) == nil)
    }
    let weights = VoteWeights.confidence(window: 4)
    #expect(weights.weight(0) == 1 && abs(weights.weight(-1) - 0.36788) < 1e-5)
    #expect(weights.weight(nil) == 0 && VoteWeights.equal.weight(nil) == 1)
  }

  @Test func textsThatAreNoMathematicsAreTheirOwn() {
    let tally = VoteTally(["a", "A", "a"]) { $0 == $1 }
    #expect(tally.ranking.map(\.votes) == [2, 1] && tally.winner == "a")
    #expect(VoteTally(boxed: ["Paris", "Paris", "Rome"]).winner == "Paris")
  }
}
