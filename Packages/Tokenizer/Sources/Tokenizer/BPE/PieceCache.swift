/// Remembers the ids of short pieces of text: most of any text is words seen before.
///
/// A direct-mapped table of fixed size, so memory is bounded: a new word replaces the one in its
/// slot. It holds words of up to 15 bytes that make up to four ids.
struct PieceCache: ~Copyable {
  static let maximumLength = 15
  static let maximumIDs = 4
  private static let slotCount = 1 << 15

  /// The bytes of a word, zero-padded, with the length in the last byte.
  struct Key: Equatable {
    let low: UInt64
    let high: UInt64

    /// The key of `text[start..<end]`; nil for words that are not remembered.
    @inline(__always)
    init?(_ text: UnsafeBufferPointer<UInt8>, _ start: Int, _ end: Int) {
      let length = end - start
      guard length <= PieceCache.maximumLength else { return nil }
      var low: UInt64 = 0
      var high: UInt64 = 0
      if start + 16 <= text.count {
        let raw = UnsafeRawBufferPointer(text)
        low = raw.loadUnaligned(fromByteOffset: start, as: UInt64.self).littleEndian
        high = raw.loadUnaligned(fromByteOffset: start + 8, as: UInt64.self).littleEndian
        if length < 8 {
          low &= (1 << UInt64(8 * length)) - 1
          high = 0
        } else {
          high &= (1 << UInt64(8 * (length - 8))) - 1
        }
      } else {
        for index in 0..<min(length, 8) { low |= UInt64(text[start + index]) << UInt64(8 * index) }
        var index = 8
        while index < length {
          high |= UInt64(text[start + index]) << UInt64(8 * (index - 8))
          index += 1
        }
      }
      self.low = low
      self.high = high | UInt64(length) << 56
    }
  }

  private struct Slot {
    var low: UInt64 = 0
    var high: UInt64 = 0
    /// The ids, then -1.
    var ids = SIMD4<Int32>(repeating: -1)
  }

  private let slots = UnsafeMutablePointer<Slot>.allocate(capacity: slotCount)

  init() { slots.initialize(repeating: Slot(), count: Self.slotCount) }

  deinit { slots.deallocate() }

  @inline(__always)
  private func slot(_ key: Key) -> UnsafeMutablePointer<Slot> {
    slots + Int(truncatingIfNeeded: ByteHash.mix(key.low ^ ByteHash.mix(key.high)))
      & (Self.slotCount - 1)
  }

  /// Appends the remembered ids of a word; false when it is not remembered.
  @inline(__always)
  func append(_ key: Key, to ids: inout [Int32]) -> Bool {
    let slot = slot(key)
    guard slot.pointee.low == key.low, slot.pointee.high == key.high else { return false }
    let found = slot.pointee.ids
    ids.append(found[0])
    if found[1] >= 0 {
      ids.append(found[1])
      if found[2] >= 0 {
        ids.append(found[2])
        if found[3] >= 0 { ids.append(found[3]) }
      }
    }
    return true
  }

  /// Remembers a word whose ids are `ids`; words with no ids or too many are not remembered.
  func store(_ key: Key, _ ids: ArraySlice<Int32>) {
    guard 1...Self.maximumIDs ~= ids.count else { return }
    var packed = SIMD4<Int32>(repeating: -1)
    for (lane, id) in ids.enumerated() { packed[lane] = id }
    slot(key).pointee = Slot(low: key.low, high: key.high, ids: packed)
  }
}
