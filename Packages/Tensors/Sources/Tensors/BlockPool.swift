import Foundation
import Synchronization
import SystemCalls

/// Memory for blocks of a few sizes that come and go, such as the pages of caches. It is taken from
/// the system in slabs of blocks of one size, and in huge pages where there are any: blocks of less
/// than that would each lie in many small pages, and looking those up takes part of the time of
/// reading. A slab goes back when none of its blocks is used and another one has room.
public final class BlockPool: Sendable {
  /// By the size of their blocks, the slabs that have room.
  private let open = Mutex<[Int: [Slab]]>([:])

  private let keepsUnused: Bool

  /// An empty pool.
  ///
  /// - Parameter keepsUnused: whether slabs of which no block is used stay until `trim`, for owners
  ///   who let go of many blocks and soon take as many: a new slab is cleared by the system, page by
  ///   page.
  public init(keepsUnused: Bool = false) { self.keepsUnused = keepsUnused }

  /// Slabs that have room, of all sizes.
  var slabsWithRoom: Int { open.withLock { $0.values.reduce(0) { $0 + $1.count } } }

  /// A block of `size` bytes, all zero, of a slab that it belongs to.
  func take(_ size: Int) throws(TensorError) -> (block: UnsafeMutableRawPointer, slab: Slab) {
    try open.withLock { open throws(TensorError) in
      let slab: Slab
      if let last = open[size]?.last {
        slab = last
      } else {
        slab = try Slab(blockSize: size)
        open[size, default: []].append(slab)
      }
      let block = slab.take()
      if slab.isFull { open[size]?.removeLast() }
      return (block, slab)
    }
  }

  /// Gives the slabs back of which no block is used.
  public func trim() {
    open.withLock { open in
      for size in open.keys { open[size]?.removeAll(where: \.isUnused) }
    }
  }

  /// Closes the slabs with fewest blocks whose blocks the others have room for, where that is worth
  /// so many bytes: no block is taken from them again, and they go back when whoever holds theirs has
  /// copied and let go of them.
  ///
  /// - Returns: whether any was closed.
  public func closeSparse(worth bytes: Int) -> Bool {
    open.withLock { open in
      var closesAny = false
      for (size, slabs) in open {
        guard let capacity = slabs.first?.count else { continue }
        let used = slabs.reduce(0) { $0 + $1.used }
        let spare = slabs.count - (used + capacity - 1) / capacity
        guard spare > 0, spare * capacity * size >= bytes else { continue }
        let fullestFirst = slabs.sorted { $0.used > $1.used }
        for slab in fullestFirst.suffix(spare) { slab.isClosed = true }
        open[size] = fullestFirst.dropLast(spare)
        closesAny = true
      }
      return closesAny
    }
  }

  /// Whether a slab was closed.
  func isClosed(_ slab: Slab) -> Bool { open.withLock { _ in slab.isClosed } }

  /// Takes a block back.
  func give(_ block: UnsafeMutableRawPointer, to slab: Slab) {
    open.withLock { open in
      let size = slab.blockSize
      if slab.isFull, !slab.isClosed { open[size, default: []].append(slab) }
      slab.give(block)
      if slab.isUnused, !keepsUnused, let count = open[size]?.count, count > 1 {
        open[size]?.removeAll { $0 === slab }
      }
    }
  }
}

/// Some blocks of one size, side by side. Sendable by rule: its pool is locked whenever it is
/// touched.
final class Slab: @unchecked Sendable {
  let blockSize: Int
  private let base: UnsafeMutableRawPointer
  private let size: Int
  /// Blocks that it has.
  let count: Int
  /// Whether no block is to be taken from it any more.
  var isClosed = false
  /// Blocks that have never been used, and so are zero, are those from here on.
  private var fresh = 0
  private var free: [UnsafeMutableRawPointer] = []

  /// Fewer would leave too much of a huge page over.
  private static let leastBlocks = 8

  init(blockSize: Int) throws(TensorError) {
    self.blockSize = blockSize
    let hugePage = AlignedBytes.hugePageSize
    size = (Self.leastBlocks * blockSize).roundedUp(toMultipleOf: hugePage)
    count = size / blockSize
    if FaultInjection.strikes(.allocate) { throw .outOfMemory(bytes: size) }
    base = try AlignedBytes.mapHugePages(size)
  }

  deinit { munmap(base, size) }

  var isFull: Bool { fresh == count && free.isEmpty }
  var isUnused: Bool { used == 0 }
  /// Blocks that are used.
  var used: Int { fresh - free.count }

  func take() -> UnsafeMutableRawPointer {
    if let block = free.popLast() {
      memset(block, 0, blockSize)
      return block
    }
    fresh += 1
    return base + (fresh - 1) * blockSize
  }

  func give(_ block: UnsafeMutableRawPointer) { free.append(block) }
}
