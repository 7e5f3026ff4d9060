/// How pieces become text again (`decoder` in `tokenizer.json`).
enum DecoderSteps: Sendable, Equatable {
  /// Pieces are bytes written in ``ByteAlphabet``.
  case byteLevel
  /// Pieces are text.
  case text(TextSteps)

  /// What is done to text pieces, in this order.
  struct TextSteps: Sendable, Equatable {
    /// Text replaced in each piece.
    var replacements: [Replacement] = []
    /// Whether pieces such as `<0x0A>` stand for a byte.
    var hasByteFallback = false
    /// Whether the very first piece loses its spaces (Metaspace).
    var dropsFirstSpaces = false
    /// How often `character` is stripped from the start of the whole text.
    var stripped: (character: Unicode.Scalar, count: Int)?
    /// Put between pieces: a space where the file has no decoder at all.
    var separator = ""

    static func == (left: Self, right: Self) -> Bool {
      left.replacements == right.replacements && left.hasByteFallback == right.hasByteFallback
        && left.dropsFirstSpaces == right.dropsFirstSpaces && left.separator == right.separator
        && left.stripped?.character == right.stripped?.character
        && left.stripped?.count == right.stripped?.count
    }
  }

  /// One string for another.
  struct Replacement: Sendable, Equatable {
    let old: String
    let new: String
  }
}
