import Testing

@testable import Evaluation

/// The frontier against the definition taken word by word.
@Suite struct ParetoFrontierTests {
  /// All points that no other beats: costs at most as much, brings at least as much, one of them
  /// strictly.
  private func bruteForce(_ costs: [Double], _ values: [Double]) -> Set<Int> {
    Set(
      costs.indices.filter { point in
        !costs.indices.contains { other in
          costs[other] <= costs[point] && values[other] >= values[point]
            && (costs[other] < costs[point] || values[other] > values[point])
        }
      })
  }

  @Test(arguments: 0..<200) func randomPointsWithTies(seed: UInt64) {
    var state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1
    func next(_ count: UInt64) -> Double {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Double((state >> 33) % count)
    }
    let count = 1 + Int(next(40))
    // Few different numbers, so that ties abound.
    let costs = (0..<count).map { _ in next(7) }
    let values = (0..<count).map { _ in next(5) }
    let found = ParetoFrontier.indices(costs: costs, values: values)
    #expect(Set(found) == bruteForce(costs, values))
    #expect(Set(found).count == found.count)
    #expect(zip(found, found.dropFirst()).allSatisfy { costs[$0] <= costs[$1] })
  }

  @Test func noPointsAndNoNumbers() {
    #expect(ParetoFrontier.indices(costs: [], values: []) == [])
    #expect(ParetoFrontier.indices(costs: [.nan, 1, 2], values: [9, .nan, 3]) == [2])
    #expect(
      ParetoFrontier.indices(costs: [.infinity, 1], values: [2, 1]) == [1, 0])
  }
}
