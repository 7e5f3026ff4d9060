import Foundation
import JSON

/// Turns text into the ids a model was trained on, and back.
///
/// Loads what model folders hold: `tokenizer.json` (byte-level and SentencePiece-style byte-pair
/// encodings), `vocab.json` with `merges.txt`, or `tokenizer.model` with tiktoken ranks. The ids
/// are those of Hugging Face `tokenizers` for the same file.
///
/// ```swift
/// let tokenizer = try TextTokenizer(directory: modelFolder)
/// let ids = tokenizer.encode("Hello", addSpecialTokens: true)
/// print(tokenizer.decode(ids, skipSpecialTokens: true))
/// ```
///
/// A value can be shared between threads; each encoding borrows its own working memory.
public struct TextTokenizer: Sendable {
  let parts: TokenizerParts
  private let decoder: PieceDecoder
  private let rawMatcher: AddedTokenMatcher
  private let normalizedMatcher: AddedTokenMatcher
  private let addedByID: [Int32: AddedToken]
  private let addedByContent: [ExactString: Int32]
  private let scratches = ScratchPool()

  /// What `tokenizer_config.json` says: the named special tokens and the chat template.
  public let configuration: TokenizerConfiguration
  /// One past the highest id. A model's embedding may have more rows.
  public let vocabularySize: Int
  /// The ids marked special: those that `skipSpecialTokens` leaves out.
  public let specialIDs: Set<Int32>
  /// The token that begins a sequence, where the configuration names one.
  public let bosTokenID: Int32?
  /// The token that ends a sequence, where the configuration names one.
  public let eosTokenID: Int32?

