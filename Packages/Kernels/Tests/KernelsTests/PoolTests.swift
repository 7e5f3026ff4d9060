import Foundation
import Kernels
import Testing

@Suite struct PoolTests {
  @Test(arguments: [1, 2, 3, 5])
  func everyWorkerRunsOnceARegion(workers: Int) {
    let pool = bb_pool_create(workers)
    defer { bb_pool_destroy(pool) }
    var counts = [Int64](repeating: 0, count: workers)
    let regions: Int64 = 2000
    counts.withUnsafeMutableBufferPointer { buffer in
      for region in 0..<regions {
        bb_pool_run(
          pool,
          { context, worker, _ in
            context?.assumingMemoryBound(to: Int64.self)[worker] += 1
          }, buffer.baseAddress)
        if region % 500 == 0 { usleep(300) }  // Lets the workers fall asleep.
      }
    }
    #expect(counts == [Int64](repeating: regions, count: workers))
  }

  @Test(arguments: [1, 2, 3, 5])
  func everyNumberIsClaimedOnceARegion(workers: Int) throws {
    let pool = try #require(bb_pool_create(workers))
    defer { bb_pool_destroy(pool) }
    // What is prefetched need not exist.
    for worker in 0..<workers {
      bb_pool_prefetch(pool, worker, UnsafeRawPointer(bitPattern: 4096), 1 << 20)
    }
    struct Region {
      let pool: OpaquePointer
      var counts: UnsafeMutablePointer<Int64>
    }
    let total = 1000
    let counts = UnsafeMutablePointer<Int64>.allocate(capacity: total)
    defer { counts.deallocate() }
    counts.initialize(repeating: 0, count: total)
    var region = Region(pool: pool, counts: counts)
    for _ in 0..<20 {
      for worker in 0..<workers {
        bb_pool_prefetch_now(pool, worker, UnsafeRawPointer(bitPattern: 8192), 1 << 16)
      }
      bb_pool_run(
        pool,
        { context, _, _ in
          guard let region = context?.assumingMemoryBound(to: Region.self).pointee else { return }
          while true {
            let claimed = bb_pool_claim(region.pool)
            if claimed >= 1000 { return }
            region.counts[claimed] += 1
          }
        }, &region)
    }
    #expect((0..<total).allSatisfy { counts[$0] == 20 })
  }

  @Test func refusesAbsurdSizes() {
    #expect(bb_pool_create(0) == nil)
    #expect(bb_pool_create(1 << 20) == nil)
  }
}
