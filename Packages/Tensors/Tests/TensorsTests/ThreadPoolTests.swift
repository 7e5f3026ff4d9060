import Testing

@testable import Tensors

@Suite struct ThreadPoolTests {
  @Test(arguments: [1, 2, 3, 4, 7], [1, 16])
  func partsCoverEverythingOnceInOrder(workers: Int, granularity: Int) {
    for count in [0, 1, 2, 3, 15, 16, 17, 100, 1000, 1024] {
      for schedule in [Partition.Schedule.guided, .even, .streams] {
        let parts = Array(
          Partition(of: count, granularity: granularity, workers: workers, schedule: schedule))
        #expect(parts.allSatisfy { $0.lowerBound % granularity == 0 && !$0.isEmpty })
        #expect(parts.flatMap { Array($0) } == Array(0..<count), "\(count) of \(workers)")
        if schedule == .even { #expect(parts.count <= workers) }
      }
    }
  }

  /// Long enough for the memory, and what is left evens out what the workers lose.
  @Test(arguments: [1, 2, 4, 16])
  func streamsAreLongPartsAndThenShortOnes(workers: Int) {
    let parts = Array(
      Partition(of: 16384, granularity: 16, workers: workers, schedule: .streams).map(\.count))
    let long = 16384 * 7 / 8
    #expect(parts.prefix(workers).allSatisfy { $0 * workers == long })
    #expect(parts.dropFirst(workers).reduce(0, +) == 16384 - long)
    #expect(parts.dropFirst(workers).allSatisfy { 16 * workers * $0 <= 16384 })
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
