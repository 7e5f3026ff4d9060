import Testing

@testable import KVCaches

@Suite struct SelectionTests {
  @Test func streamingKeepsSinksAndRecentTokens() {
    #expect(Selection.streaming(count: 10, budget: 6, sinks: 2) == [0, 1, 6, 7, 8, 9])
    #expect(Selection.streaming(count: 6, budget: 6, sinks: 3) == [0, 1, 2, 3, 4, 5])
    #expect(Selection.streaming(count: 5, budget: 3, sinks: 0) == [2, 3, 4])
  }

  @Test func theHighestScoresStay() {
    let scores: [Float] = [0.5, -1, 0.75, -.infinity, 0.5, -0.25]
    #expect(Selection.highest(scores, budget: 5, recent: 2, order: .score) == [2, 0, 4, 6, 7])
    #expect(Selection.highest(scores, budget: 5, recent: 2, order: .position) == [0, 2, 4, 6, 7])
    #expect(Selection.highest(scores, budget: 6, recent: 1, order: .score) == [2, 0, 4, 5, 1, 6])
    #expect(Selection.highest(scores, budget: 2, recent: 2, order: .score) == [6, 7])
  }
}
