import Foundation
import Testing

@testable import Tensors

@Suite struct WeightSlabTests {
  /// Of a slab of 64 MiB 21 blocks of 3 MiB take 63, and so half of the last huge page.
  @Test func whatNoBlockTookIsNotHeld() throws {
    let (size, slabSize, page) = (3 << 20, 64 << 20, Int(sysconf(Int32(_SC_PAGESIZE))))
    var held: [Int] = []
    // Other tests may take blocks of the same slab meanwhile.
    for _ in 0..<5 {
      var slabs: [(slab: WeightSlab, blocks: [UnsafeMutableRawPointer])] = []
      // Enough to end one slab, to fill another and to begin a third.
      for _ in 0..<43 {
        let (block, slab) = try WeightSlab.take(size)
        memset(block, 1, size)
        if slabs.last?.slab !== slab { slabs.append((slab, [])) }
        slabs[slabs.count - 1].blocks.append(block)
        let blocks = slabs[slabs.count - 1].blocks
        // Where the system gives small pages, the rest is held once it is read.
        if blocks.count == slabSize / size { Self.read(blocks[0] + slabSize / size * size, page) }
      }
      guard slabs.count == 3, slabs[1].blocks.count == slabSize / size else { continue }
      let rest = slabs[1].blocks[0] + slabSize / size * size
      var isHeld = [UInt8](repeating: 1, count: slabSize % size / page)
      #expect(mincore(rest, isHeld.count * page, &isHeld) == 0)
      held.append(isHeld.count { $0 & 1 != 0 })
      if held.last == 0 { return }
    }
    Issue.record(
      "pages of the rest that are held, in the slabs of this test's blocks alone: \(held)")
  }

  /// Reads a byte of each page of the rest of a slab.
  private static func read(_ rest: UnsafeMutableRawPointer, _ page: Int) {
    let pages = stride(from: 0, to: 1 << 20, by: page)
    withExtendedLifetime(pages.map { rest.load(fromByteOffset: $0, as: UInt8.self) }) {}
  }
}
