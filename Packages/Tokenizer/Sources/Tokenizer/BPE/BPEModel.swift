/// A byte-pair encoding: the vocabulary, its merges, and how text becomes the first symbols.
struct BPEModel: Sendable {
  /// What the symbols are before any merge.
  enum Symbols: Sendable {
    /// One symbol per byte: the id of each byte's piece, -1 where the vocabulary has none.
    case bytes([Int32])
    /// One symbol per Unicode scalar. Scalars outside the vocabulary become their UTF-8 bytes
    /// (`byteFallback`: 256 ids, -1 where absent) when it has all of them.
    case scalars(byteFallback: [Int32]?)
  }

  let pieces: PieceTable
  let merges: MergeTable
  let symbols: Symbols
  /// Stands for symbols outside the vocabulary; without it they are dropped.
  let unknownID: Int32?
  /// Whether adjacent unknown symbols become one ``unknownID``.
  let fusesUnknown: Bool
  /// Whether text that is a piece as a whole is that piece, whatever the merges say (Llama 3).
  let ignoresMerges: Bool

  /// Whether ``WordBoundary`` may cut text for this model.
  let hasWordBoundaries: Bool

  init(
    pieces: PieceTable, merges: MergeTable, symbols: Symbols, unknownID: Int32? = nil,
    fusesUnknown: Bool = false, ignoresMerges: Bool = false
  ) {
    self.pieces = pieces
    self.merges = merges
    self.symbols = symbols
    self.unknownID = unknownID
    self.fusesUnknown = fusesUnknown
    self.ignoresMerges = ignoresMerges
    if case .scalars = symbols, !ignoresMerges {
      hasWordBoundaries = WordBoundary.isSafe(in: pieces)
    } else {
      hasWordBoundaries = false
    }
  }

  /// Calls `body` with an encoder that works in `scratch`, valid inside `body`.
  func withEncoder<Result>(_ scratch: BPEScratch, _ body: (BPEEncoder) -> Result) -> Result {
    merges.withView { body(BPEEncoder(model: self, merges: $0, scratch: scratch)) }
  }
}
