/// The merges of a byte-pair encoding: pair of ids to rank and merged id, in one flat hash table.
struct MergeTable: Sendable {
  /// A merge as the merging loops compare it: rank in the high half, merged id in the low half,
  /// so that the smallest value is the merge to do first. ``none`` where the pair does not merge.
  typealias Merge = UInt64
  static let none: Merge = .max

  fileprivate struct Entry: Sendable {
    var pair: UInt64 = .max
    var merge: Merge = MergeTable.none
  }

  private var entries: [Entry]
  private(set) var count = 0

  /// - Parameter expectedCount: the number of merges the table is made for; it grows past it.
  init(expectedCount: Int = 0) {
    var capacity = 64
    while 5 * expectedCount > 3 * capacity { capacity *= 2 }
    entries = [Entry](repeating: Entry(), count: capacity)
  }

  /// Says that `left` followed by `right` becomes `merged`. A repeated pair takes the new rank.
  mutating func insert(left: Int32, right: Int32, rank: Int, merged: Int32) {
    if 5 * (count + 1) > 3 * entries.count { grow() }
    let pair = Self.pair(left, right)
    let slot = Self.slot(of: pair, mask: entries.count - 1) { entries[$0].pair }
    if entries[slot].pair != pair { count += 1 }
    let merge = UInt64(truncatingIfNeeded: rank) << 32 | UInt64(UInt32(bitPattern: merged))
    entries[slot] = Entry(pair: pair, merge: merge)
  }

  private mutating func grow() {
    let old = entries
    entries = [Entry](repeating: Entry(), count: old.count * 2)
    for entry in old where entry.pair != .max {
      entries[Self.slot(of: entry.pair, mask: entries.count - 1) { entries[$0].pair }] = entry
    }
  }

  @inline(__always)
  private static func pair(_ left: Int32, _ right: Int32) -> UInt64 {
    UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
  }

  @inline(__always)
  private static func slot(of pair: UInt64, mask: Int, _ pairAt: (Int) -> UInt64) -> Int {
    var slot = Int(truncatingIfNeeded: ByteHash.mix(pair)) & mask
    while true {
      let found = pairAt(slot)
      if found == pair || found == .max { return slot }
      slot = (slot + 1) & mask
    }
  }

  /// Calls `body` with a view for fast look-ups, valid inside `body`.
  func withView<Result>(_ body: (View) -> Result) -> Result {
    entries.withUnsafeBufferPointer { body(View(entries: $0)) }
  }

  /// Unchecked look-up.
  struct View {
    fileprivate let entries: UnsafeBufferPointer<Entry>

    /// The merge of two adjacent ids, or ``MergeTable/none``.
    @inline(__always)
    func merge(_ left: Int32, _ right: Int32) -> Merge {
      let slot = MergeTable.slot(of: MergeTable.pair(left, right), mask: entries.count - 1) {
        entries[$0].pair
      }
      return entries[slot].merge
    }
  }

  /// The rank of a merge.
  @inline(__always)
  static func rank(_ merge: Merge) -> Int32 { Int32(truncatingIfNeeded: merge >> 32) }

  /// The id that a merge makes.
  @inline(__always)
  static func mergedID(_ merge: Merge) -> Int32 { Int32(truncatingIfNeeded: merge & 0xFFFF_FFFF) }
}
