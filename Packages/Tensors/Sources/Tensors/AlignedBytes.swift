import Foundation
import SystemCalls

/// An owned block of memory, aligned to 64 bytes so that vector loads never straddle a cache line.
///
/// Sendable by rule: the bytes are written only through `withMutableBytes` while the block is being
/// filled by its creator; once it is part of a `Tensor` or a weight matrix nobody writes to it.
public final class AlignedBytes: @unchecked Sendable {
  /// The alignment of `base`, in bytes.
  public static let alignment = 64
  /// Size of the block in bytes.
  public let count: Int
  private let base: UnsafeMutableRawPointer
  private let origin: Origin

  /// Where the block goes back to.
  private enum Origin {
    case library
    case system(bytes: Int)
    case pool(BlockPool, Slab)
    case slab(WeightSlab, bytes: Int)
  }

  /// Blocks of this many bytes and more come from the system, already zero, and go back to it at
  /// once. The C library keeps what is freed: aligned blocks of a few MiB fit no gap that one of
  /// their size has left, so that a run which reads one tensor after the other would hold a third
  /// of all of them in the end.
  static let mappedSize = 1 << 20

  /// Blocks of this many bytes and more ask Linux for huge pages: a page fault costs many times
  /// what it clears.
  static let hugePageSize = 2 << 20

  /// Takes `count` bytes, all zero unless `zeroed` is false, when they hold anything.
  ///
  /// - Throws: `TensorError.outOfMemory` when the system refuses.
  public init(count: Int, zeroed: Bool = true) throws(TensorError) {
    let rounded = try Self.rounded(count)
    self.count = count
    if rounded >= Self.mappedSize {
      let pointer = mmap(nil, rounded, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
      guard let pointer, pointer != MAP_FAILED else { throw .outOfMemory(bytes: count) }
      #if os(Linux)
        // Advice: where it is refused pages stay small. Only whole huge pages inside the block are
        // used.
        if rounded >= Self.hugePageSize { madvise(pointer, rounded, MADV_HUGEPAGE) }
      #endif
      base = pointer
      origin = .system(bytes: rounded)
      return
    }
    var pointer: UnsafeMutableRawPointer?
    guard posix_memalign(&pointer, Self.alignment, rounded) == 0, let pointer else {
      throw .outOfMemory(bytes: count)
    }
    if zeroed { memset(pointer, 0, rounded) }
    base = pointer
    origin = .library
  }

  /// Bytes that are taken for `count`: whole lines, because a kernel may read all of the last one.
  private static func rounded(_ count: Int) throws(TensorError) -> Int {
    guard count >= 0, count <= Int.max - 2 * alignment, !FaultInjection.strikes(.allocate)
    else { throw .outOfMemory(bytes: count) }
    return max(count, 1).roundedUp(toMultipleOf: alignment)
  }

  /// Takes `count` bytes, all zero, for a matrix that stays: beside others in huge pages.
  ///
  /// - Throws: `TensorError.outOfMemory` when the system refuses.
  convenience init(weights count: Int) throws(TensorError) {
    guard WeightSlab.blockSizes.contains(count) else {
      try self.init(count: count)
      return
    }
    let rounded = try Self.rounded(count)
    let (block, slab) = try WeightSlab.take(rounded)
    self.init(block, count: count, origin: .slab(slab, bytes: rounded))
  }

  /// Maps whole huge pages, all zero, or small ones where Linux has no others.
  ///
  /// - Throws: `TensorError.outOfMemory` when the system refuses.
  static func mapHugePages(_ size: Int) throws(TensorError) -> UnsafeMutableRawPointer {
    // More than is needed, so that a part begins where a huge page may; the rest goes back.
    let all = size + hugePageSize
    let pointer = mmap(nil, all, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let pointer, pointer != MAP_FAILED else { throw .outOfMemory(bytes: size) }
    let before = -Int(bitPattern: pointer) & (hugePageSize - 1)
    let base = pointer + before
    if before > 0 { munmap(pointer, before) }
    if before < hugePageSize { munmap(base + size, hugePageSize - before) }
    #if os(Linux)
      madvise(base, size, MADV_HUGEPAGE)
    #endif
    return base
  }

  /// Takes `count` bytes, all zero, from a pool; of 1 MiB and more from the system.
  ///
  /// - Throws: `TensorError.outOfMemory` when the system refuses.
  public convenience init(count: Int, from pool: BlockPool) throws(TensorError) {
    let rounded = max(count, 1).roundedUp(toMultipleOf: Self.alignment)
    guard rounded < Self.mappedSize else {
      try self.init(count: count)
      return
    }
    let (block, slab) = try pool.take(rounded)
    self.init(block, count: count, origin: .pool(pool, slab))
  }

  private init(_ base: UnsafeMutableRawPointer, count: Int, origin: Origin) {
    self.base = base
    self.count = count
    self.origin = origin
  }

  deinit {
    switch origin {
    case .library: free(base)
    case .system(let bytes): munmap(base, bytes)
    case .pool(let pool, let slab): pool.give(base, to: slab)
    case .slab(let slab, let bytes): slab.release(base, bytes)
    }
  }

  /// Whether the block lies in a slab that its pool has closed, which goes back once all such blocks
  /// have been copied and let go of.
  public var isInClosedSlab: Bool {
    guard case .pool(let pool, let slab) = origin else { return false }
    return pool.isClosed(slab)
  }

  /// The address of the block, valid while it lives.
  func start<Element>(of type: Element.Type) -> UnsafePointer<Element> {
    UnsafePointer(base.assumingMemoryBound(to: type))
  }

  /// Reads the bytes; the pointer is valid inside `body` only.
  public func withBytes<Result, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try body(UnsafeRawBufferPointer(start: base, count: count))
  }

  /// Writes the bytes while the block is being filled; see the type's rule.
  public func withMutableBytes<Result, Failure: Error>(
    _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try body(UnsafeMutableRawBufferPointer(start: base, count: count))
  }
}

extension Int {
  /// The least multiple of `step` that is not below this value.
  @inlinable
  public func roundedUp(toMultipleOf step: Int) -> Int { (self + step - 1) / step * step }
}
