/// Merges long pieces: a binary heap of pending merges over a linked list of symbols.
///
/// A merge stays in the heap when a neighbour changes and is recognised as stale when it comes up.
/// With n symbols at most 3n merges are ever queued, so a piece costs O(n log n).
struct MergeQueue {
  /// Rank in the high half, position of the left symbol in the low half: the order of merging.
  private var heap: [UInt64] = []
  /// The merge of each symbol with its right neighbour, or ``MergeTable/none``.
  private var pending: [MergeTable.Merge] = []
  private var next: [UInt32] = []
  private var previous: [UInt32] = []

  /// Replaces `symbols` by what is left after all merges.
  mutating func merge(_ symbols: inout [Int32], with merges: MergeTable.View) {
    let count = symbols.count
    prepare(symbols, merges)
    while let key = popLowest() {
      let position = Int(key & 0xFFFF_FFFF)
      let merge = pending[position]
      guard merge != MergeTable.none, merge >> 32 == key >> 32 else { continue }
      let right = Int(next[position])
      let after = Int(next[right])
      symbols[position] = MergeTable.mergedID(merge)
      symbols[right] = -1
      pending[right] = MergeTable.none
      next[position] = UInt32(after)
      if after < count {
        previous[after] = UInt32(position)
        update(position, merges.merge(symbols[position], symbols[after]))
      } else {
        pending[position] = MergeTable.none
      }
      if position > 0 {
        let before = Int(previous[position])
        update(before, merges.merge(symbols[before], symbols[position]))
      }
    }
    symbols.removeAll { $0 < 0 }
    release()
  }

  private mutating func prepare(_ symbols: [Int32], _ merges: MergeTable.View) {
    let count = symbols.count
    pending = [MergeTable.Merge](unsafeUninitializedCapacity: count) { buffer, initialized in
      for index in 0..<count - 1 {
        buffer[index] = merges.merge(symbols[index], symbols[index + 1])
      }
      buffer[count - 1] = MergeTable.none
      initialized = count
    }
    next = (0..<UInt32(count)).map { $0 + 1 }
    previous = (0..<UInt32(count)).map { $0 &- 1 }
    heap.removeAll(keepingCapacity: true)
    for (position, merge) in pending.enumerated() where merge != MergeTable.none {
      heap.append(Self.key(merge, position))
    }
    for index in stride(from: heap.count / 2 - 1, through: 0, by: -1) { sink(index) }
  }

  private static func key(_ merge: MergeTable.Merge, _ position: Int) -> UInt64 {
    merge & 0xFFFF_FFFF_0000_0000 | UInt64(position)
  }

  private mutating func update(_ position: Int, _ merge: MergeTable.Merge) {
    pending[position] = merge
    if merge != MergeTable.none { push(Self.key(merge, position)) }
  }

  /// Gives memory back after an unusually long piece.
  private mutating func release() {
    if heap.capacity > 1 << 16 { self = MergeQueue() }
  }

  // MARK: Heap

  private mutating func push(_ key: UInt64) {
    heap.append(key)
    heap.withUnsafeMutableBufferPointer { heap in
      var child = heap.count - 1
      while child > 0 {
        let parent = (child - 1) / 2
        if heap[parent] <= key { break }
        heap[child] = heap[parent]
        child = parent
      }
      heap[child] = key
    }
  }

  private mutating func popLowest() -> UInt64? {
    guard let lowest = heap.first, let last = heap.popLast() else { return nil }
    if !heap.isEmpty {
      heap[0] = last
      sink(0)
    }
    return lowest
  }

  private mutating func sink(_ start: Int) {
    heap.withUnsafeMutableBufferPointer { heap in
      let key = heap[start]
      var parent = start
      while true {
        var child = 2 * parent + 1
        if child >= heap.count { break }
        if child + 1 < heap.count, heap[child + 1] < heap[child] { child += 1 }
        if key <= heap[child] { break }
        heap[parent] = heap[child]
        parent = child
      }
      heap[parent] = key
    }
  }
}
