/// Cuts text that has no pre-tokenizer into words where no merge can reach across.
///
/// SentencePiece vocabularies write a space as U+2581, and only at the start of a piece. Then no
/// piece, and so no merge, holds another scalar followed by U+2581, and the words between can be
/// encoded one by one: the same ids, without a merge queue over the whole text.
enum WordBoundary {
  /// U+2581 in UTF-8.
  static let mark: [UInt8] = [0xE2, 0x96, 0x81]

  /// Whether every U+2581 in the vocabulary starts its piece or follows another one.
  static func isSafe(in pieces: PieceTable) -> Bool {
    guard mark.withUnsafeBufferPointer({ pieces.id(of: $0) }) != nil else { return false }
    return (0..<pieces.endID).allSatisfy { id in
      pieces.withBytes(of: id) { piece in next(in: piece, after: 0) == piece.count } ?? true
    }
  }

  /// The start of the next word after `start`: a U+2581 that does not follow another; or the end.
  static func next(in text: UnsafeBufferPointer<UInt8>, after start: Int) -> Int {
    var position = start
    while position < text.count {
      if !isMark(text, position) {
        position += 1
      } else if position > start, !isMark(text, position - mark.count) {
        return position
      } else {
        position += mark.count
      }
    }
    return text.count
  }

  private static func isMark(_ text: UnsafeBufferPointer<UInt8>, _ position: Int) -> Bool {
    position >= 0 && position + mark.count <= text.count && text[position] == mark[0]
      && text[position + 1] == mark[1] && text[position + 2] == mark[2]
  }
}

extension BPEEncoder {
  /// Encodes text that no pre-tokenizer cut.
  func encodeWhole(_ text: UnsafeBufferPointer<UInt8>, into ids: inout [Int32]) {
    guard model.hasWordBoundaries else { return encode(text, 0, text.count, into: &ids) }
    var start = 0
    while start < text.count {
      let end = WordBoundary.next(in: text, after: start)
      encode(text, start, end, into: &ids)
      start = end
    }
  }
}
