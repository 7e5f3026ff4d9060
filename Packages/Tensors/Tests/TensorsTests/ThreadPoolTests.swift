import Testing

@testable import Tensors

@Suite struct ThreadPoolTests {
  @Test(arguments: [1, 2, 3, 4, 7], [1, 16])
  func partsCoverEverythingOnceInOrder(workers: Int, granularity: Int) {
    for count in [0, 1, 2, 3, 15, 16, 17, 100, 1000, 1024] {
      for evenly in [false, true] {
        let parts = Array(
          Partition(of: count, granularity: granularity, workers: workers, evenly: evenly))
        #expect(parts.allSatisfy { $0.lowerBound % granularity == 0 && !$0.isEmpty })
        #expect(parts.flatMap { Array($0) } == Array(0..<count), "\(count) of \(workers)")
        if evenly { #expect(parts.count <= workers) }
      }
    }
  }

  @Test(arguments: [1, 2, 3, 5])
  func splitDoesEveryUnitOnce(workers: Int) throws {
    let pool = try ThreadPool(workers: workers)
    for count in [1, 2, 7, 300] {
      let counts = GrowingBuffer<Int>()
      let times = DisjointMemory(counts.reserve(count))
      for _ in 0..<50 {
        pool.split(count) { part in for unit in part { times[unit] += 1 } }
      }
      #expect((0..<count).allSatisfy { times[$0] == 50 })
    }
  }

  /// A region inside a region would wait for itself: it has to end the process, not to hang.
  #if compiler(>=6.2)
    @Test func aRegionInsideARegionEndsTheProcess() async {
      await #expect(processExitsWith: .failure) {
        let pool = try ThreadPool(workers: 2)
        pool.run { _ in pool.run { _ in } }
      }
      await #expect(processExitsWith: .failure) {
        let pool = try ThreadPool(workers: 1)
        pool.split(2) { _ in pool.split(2) { _ in } }
      }
    }
  #endif

  @Test func regionsFollowOneAnother() throws {
    let pool = try ThreadPool(workers: 3)
    let buffer = GrowingBuffer<Int>()
    let seen = DisjointMemory(buffer.reserve(3))
    for _ in 0..<200 { pool.run { worker in seen[worker] += 1 } }
    #expect((0..<3).allSatisfy { seen[$0] == 200 })
  }
}
