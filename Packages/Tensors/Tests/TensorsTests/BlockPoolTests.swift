import Testing

@testable import Tensors

@Suite struct BlockPoolTests {
  /// Fills a block with one byte; whether all of it held another one before.
  private func fill(_ block: AlignedBytes, _ byte: UInt8, over old: UInt8) -> Bool {
    block.withMutableBytes { bytes in
      let isOld = bytes.allSatisfy { $0 == old }
      bytes.initializeMemory(as: UInt8.self, repeating: byte)
      return isOld
    }
  }

  @Test(arguments: [64, 1000, 300_000, 2 << 20])
  func blocksAreZeroAlignedAndApart(size: Int) throws {
    let pool = BlockPool()
    var blocks: [AlignedBytes] = []
    for index in 0..<40 {
      blocks.append(try AlignedBytes(count: size, from: pool))
      #expect(fill(blocks[index], UInt8(index + 1), over: 0))
      blocks[index].withBytes { bytes in
        #expect(bytes.count == size)
        #expect(Int(bitPattern: bytes.baseAddress) % AlignedBytes.alignment == 0)
      }
    }
    // Blocks that come back are zero again; the others keep what they hold.
    for index in stride(from: 0, to: 40, by: 3) {
      blocks[index] = try AlignedBytes(count: size, from: pool)
      #expect(fill(blocks[index], UInt8(index + 101), over: 0))
    }
    for index in 0..<40 {
      let byte = UInt8(index % 3 == 0 ? index + 101 : index + 1)
      #expect(fill(blocks[index], 0, over: byte))
    }
  }

  @Test func slabsGoBackWhenTheyAreEmpty() throws {
    let pool = BlockPool()
    let size = 100_000  // 20 of them in a slab
    var blocks = try (0..<60).map { _ in try AlignedBytes(count: size, from: pool) }
    #expect(pool.slabsWithRoom == 0)
    blocks.removeFirst(20)
    #expect(pool.slabsWithRoom == 1)
    blocks.removeFirst(1)
    #expect(pool.slabsWithRoom == 2)
    // Of two with room the empty one has gone.
    blocks.removeFirst(19)
    #expect(pool.slabsWithRoom == 1)
    blocks = []
    #expect(pool.slabsWithRoom == 1)
    // The last of a size stays until that is asked for; one that is used stays in any case.
    blocks = [try AlignedBytes(count: 2 * size, from: pool)]
    #expect(pool.slabsWithRoom == 2)
    pool.trim()
    #expect(pool.slabsWithRoom == 1)
    #expect(fill(blocks[0], 1, over: 0))
  }

  @Test func slabsStayWhereThatIsWanted() throws {
    let pool = BlockPool(keepsUnused: true)
    var blocks = try (0..<60).map { _ in try AlignedBytes(count: 100_000, from: pool) }
    for block in blocks { #expect(fill(block, 5, over: 0)) }
    blocks = []
    #expect(pool.slabsWithRoom == 3)
    // What is taken again is zero.
    blocks = try (0..<60).map { _ in try AlignedBytes(count: 100_000, from: pool) }
    #expect(blocks.allSatisfy { fill($0, 1, over: 0) } && pool.slabsWithRoom == 0)
    blocks = []
    pool.trim()
    #expect(pool.slabsWithRoom == 0)
  }

  @Test func sparseSlabsAreEmptiedIntoOthers() throws {
    let pool = BlockPool()
    let size = 100_032  // 20 of them in a slab
    var blocks: [AlignedBytes?] = try (0..<100).map { _ in
      try AlignedBytes(count: size, from: pool)
    }
    for index in blocks.indices where index % 20 > index / 20 { blocks[index] = nil }
    // 1, 2, 3, 4 and 5 blocks are left, which one slab holds.
    #expect(pool.slabsWithRoom == 5)
    #expect(!pool.closeSparse(worth: 4 * 20 * size + 1))
    #expect(pool.slabsWithRoom == 5)
    #expect(pool.closeSparse(worth: 4 * 20 * size))
    #expect(pool.slabsWithRoom == 1)
    for (index, block) in blocks.enumerated() {
      guard let block else { continue }
      #expect(block.isInClosedSlab == (index < 80))
      #expect(fill(block, UInt8(index + 1), over: 0))
    }
    // What moves finds place beside the five, and what is given back to a closed slab is not taken.
    for index in 0..<80 where blocks[index] != nil {
      let copy = try AlignedBytes(count: size, from: pool)
      #expect(!copy.isInClosedSlab)
      #expect(fill(copy, UInt8(index + 1), over: 0))
      blocks[index] = copy
    }
    #expect(pool.slabsWithRoom == 1)
    #expect(!pool.closeSparse(worth: 0))
    for (index, block) in blocks.enumerated() {
      #expect(block.map { fill($0, 0, over: UInt8(index + 1)) } ?? true)
    }
  }

  @Test func manyThreadsMayTakeAndGive() throws {
    let pool = BlockPool()
    let threads = try ThreadPool(workers: 4)
    threads.run { worker in
      let byte = UInt8(worker + 1)
      var held: [AlignedBytes] = []
      for round in 0..<500 {
        guard let block = try? AlignedBytes(count: 70_000 + worker % 2 * 64, from: pool) else {
          Issue.record("no memory")
          return
        }
        if !fill(block, byte, over: 0) { Issue.record("not zero") }
        held.append(block)
        while held.count > round % 40 {
          if !fill(held.removeFirst(), 0, over: byte) { Issue.record("someone else wrote") }
        }
      }
    }
    #expect(pool.slabsWithRoom >= 1)
  }

  @Test func matricesLieSideBySideAndStayWhenOthersGo() throws {
    let sizes = [512 << 10, 600_001, 900_000, 1000]
    var blocks = try (0..<12).map { try AlignedBytes(weights: sizes[$0 % sizes.count]) }
    for (index, block) in blocks.enumerated() { #expect(fill(block, UInt8(index + 1), over: 0)) }
    // Every other one goes, and others come.
    for index in stride(from: 0, to: 12, by: 2) {
      blocks[index] = try AlignedBytes(weights: sizes[index / 2 % sizes.count])
      #expect(fill(blocks[index], 100, over: 0))
    }
    for index in stride(from: 1, to: 12, by: 2) {
      #expect(fill(blocks[index], 0, over: UInt8(index + 1)))
      blocks[index].withBytes { bytes in
        #expect(Int(bitPattern: bytes.baseAddress) % AlignedBytes.alignment == 0)
      }
    }
  }
}
