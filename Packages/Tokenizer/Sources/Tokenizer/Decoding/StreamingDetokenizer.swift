import JSON

/// Turns ids into text one at a time, without ever breaking a UTF-8 character.
///
/// The pushed texts and the last of ``finish()`` joined are what
/// ``TextTokenizer/decode(_:skipSpecialTokens:)`` gives for all ids at once. (One difference: where
/// a run of byte-fallback ids is not UTF-8, only its broken bytes become U+FFFD here, because the
/// characters before were already shown.)
///
/// ```swift
/// var detokenizer = tokenizer.streamingDetokenizer(skipSpecialTokens: true)
/// for id in ids { print(detokenizer.push(id), terminator: "") }
/// print(detokenizer.finish())
/// ```
public struct StreamingDetokenizer: Sendable {
  private let decoder: PieceDecoder
  private let skipSpecialTokens: Bool
  private var state: DecodingState
  /// Bytes that do not make a whole character yet.
  private var pending: [UInt8] = []

  init(_ decoder: PieceDecoder, skipSpecialTokens: Bool) {
    self.decoder = decoder
    self.skipSpecialTokens = skipSpecialTokens
    state = DecodingState(decoder.steps)
  }

  /// The text that `id` completes; empty while a character is incomplete, and for ids that are
  /// skipped or have no piece.
  public mutating func push(_ id: Int32) -> String {
    guard decoder.hasPiece(id), !(skipSpecialTokens && decoder.isSpecial(id)) else { return "" }
    state.append(decoder.bytes(of: id), to: &pending)
    state.strip(&pending)
    let tail = pending.withUnsafeBufferPointer { UTF8Text.incompleteTail(of: $0) }
    let text = String(decoding: pending.dropLast(tail), as: UTF8.self)
    pending.removeFirst(pending.count - tail)
    return text
  }

  /// The rest at the end of the sequence: an incomplete character becomes U+FFFD.
  public mutating func finish() -> String {
    defer { pending.removeAll() }
    return String(decoding: pending, as: UTF8.self)
  }
}