  init(_ parts: TokenizerParts, configuration: TokenizerConfiguration) throws(TokenizerError) {
    self.parts = parts
    vocabularySize = try parts.checkIDs()
    rawMatcher = AddedTokenMatcher(parts.addedTokens.filter { !$0.isNormalized })
    normalizedMatcher = AddedTokenMatcher(parts.addedTokens.filter(\.isNormalized)) { token in
      Array(token.content.utf8).withUnsafeBufferPointer { text in
        parts.normalizers.normalize(text) { Array($0) }
      }
    }
    let addedByID = Dictionary(
      parts.addedTokens.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    self.addedByID = addedByID
    addedByContent = Dictionary(
      parts.addedTokens.map { (ExactString($0.content), $0.id) },
      uniquingKeysWith: { first, _ in first })
    specialIDs = Set(parts.addedTokens.lazy.filter(\.isSpecial).map(\.id))
    decoder = PieceDecoder(
      steps: parts.decoder, count: vocabularySize, specialIDs: specialIDs
    ) { id, body in
      if let token = addedByID[Int32(id)] {
        Array(token.content.utf8).withUnsafeBufferPointer(body)
      } else {
        _ = parts.model.pieces.withBytes(of: id, body)
      }
    }
    let added = addedByContent
    func id(_ name: String) -> Int32? {
      configuration.specialTokens[name].flatMap {
        added[ExactString($0)] ?? parts.model.pieces.id(of: $0)
      }
    }
    bosTokenID = id("bos_token")
    eosTokenID = id("eos_token")
    var configuration = configuration
    for name in ["bos_token", "eos_token"] where id(name) == nil {
      guard let word = configuration.specialTokens[name], !word.isEmpty else { continue }
      configuration.unapplied.append("\(name), as the vocabulary has no \(word.debugDescription)")
    }
    self.configuration = configuration
  }

  // MARK: Pieces

  /// The piece of an id as the vocabulary writes it ("Ġthe" for " the"), or nil.
  public func piece(of id: Int32) -> String? {
    addedByID[id]?.content ?? parts.model.pieces.text(of: Int(id))
  }

  /// The id of a piece as the vocabulary writes it, or nil.
  public func id(of piece: String) -> Int32? {
    addedByContent[ExactString(piece)] ?? parts.model.pieces.id(of: piece)
  }

  /// The bytes that an id adds to a text, which need not be whole characters; empty for ids without
  /// a piece.
  public func bytes(of id: Int32) -> [UInt8] { Array(decoder.bytes(of: id)) }

  /// The lowest id that is not the same token in another tokenizer; nil where all are, so that ids
  /// of one mean the same text in the other.
  public func firstDifference(from other: TextTokenizer) -> Int32? {
    let ids = 0..<Int32(max(vocabularySize, other.vocabularySize))
    return ids.first { id in
      id >= vocabularySize || id >= other.vocabularySize
        || !decoder.bytes(of: id).elementsEqual(other.decoder.bytes(of: id))
        || addedByID[id]?.content != other.addedByID[id]?.content
    }
  }

  // MARK: Encoding

  /// The ids of `text`.
  /// - Parameters:
  ///   - text: any text; special tokens spelled in it are found unless `specialText` says not to.
  ///   - addSpecialTokens: whether to add what the model wants around a sequence (BOS). Leave it
  ///     out for text from a chat template, which writes those tokens itself.
  ///   - specialText: what text that spells a special token means.
  /// - Returns: the ids, in O(n log n) of the text's length.
  public func encode(
    _ text: String, addSpecialTokens: Bool = true, specialText: SpecialText = .isToken
  ) -> [Int32] {
    var text = text
    return text.withUTF8 {
      encode(valid: $0, addSpecialTokens: addSpecialTokens, specialText: specialText)
    }
  }

  /// The ids of UTF-8 bytes, as read from a file.
  ///
  /// Bytes that are not UTF-8 count as U+FFFD, one for each maximal ill-formed part
  /// (The Unicode Standard, section 3.9), just as `String(decoding:as:)` reads them.
  public func encode(
    utf8 bytes: some Sequence<UInt8>, addSpecialTokens: Bool = true,
    specialText: SpecialText = .isToken
  ) -> [Int32] {
    let bytes = Array(bytes)
    let isValid = bytes.withUnsafeBufferPointer { UTF8Text.firstInvalidOffset(in: $0) == nil }
    guard isValid else {
      return encode(
        String(decoding: bytes, as: UTF8.self), addSpecialTokens: addSpecialTokens,
        specialText: specialText)
    }
    return bytes.withUnsafeBufferPointer {
      encode(valid: $0, addSpecialTokens: addSpecialTokens, specialText: specialText)
    }
  }

  /// The ids of a prompt: special tokens are found where the template wrote them, and nowhere else.
  public func encode(_ prompt: PromptText, addSpecialTokens: Bool = false) -> [Int32] {
    var text = prompt.text
    return text.withUTF8 {
      encode(
        valid: $0, addSpecialTokens: addSpecialTokens, specialText: .isToken,
        plainStarts: prompt.plainStarts)
    }
  }

  private func encode(
    valid text: UnsafeBufferPointer<UInt8>, addSpecialTokens: Bool, specialText: SpecialText,
    plainStarts: [Int] = []
  ) -> [Int32] {
    var ids: [Int32] = []
    ids.reserveCapacity(text.count / 3 + 8)
    if addSpecialTokens { ids.append(contentsOf: parts.prefixIDs) }
    scratches.withScratch { scratch in
      parts.model.withEncoder(scratch) { encoder in
        rawMatcher.forEachSegment(of: text, specialText, plainStarts: plainStarts) { segment in
          switch segment {
          case .token(let id): ids.append(id)
          case .text(let range):
            let part = UnsafeBufferPointer(rebasing: text[range])
            parts.normalizers.normalize(part) { normalized in
              // Offsets hold where normalizing changed nothing; else no special text is a token.
              let plain = plainStarts.filter(range.contains).map { $0 - range.lowerBound }
              let isSame = plain.isEmpty || normalized.elementsEqual(part)
              encode(
                normalized: normalized, isStart: range.lowerBound == 0,
                isSame ? specialText : .treatSpecialTextAsPlain, plainStarts: isSame ? plain : [],
                encoder, into: &ids)
            }
          }
        }
      }
    }
    if addSpecialTokens { ids.append(contentsOf: parts.suffixIDs) }
    return ids
  }

  private func encode(
    normalized text: UnsafeBufferPointer<UInt8>, isStart: Bool, _ specialText: SpecialText,
    plainStarts: [Int], _ encoder: BPEEncoder, into ids: inout [Int32]
  ) {
    normalizedMatcher.forEachSegment(of: text, specialText, plainStarts: plainStarts) { segment in
      switch segment {
      case .token(let id): ids.append(id)
      case .text(let range):
        parts.preTokenizer.encode(
          UnsafeBufferPointer(rebasing: text[range]),
          isStart: isStart && range.lowerBound == 0, with: encoder, into: &ids)
      }
    }
  }

  // MARK: Decoding

  /// The text of `ids`.
  ///
  /// Ids without a piece are passed over; bytes that are not UTF-8 become U+FFFD.
  /// - Parameters:
  ///   - ids: the ids.
  ///   - skipSpecialTokens: whether to leave out ``specialIDs``.
  /// - Returns: the text, in time linear in its length.
  public func decode(_ ids: [Int32], skipSpecialTokens: Bool = false) -> String {
    decoder.decode(ids, skipSpecialTokens: skipSpecialTokens)
  }

  /// A decoder for ids that arrive one at a time.
  public func streamingDetokenizer(skipSpecialTokens: Bool = false) -> StreamingDetokenizer {
    StreamingDetokenizer(decoder, skipSpecialTokens: skipSpecialTokens)
  }
}
