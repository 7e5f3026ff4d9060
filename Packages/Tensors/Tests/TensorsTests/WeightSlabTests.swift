import Foundation
import Testing

@testable import Tensors

@Suite struct WeightSlabTests {
  /// Of a slab of 64 MiB 21 blocks of 3 MiB take 63, and so half of the last huge page.
  @Test func whatNoBlockTookIsNotHeld() throws {
    let (size, slabSize, page) = (3 << 20, 64 << 20, Int(sysconf(Int32(_SC_PAGESIZE))))
    // Other tests may take blocks of the same slab meanwhile.
    for _ in 0..<5 {
      var slabs: [(slab: WeightSlab, blocks: [UnsafeMutableRawPointer])] = []
      // Enough to end one slab, to fill another and to begin a third.
      for _ in 0..<43 {
        let (block, slab) = try WeightSlab.take(size)
        memset(block, 1, size)
        if slabs.last?.slab !== slab { slabs.append((slab, [])) }
        slabs[slabs.count - 1].blocks.append(block)
      }
      guard slabs.count == 3, slabs[1].blocks.count == slabSize / size else { continue }
      let rest = slabs[1].blocks[0] + slabSize / size * size
      var isHeld = [UInt8](repeating: 1, count: slabSize % size / page)
      #expect(mincore(rest, isHeld.count * page, &isHeld) == 0)
      #expect(isHeld.allSatisfy { $0 & 1 == 0 })
      return
    }
    Issue.record("no slab was filled by blocks of this test alone")
  }
}
