import JSON

/// What every tokenizer file format comes down to.
struct TokenizerParts: Sendable {
  /// Where the vocabulary came from, for errors.
  var origin: PieceTable.Origin
  var model: BPEModel
  var addedTokens: [AddedToken] = []
  var normalizers: [Normalizer] = []
  var preTokenizer: PreTokenizer
  /// Ids put before a sequence when special tokens are asked for.
  var prefixIDs: [Int32] = []
  /// Ids put after it.
  var suffixIDs: [Int32] = []
  var decoder: DecoderSteps

  /// Checks that vocabulary and added tokens agree and use every id from 0 on.
  /// - Returns: one past the highest id.
  func checkIDs() throws(TokenizerError) -> Int {
    var contents: Set<ExactString> = []
    var addedIDs: [Int32: String] = [:]
    let key = "added_tokens"
    for token in addedTokens {
      guard contents.insert(ExactString(token.content)).inserted else {
        throw .duplicatePiece(file: origin.file, key: key, piece: token.content)
      }
      let other = addedIDs.updateValue(token.content, forKey: token.id)
      if let other = other ?? model.pieces.text(of: Int(token.id)),
        ExactString(other) != ExactString(token.content)
      {
        throw .duplicateID(
          file: origin.file, key: key, id: Int(token.id), pieces: [other, token.content])
      }
      if let id = model.pieces.id(of: token.content), id != token.id {
        throw .invalidValue(
          file: origin.file, key: key,
          reason: "\"\(token.content)\" has id \(token.id) here and \(id) in the vocabulary")
      }
    }
    let end = max(model.pieces.endID, Int(addedIDs.keys.max() ?? -1) + 1)
    for id in 0..<end where !model.pieces.contains(id) && addedIDs[Int32(id)] == nil {
      throw .vocabularyGap(file: origin.file, key: origin.key, id: id)
    }
    return end
  }
}
