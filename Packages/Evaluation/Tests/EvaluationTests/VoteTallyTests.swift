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

  @Test func textsThatAreNoMathematicsAreTheirOwn() {
    let tally = VoteTally(["a", "A", "a"]) { $0 == $1 }
    #expect(tally.ranking.map(\.votes) == [2, 1] && tally.winner == "a")
    #expect(VoteTally(boxed: ["Paris", "Paris", "Rome"]).winner == "Paris")
  }
}
