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

  @Test func refusesAbsurdSizes() {
    #expect(bb_pool_create(0) == nil)
    #expect(bb_pool_create(1 << 20) == nil)
  }
}
