/// The 64-bit xxHash with seed 0: a fast check against damaged bytes, not against forged ones.
///
/// Source: the xxHash specification (Cyan4973/xxHash, `doc/xxhash_spec.md`).
enum XXH64 {
  private static let prime1: UInt64 = 0x9E37_79B1_85EB_CA87
  private static let prime2: UInt64 = 0xC2B2_AE3D_27D4_EB4F
  private static let prime3: UInt64 = 0x1656_67B1_9E37_79F9
  private static let prime4: UInt64 = 0x85EB_CA77_C2B2_AE63
  private static let prime5: UInt64 = 0x27D4_EB2F_1656_67C5

  /// The hash of `bytes`.
  static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    var offset = 0
    func next<Word: FixedWidthInteger>(_: Word.Type) -> UInt64 {
      let word = Word(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Word.self))
      offset += MemoryLayout<Word>.size
      return UInt64(truncatingIfNeeded: word)
    }
    var hash: UInt64
    if bytes.count >= 32 {
      var lane1 = prime1 &+ prime2
      var lane2 = prime2
      var lane3: UInt64 = 0
      var lane4 = 0 &- prime1
      while bytes.count - offset >= 32 {
        lane1 = round(lane1, next(UInt64.self))
        lane2 = round(lane2, next(UInt64.self))
        lane3 = round(lane3, next(UInt64.self))
        lane4 = round(lane4, next(UInt64.self))
      }
      hash = rotate(lane1, 1) &+ rotate(lane2, 7) &+ rotate(lane3, 12) &+ rotate(lane4, 18)
      for lane in [lane1, lane2, lane3, lane4] {
        hash = (hash ^ round(0, lane)) &* prime1 &+ prime4
      }
    } else {
      hash = prime5
    }
    hash &+= UInt64(bytes.count)
    while bytes.count - offset >= 8 {
      hash = rotate(hash ^ round(0, next(UInt64.self)), 27) &* prime1 &+ prime4
    }
    if bytes.count - offset >= 4 {
      hash = rotate(hash ^ next(UInt32.self) &* prime1, 23) &* prime2 &+ prime3
    }
    while offset < bytes.count {
      hash = rotate(hash ^ next(UInt8.self) &* prime5, 11) &* prime1
    }
    hash = (hash ^ hash >> 33) &* prime2
    hash = (hash ^ hash >> 29) &* prime3
    return hash ^ hash >> 32
  }

  private static func round(_ lane: UInt64, _ input: UInt64) -> UInt64 {
    rotate(lane &+ input &* prime2, 31) &* prime1
  }

  private static func rotate(_ value: UInt64, _ count: UInt64) -> UInt64 {
    value &<< count | value &>> (64 - count)
  }
}
