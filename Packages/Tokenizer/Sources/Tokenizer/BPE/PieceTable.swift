/// The vocabulary: piece text to id and back, in flat arrays.
///
/// All text lies in one arena; look-up is an open-addressing table of ids hashed by bytes.
struct PieceTable: Sendable {
  /// The file and key that errors name.
  struct Origin: Sendable {
    let file: String
    let key: String
  }

  private var arena: [UInt8] = []
  private var spans: [Span] = []
  /// The size is a power of two, at most two thirds full.
  private var slots = [Slot](repeating: Slot(), count: 64)
  private(set) var count = 0

  private struct Span: Sendable {
    var start: UInt32 = 0
    var length: UInt32 = .max

    var isFree: Bool { length == .max }
  }

  /// A place of the hash table: an id (-1 where free) and the upper half of its piece's hash,
  /// which tells nearly all other pieces apart without looking at their text.
  private struct Slot: Sendable {
    var id: Int32 = -1
    var tag: UInt32 = 0
  }

  /// Highest id that is accepted: far above any vocabulary, small enough to allocate.
  static let maximumID = 1 << 24

  /// One past the highest id.
  var endID: Int { spans.count }

  /// Adds a piece.
  /// - Throws: when the id is out of range or taken, or the piece is already present.
  mutating func insert(_ piece: UnsafeBufferPointer<UInt8>, id: Int, origin: Origin)
    throws(TokenizerError)
  {
    func text(_ bytes: UnsafeBufferPointer<UInt8>) -> String {
      String(decoding: bytes, as: UTF8.self)
    }
    guard 0...Self.maximumID ~= id else {
      throw .invalidValue(
        file: origin.file, key: origin.key,
        reason: "id \(id) of \"\(text(piece))\" is outside 0...\(Self.maximumID)")
    }
    guard UInt32(exactly: arena.count + piece.count) != nil else {
      throw .invalidValue(file: origin.file, key: origin.key, reason: "more than 4 GiB of pieces")
    }
    if id < spans.count, !spans[id].isFree {
      throw .duplicateID(
        file: origin.file, key: origin.key, id: id,
        pieces: [self.text(of: id) ?? "", text(piece)])
    }
    if 3 * (count + 1) > 2 * slots.count { grow() }
    let hash = ByteHash.hash(piece)
    let slot = slot(of: piece, hash)
    guard slots[slot].id < 0 else {
      throw .duplicatePiece(file: origin.file, key: origin.key, piece: text(piece))
    }
    if id >= spans.count {
      spans.append(contentsOf: repeatElement(Span(), count: id + 1 - spans.count))
    }
    spans[id] = Span(start: UInt32(arena.count), length: UInt32(piece.count))
    arena.append(contentsOf: piece)
    slots[slot] = Slot(id: Int32(id), tag: Self.tag(hash))
    count += 1
  }

  mutating func insert(_ piece: String, id: Int, origin: Origin) throws(TokenizerError) {
    try Array(piece.utf8).withUnsafeBufferPointer { (bytes) throws(TokenizerError) in
      try insert(bytes, id: id, origin: origin)
    }
  }

  /// Gives back spare memory.
  mutating func compact() {
    arena = arena.withoutSpareMemory
    spans = spans.withoutSpareMemory
  }

  /// Whether a piece has this id.
  func contains(_ id: Int) -> Bool { spans.indices ~= id && !spans[id].isFree }

  /// The id of a piece, or nil.
  func id(of piece: UnsafeBufferPointer<UInt8>) -> Int32? {
    let id = slots[slot(of: piece, ByteHash.hash(piece))].id
    return id < 0 ? nil : id
  }

  func id(of piece: String) -> Int32? {
    var piece = piece
    return piece.withUTF8 { id(of: $0) }
  }

  /// Hands the bytes of piece `id` to `body`; nil when there is none.
  func withBytes<Result>(
    of id: Int, _ body: (UnsafeBufferPointer<UInt8>) -> Result
  ) -> Result? {
    guard contains(id) else { return nil }
    let start = Int(spans[id].start)
    return arena.withUnsafeBufferPointer {
      body(UnsafeBufferPointer(rebasing: $0[start..<start + Int(spans[id].length)]))
    }
  }

  /// The text of piece `id`, or nil.
  func text(of id: Int) -> String? {
    withBytes(of: id) { String(decoding: $0, as: UTF8.self) }
  }

  // MARK: Hashing

  private static func tag(_ hash: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: hash >> 32) }

  /// The slot that holds `piece`, or the free one where it belongs.
  private func slot(of piece: UnsafeBufferPointer<UInt8>, _ hash: UInt64) -> Int {
    slots.withUnsafeBufferPointer { slots in
      let mask = slots.count - 1
      let tag = Self.tag(hash)
      var index = Int(truncatingIfNeeded: hash) & mask
      while slots[index].id >= 0 {
        if slots[index].tag == tag, matches(Int(slots[index].id), piece) { break }
        index = (index + 1) & mask
      }
      return index
    }
  }

  private func matches(_ id: Int, _ piece: UnsafeBufferPointer<UInt8>) -> Bool {
    let span = spans[id]
    guard Int(span.length) == piece.count else { return false }
    return arena.withUnsafeBufferPointer { arena in
      var index = 0
      let start = Int(span.start)
      while index < piece.count, arena[start + index] == piece[index] { index += 1 }
      return index == piece.count
    }
  }

  private mutating func grow() {
    slots = [Slot](repeating: Slot(), count: slots.count * 2)
    let mask = slots.count - 1
    for id in spans.indices where contains(id) {
      let hash = withBytes(of: id, ByteHash.hash) ?? 0
      var index = Int(truncatingIfNeeded: hash) & mask
      while slots[index].id >= 0 { index = (index + 1) & mask }
      slots[index] = Slot(id: Int32(id), tag: Self.tag(hash))
    }
  }
}

extension Array {
  /// The same elements in memory for no more; making an array of an array copies nothing.
  var withoutSpareMemory: [Element] { withUnsafeBufferPointer { Array($0) } }
}

/// A fast hash of short byte strings, the same in every run.
enum ByteHash {
  private static let multiplier: UInt64 = 0x9E37_79B9_7F4A_7C15

  /// Spreads the bits of a word: the product's halves folded together.
  @inline(__always)
  static func mix(_ word: UInt64) -> UInt64 {
    let product = (word ^ 0xD6E8_FEB8_6659_FD93).multipliedFullWidth(by: multiplier)
    return product.high ^ product.low
  }

  static func hash(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt64 {
    let raw = UnsafeRawBufferPointer(bytes)
    var hash = UInt64(bytes.count)
    var position = 0
    while position + 8 <= bytes.count {
      hash = mix(hash ^ raw.loadUnaligned(fromByteOffset: position, as: UInt64.self))
      position += 8
    }
    var tail: UInt64 = 0
    while position < bytes.count {
      tail = tail << 8 | UInt64(bytes[position])
      position += 1
    }
    return mix(hash ^ tail)
  }
}
