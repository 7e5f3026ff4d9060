import JSON

/// The bytes each id stands for, laid out once at load so that decoding is copying.
struct PieceDecoder: Sendable {
  let steps: DecoderSteps
  private var arena: [UInt8] = []
  /// Where the bytes of each id end; they start where those of the id before end.
  private var ends: [UInt32] = []
  private var specialIDs: Set<Int32>
  /// The ids that stand for a byte by fallback.
  private var fallbackIDs: Set<Int32> = []

  /// Lays out the bytes of `count` ids; `piece` hands the text of an id, if it has one, to the
  /// closure it is given.
  init(
    steps: DecoderSteps, count: Int, specialIDs: Set<Int32>,
    piece: (Int, (UnsafeBufferPointer<UInt8>) -> Void) -> Void
  ) {
    self.steps = steps
    self.specialIDs = specialIDs
    var fallbackIDs: Set<Int32> = []
    var arena: [UInt8] = []
    ends.reserveCapacity(count)
    for id in 0..<count {
      piece(id) { text in
        switch steps {
        case .byteLevel: ByteAlphabet.read(text, to: &arena)
        case .text(let steps):
          if steps.hasByteFallback, let byte = Self.fallbackByte(text) {
            arena.append(byte)
            fallbackIDs.insert(Int32(id))
          } else {
            arena.append(contentsOf: Self.replace(steps.replacements, in: text))
          }
        }
      }
      ends.append(UInt32(arena.count))
    }
    self.fallbackIDs = fallbackIDs
    self.arena = arena.withoutSpareMemory
  }

  private static func replace(
    _ replacements: [DecoderSteps.Replacement], in text: UnsafeBufferPointer<UInt8>
  ) -> [UInt8] {
    var bytes = Array(text)
    for replacement in replacements {
      let normalizer = Normalizer.replace(replacement.old, with: replacement.new)
      bytes = bytes.withUnsafeBufferPointer { normalizer.apply($0) } ?? bytes
    }
    return bytes
  }

  /// The byte that a piece such as `<0x0A>` stands for.
  private static func fallbackByte(_ text: UnsafeBufferPointer<UInt8>) -> UInt8? {
    guard text.count == 6, text.starts(with: Array("<0x".utf8)), text[5] == UInt8(ascii: ">")
    else { return nil }
    return UInt8(String(decoding: text[3..<5], as: UTF8.self), radix: 16)
  }

  /// The bytes of `id`; empty for ids that do not exist.
  func bytes(of id: Int32) -> ArraySlice<UInt8> {
    guard hasPiece(id) else { return [] }
    let start = id == 0 ? 0 : Int(ends[Int(id) - 1])
    return arena[start..<Int(ends[Int(id)])]
  }

  func hasPiece(_ id: Int32) -> Bool { ends.indices ~= Int(id) }

  func isSpecial(_ id: Int32) -> Bool { specialIDs.contains(id) }

  func isFallbackByte(_ id: Int32) -> Bool { fallbackIDs.contains(id) }

  /// The text of a whole sequence. Ids without a piece are passed over; bytes that are not UTF-8
  /// become U+FFFD, with byte fallback one for each byte of the run.
  func decode(_ ids: [Int32], skipSpecialTokens: Bool) -> String {
    var text: [UInt8] = []
    text.reserveCapacity(4 * ids.count)
    var state = DecodingState(steps)
    var fallbackStart: Int?
    func endFallback() {
      guard let start = fallbackStart else { return }
      fallbackStart = nil
      let isValid = text[start...].withUnsafeBufferPointer {
        UTF8Text.firstInvalidOffset(in: $0) == nil
      }
      if isValid { return }
      let count = text.count - start
      text.removeLast(count)
      for _ in 0..<count { text.append(contentsOf: Array("\u{FFFD}".utf8)) }
    }
    for id in ids where !(skipSpecialTokens && isSpecial(id)) && hasPiece(id) {
      if isFallbackByte(id) {
        if fallbackStart == nil { fallbackStart = text.count }
      } else {
        endFallback()
      }
      state.append(bytes(of: id), to: &text)
    }
    endFallback()
    state.strip(&text)
    return String(decoding: text, as: UTF8.self)
  }
}

/// What decoding remembers from one piece to the next.
struct DecodingState: Sendable {
  private let separator: [UInt8]
  private let dropsFirstSpaces: Bool
  private var isFirst = true
  private let strippedCharacter: [UInt8]
  /// How many characters may still be stripped from the start of the text.
  private var remainingStrips: Int

  init(_ steps: DecoderSteps) {
    guard case .text(let steps) = steps else {
      (separator, dropsFirstSpaces, strippedCharacter, remainingStrips) = ([], false, [], 0)
      return
    }
    separator = Array(steps.separator.utf8)
    dropsFirstSpaces = steps.dropsFirstSpaces
    strippedCharacter = steps.stripped.map { Array(String(Character($0.character)).utf8) } ?? []
    remainingStrips = steps.stripped?.count ?? 0
  }

  /// Appends the bytes of the next piece.
  mutating func append(_ bytes: ArraySlice<UInt8>, to text: inout [UInt8]) {
    if isFirst, dropsFirstSpaces {
      text.append(contentsOf: bytes.filter { $0 != 0x20 })
    } else {
      if !isFirst { text.append(contentsOf: separator) }
      text.append(contentsOf: bytes)
    }
    isFirst = false
  }

  /// Strips what is still to be stripped from `text`, which follows all text stripped before.
  mutating func strip(_ text: inout [UInt8]) {
    guard remainingStrips > 0, !strippedCharacter.isEmpty else { return }
    var stripped = 0
    while remainingStrips > 0, text[stripped...].starts(with: strippedCharacter) {
      stripped += strippedCharacter.count
      remainingStrips -= 1
    }
    if stripped < text.count { remainingStrips = 0 }
    text.removeFirst(stripped)
  }
}
