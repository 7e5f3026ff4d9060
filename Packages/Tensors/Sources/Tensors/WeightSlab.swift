import Foundation
import Synchronization

/// Memory for matrices, one behind the other in huge pages, which few matrices fill alone. A thread
/// that reads memory in small pages waits for their addresses: on a Zen 4 it reads 17 GB/s of them,
/// and 30 GB/s of huge ones.
///
/// No byte is given out twice. The pages of a block that is released go back to the system at once,
/// the rest of the slab with its last block.
///
/// Sendable by rule: the lock of `latest` is held whenever `used` is touched.
final class WeightSlab: @unchecked Sendable {
  private struct Latest {
    weak var slab: WeightSlab?
  }

  /// The slab that has room, while any of its blocks is there.
  private static let latest = Mutex(Latest())

  /// Bytes of addresses; the system gives memory where it is written to.
  private static let size = 64 << 20
  /// Smaller blocks are of models that do not fill huge pages, which would take memory that nobody
  /// uses; larger ones fill huge pages of their own.
  static let blockSizes = 512 << 10...32 << 20

  private let base: UnsafeMutableRawPointer
  private var used = 0

  private init() throws(TensorError) {
    base = try AlignedBytes.mapHugePages(Self.size)
  }

  deinit { munmap(base, Self.size) }

  /// A block of `size` bytes, all zero, of a slab that is to be held as long as the block is used.
  static func take(
    _ size: Int
  ) throws(TensorError) -> (block: UnsafeMutableRawPointer, slab: WeightSlab) {
    try latest.withLock { latest throws(TensorError) in
      if let slab = latest.slab, slab.used + size <= Self.size { return (slab.next(size), slab) }
      let slab = try WeightSlab()
      latest.slab?.releaseRest()
      latest.slab = slab
      return (slab.next(size), slab)
    }
  }

  private func next(_ size: Int) -> UnsafeMutableRawPointer {
    defer { used += size }
    return base + used
  }

  /// Gives back what no block took of the last huge page that one reached into: behind 21 blocks of
  /// 3 MiB it is 1 MiB.
  private func releaseRest() {
    release(base + used, Self.size - used)
    used = Self.size
  }

  /// Gives back what pages lie inside of a block.
  func release(_ block: UnsafeMutableRawPointer, _ size: Int) {
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    let before = -Int(bitPattern: block) & (page - 1)
    let inside = (size - before) / page * page
    if inside > 0 { madvise(block + before, inside, MADV_DONTNEED) }
  }
}
