/// Merges pieces of up to 256 symbols: nearly all there are.
///
/// The ranks of the pending merges lie in blocks of 16 with the lowest of each block beside them,
/// so that finding the next merge compares two vectors. Merged symbols stay in place, linked to
/// their neighbours.
struct ShortMerger: ~Copyable {
  static let maximumCount = blockSize * blockSize
  private static let blockSize = 16
  private static let none = Int32.max

  private typealias Block = SIMD16<Int32>

  /// The rank of each symbol's merge with its right neighbour, ``none`` where there is no merge.
  private let ranks: UnsafeMutablePointer<Block>
  /// The id that merge makes.
  private let merged: UnsafeMutablePointer<Int32>
  private let next: UnsafeMutablePointer<Int>
  private let previous: UnsafeMutablePointer<Int>
  /// The lowest rank of each block.
  private let lowest: UnsafeMutablePointer<Block>

  init() {
    ranks = .allocate(capacity: Self.blockSize)
    merged = .allocate(capacity: Self.maximumCount)
    next = .allocate(capacity: Self.maximumCount)
    previous = .allocate(capacity: Self.maximumCount)
    lowest = .allocate(capacity: 1)
    lowest.initialize(to: Block(repeating: Self.none))
    ranks.initialize(repeating: Block(repeating: Self.none), count: Self.blockSize)
    merged.initialize(repeating: 0, count: Self.maximumCount)
    next.initialize(repeating: 0, count: Self.maximumCount)
    previous.initialize(repeating: 0, count: Self.maximumCount)
  }

  deinit {
    ranks.deallocate()
    merged.deallocate()
    next.deallocate()
    previous.deallocate()
    lowest.deallocate()
  }

  /// Replaces `symbols` (two to ``maximumCount``) by what is left after all merges.
  func merge(_ symbols: inout [Int32], with merges: MergeTable.View) {
    let left = symbols.withUnsafeMutableBufferPointer { symbols in
      prepare(symbols, merges)
      while mergeLowest(symbols, merges) {}
      return compact(symbols)
    }
    symbols.removeLast(symbols.count - left)
  }

  private func prepare(
    _ symbols: UnsafeMutableBufferPointer<Int32>, _ merges: MergeTable.View
  ) {
    let count = symbols.count
    let blocks = (count + Self.blockSize - 1) / Self.blockSize
    lowest.pointee = Block(repeating: Self.none)
    ranks.update(repeating: Block(repeating: Self.none), count: blocks)
    for position in 0..<count {
      next[position] = position + 1
      previous[position] = position - 1
    }
    for position in 0..<count - 1 {
      set(position, merges.merge(symbols[position], symbols[position + 1]))
    }
    for block in 0..<blocks { refresh(block * Self.blockSize) }
  }

  /// Does the merge of lowest rank, the leftmost among equals; false when there is none.
  @inline(__always)
  private func mergeLowest(
    _ symbols: UnsafeMutableBufferPointer<Int32>, _ merges: MergeTable.View
  ) -> Bool {
    let rank = Self.minimum(lowest.pointee)
    if rank == Self.none { return false }
    var position = 0
    while Self.lanes(lowest)[position / Self.blockSize] != rank { position += Self.blockSize }
    while Self.lanes(ranks)[position] != rank { position += 1 }
    let right = next[position]
    let after = next[right]
    symbols[position] = merged[position]
    next[position] = after
    set(right, MergeTable.none)
    if after < symbols.count {
      previous[after] = position
      set(position, merges.merge(symbols[position], symbols[after]))
    } else {
      set(position, MergeTable.none)
    }
    refresh(right)
    let before = previous[position]
    if before >= 0 {
      set(before, merges.merge(symbols[before], symbols[position]))
      refresh(before)
    }
    refresh(position)
    return true
  }

  /// Moves the symbols that are left to the front and counts them.
  private func compact(_ symbols: UnsafeMutableBufferPointer<Int32>) -> Int {
    var count = 0
    var position = 0
    while position < symbols.count {
      symbols[count] = symbols[position]
      count += 1
      position = next[position]
    }
    return count
  }

  // MARK: Blocks

  @inline(__always)
  private func set(_ position: Int, _ merge: MergeTable.Merge) {
    Self.lanes(ranks)[position] = merge == MergeTable.none ? Self.none : MergeTable.rank(merge)
    merged[position] = MergeTable.mergedID(merge)
  }

  @inline(__always)
  private func refresh(_ position: Int) {
    let block = position / Self.blockSize
    Self.lanes(lowest)[block] = Self.minimum(ranks[block])
  }

  /// The blocks as one row of ranks.
  @inline(__always)
  private static func lanes(_ blocks: UnsafeMutablePointer<Block>) -> UnsafeMutablePointer<Int32> {
    UnsafeMutableRawPointer(blocks).assumingMemoryBound(to: Int32.self)
  }

  @inline(__always)
  private static func minimum(_ block: Block) -> Int32 {
    let eight = pointwiseMin(block.lowHalf, block.highHalf)
    let four = pointwiseMin(eight.lowHalf, eight.highHalf)
    let two = pointwiseMin(four.lowHalf, four.highHalf)
    return min(two[0], two[1])
  }
}
