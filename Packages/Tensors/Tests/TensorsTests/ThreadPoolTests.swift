import Testing

@testable import Tensors

@Suite struct ThreadPoolTests {
  @Test(arguments: [1, 2, 3, 4, 7], [1, 16])
  func partsAndPiecesCoverEverythingOnce(workers: Int, grain: Int) {
    for count in [0, 1, 2, 3, 15, 16, 17, 100, 1000, 1024] {
      for evenly in [false, true] {
        let division = Division(of: count, grain: grain, workers: workers, evenly: evenly)
        let parts =
          (0..<workers).map(division.own).filter { !$0.isEmpty }
          + (0..<division.pieces).map(division.piece)
        #expect(parts.allSatisfy { $0.lowerBound % grain == 0 && !$0.isEmpty })
        #expect(parts.flatMap { Array($0) } == Array(0..<count), "\(count) of \(workers)")
        if evenly { #expect(division.pieces == 0) }
      }
    }
  }

  @Test(arguments: [1, 2, 3, 5])
  func splitDoesEveryUnitOnce(workers: Int) throws {
    let pool = try ThreadPool(workers: workers)
    for count in [1, 2, 7, 300] {
      let counts = GrowingBuffer<Int>()
      let times = counts.reserve(count)
      for _ in 0..<50 {
        pool.split(count) { part in for unit in part { times[unit] += 1 } }
      }
      #expect((0..<count).allSatisfy { times[$0] == 50 })
    }
  }
}
