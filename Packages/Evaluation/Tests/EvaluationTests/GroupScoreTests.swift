import Testing

@testable import Evaluation

struct GroupScoreTests {
  /// Every subset of the replies, counted one by one.
  func enumerate(_ answers: [String?], right: String, size: Int) -> (pass: Double, majority: Double)
  {
    var (subsets, pass, credit) = (0.0, 0.0, 0.0)
    for mask in 0..<(1 << answers.count) where mask.nonzeroBitCount == size {
      let picked = answers.indices.filter { mask >> $0 & 1 == 1 }.compactMap { answers[$0] }
      var votes: [String: Int] = [:]
      for answer in picked { votes[answer, default: 0] += 1 }
      subsets += 1
      pass += votes[right] == nil ? 0 : 1
      let most = votes.values.max()
      let tied = votes.filter { $0.value == most }
      if tied[right] != nil { credit += 1 / Double(tied.count) }
    }
    return (pass / subsets, credit / subsets)
  }

  @Test(arguments: [
    ["1", "1", "2", "2", "3", nil, nil, "1"], ["2", "2", "2", "1"], ["1"], [nil, nil, "2"],
    ["1", "2", "3", "4", "5", "6", "7"], ["1", "1", "1", "2", "2", "2", "3", "3", "3"],
  ])
  func formulasAgreeWithCounting(answers: [String?]) {
    let outcomes = ItemOutcomes(answers: answers, correct: answers.map { $0 == "1" })
    let votes = VoteCounts(outcomes, grading: .text)
    for size in 1...answers.count {
      let expected = enumerate(answers, right: "1", size: size)
      #expect(abs(MajorityVote.expectedCredit(votes, size: size) - expected.majority) < 1e-12)
      let pass = PassAtK.estimate(right: votes.right, total: votes.total, size: size)
      #expect(abs(pass - expected.pass) < 1e-12)
    }
  }

  @Test func manyRepliesStayExact() {
    // Two answers, 500 votes each: by symmetry one half, at every size.
    let votes = VoteCounts(right: 500, wrong: [500], none: 0)
    for size in [1, 2, 17, 100] {
      #expect(abs(MajorityVote.expectedCredit(votes, size: size) - 0.5) < 1e-9)
    }
  }

  @Test func equalAnswersVoteTogether() {
    let answers = ["0.5", #"\frac{1}{2}"#, "3", "3.0", #"\frac{6}{2}"#]
    let outcomes = ItemOutcomes(answers: answers, correct: [true, true, false, false, false])
    #expect(
      VoteCounts(outcomes, grading: .mathematics) == VoteCounts(right: 2, wrong: [3], none: 0))
    #expect(
      VoteCounts(outcomes, grading: .text) == VoteCounts(right: 2, wrong: [1, 1, 1], none: 0))
  }

  @Test func theFirstOfEqualsWinsASingleVote() {
    #expect(MajorityVote.winner(of: ["2", "1", "1", "2"]) == "2")
    #expect(MajorityVote.winner(of: [nil, "b", "a", "a"]) == "a")
    #expect(MajorityVote.winner(of: [nil]) == nil)
  }

  @Test func sizesEndWithAllReplies() {
    #expect(GroupScore.sizes(upTo: 0) == [])
    #expect(GroupScore.sizes(upTo: 1) == [1])
    #expect(GroupScore.sizes(upTo: 5) == [1, 2, 3, 4, 5])
    #expect(GroupScore.sizes(upTo: 16) == [1, 2, 3, 4, 6, 8, 12, 16])
  }
}
