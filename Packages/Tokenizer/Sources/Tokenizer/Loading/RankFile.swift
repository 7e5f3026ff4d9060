/// Reads `tokenizer.model` in tiktoken's form, as Llama 3 is published: on each line a byte
/// sequence in base64 and its rank, which is its id.
enum RankFile {
  /// Whether these bytes look like a rank file rather than a SentencePiece model.
  static func isRankFile(_ bytes: [UInt8]) -> Bool {
    let first = bytes.prefix { $0 != 0x0A }
    return first.contains(0x20) && first.allSatisfy { 0x20..<0x7F ~= $0 || $0 == 0x0D }
  }

  /// Reads the ranks, and completes the configuration by what Llama 3 keeps in its code.
  /// - Throws: ``TokenizerError`` naming the line for everything malformed.
  static func read(_ bytes: [UInt8], file: String, _ configuration: inout TokenizerConfiguration)
    throws(TokenizerError) -> TokenizerParts
  {
    let origin = PieceTable.Origin(file: file, key: "ranks")
    var pieces = PieceTable()
    var decoded: [UInt8] = []
    var text: [UInt8] = []
    try TextLines.forEach(in: bytes, file: file) { (line, number) throws(TokenizerError) in
      if line.isEmpty { return }
      decoded.removeAll(keepingCapacity: true)
      guard let space = line.firstIndex(of: 0x20),
        Base64.decode(line[..<space], into: &decoded), !decoded.isEmpty,
        let rank = Int(String(decoding: line[(space + 1)...], as: UTF8.self))
      else {
        throw .malformedLine(file: file, line: number, reason: "expected base64 and a rank")
      }
      text.removeAll(keepingCapacity: true)
      decoded.withUnsafeBufferPointer { ByteAlphabet.write($0, to: &text) }
      try text.withUnsafeBufferPointer { (piece) throws(TokenizerError) in
        try pieces.insert(piece, id: rank, origin: origin)
      }
    }
    pieces.compact()

    configuration.completeForLlama3(firstID: pieces.endID)
    let split = PreTokenizer.Step.split(
      .cl100k(CL100KScanner(maximumDigits: 3)), .isolated, inverted: false)
    return TokenizerParts(
      origin: origin,
      model: BPEModel(
        pieces: pieces, merges: merges(pieces), symbols: pieces.byteSymbols,
        ignoresMerges: true),
      preTokenizer: PreTokenizer([split, .byteAlphabet]), decoder: .byteLevel
    ).adding(configuration, addsBOSByDefault: true)
  }

  /// tiktoken merges any two neighbours that make a piece, lowest rank of the result first; as
  /// merges of pairs these are all the ways to cut each piece in two pieces.
  private static func merges(_ pieces: PieceTable) -> MergeTable {
    var table = MergeTable(expectedCount: 2 * pieces.count)
    for id in 0..<pieces.endID {
      _ = pieces.withBytes(of: id) { piece in
        for cut in piece.indices.dropFirst() where piece[cut] & 0xC0 != 0x80 {
          if let left = pieces.id(of: UnsafeBufferPointer(rebasing: piece[..<cut])),
            let right = pieces.id(of: UnsafeBufferPointer(rebasing: piece[cut...]))
          {
            table.insert(left: left, right: right, rank: id, merged: Int32(id))
          }
        }
      }
    }
    return table
  }
}

extension TokenizerConfiguration {
  /// Fills in what Llama 3's rank file leaves to its code: 256 special tokens after the ranks.
  fileprivate mutating func completeForLlama3(firstID: Int) {
    if specialTokens["bos_token"] == nil { specialTokens["bos_token"] = "<|begin_of_text|>" }
    guard addedTokens.isEmpty else { return }
    let named = [
      "begin_of_text", "end_of_text", "reserved_special_token_0", "reserved_special_token_1",
      "finetune_right_pad_id", "reserved_special_token_2", "start_header_id", "end_header_id",
      "eom_id", "eot_id", "python_tag",
    ]
    let reserved = (3...247).map { "reserved_special_token_\($0)" }
    addedTokens = (named + reserved).enumerated().map { index, name in
      AddedToken(content: "<|\(name)|>", id: Int32(firstID + index), isSpecial: true)
    }
  }
}

/// Base64 (RFC 4648) with padding.
enum Base64 {
  private static let values: [UInt8] = {
    var values = [UInt8](repeating: 255, count: 256)
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    for (value, character) in alphabet.utf8.enumerated() { values[Int(character)] = UInt8(value) }
    return values
  }()

  /// Appends the decoded bytes; false when `text` is not base64.
  static func decode(_ text: Slice<UnsafeBufferPointer<UInt8>>, into bytes: inout [UInt8]) -> Bool {
    guard text.count % 4 == 0 else { return false }
    let padding = text.reversed().prefix { $0 == UInt8(ascii: "=") }.count
    guard padding <= 2 else { return false }
    var bits: UInt32 = 0
    var count = 0
    for character in text.dropLast(padding) {
      let value = values[Int(character)]
      if value == 255 { return false }
      bits = bits << 6 | UInt32(value)
      count += 6
      if count >= 8 {
        count -= 8
        bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
      }
    }
    return true
  }
}
