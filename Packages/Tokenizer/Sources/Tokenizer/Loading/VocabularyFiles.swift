import JSON

/// Reads `vocab.json` with `merges.txt`, the form before `tokenizer.json`.
///
/// These files do not say how text is cut; that follows from the tokenizer class the
/// configuration names.
enum VocabularyFiles {
  /// What a tokenizer class does before the merges.
  private struct Pipeline {
    var normalizers: [Normalizer] = []
    var matcher = SplitMatcher.gpt2(GPT2Scanner())
  }

  private static func pipeline(of tokenizerClass: String?) -> Pipeline? {
    switch tokenizerClass {
    case nil, "GPT2Tokenizer", "GPT2TokenizerFast": Pipeline()
    case "Qwen2Tokenizer", "Qwen2TokenizerFast":
      Pipeline(normalizers: [.nfc], matcher: .cl100k(CL100KScanner(maximumDigits: 1)))
    default: nil
    }
  }

  /// - Throws: ``TokenizerError`` for malformed files, and for classes that are not known.
  static func read(
    vocabulary: [UInt8], file: String, merges: [UInt8], mergesFile: String,
    _ configuration: TokenizerConfiguration
  ) throws(TokenizerError) -> TokenizerParts {
    guard let pipeline = pipeline(of: configuration.tokenizerClass) else {
      throw .unsupported(
        file: "tokenizer_config.json", key: "tokenizer_class",
        value: "\(configuration.tokenizerClass ?? "") without tokenizer.json")
    }
    let origin = PieceTable.Origin(file: file, key: "vocabulary")
    let pieces = try TokenizerReader.read(vocabulary, file: file) {
      (reader) throws(TokenizerError) in
      try PieceTable(reading: &reader, origin)
    }
    let split = PreTokenizer.Step.split(pipeline.matcher, .isolated, inverted: false)
    return TokenizerParts(
      origin: origin,
      model: BPEModel(
        pieces: pieces, merges: try readMerges(merges, file: mergesFile, pieces),
        symbols: pieces.byteSymbols,
        unknownID: configuration.specialTokens["unk_token"].flatMap { pieces.id(of: $0) }),
      normalizers: pipeline.normalizers,
      preTokenizer: PreTokenizer(
        (configuration.addsPrefixSpace ? [.prefixSpace] : []) + [split, .byteAlphabet]),
      decoder: .byteLevel
    ).adding(configuration, addsBOSByDefault: false)
  }

  /// One merge per line, lowest rank first; a first line `#version` is passed over.
  private static func readMerges(_ bytes: [UInt8], file: String, _ pieces: PieceTable)
    throws(TokenizerError) -> MergeTable
  {
    var builder = MergeBuilder(pieces: pieces, file: file)
    try TextLines.forEach(in: bytes, file: file) { (line, number) throws(TokenizerError) in
      if line.isEmpty || number == 1 && line.starts(with: Array("#version".utf8)) { return }
      try builder.add(line: line)
    }
    return builder.table
  }
}

/// Walking over the lines of a text file.
enum TextLines {
  /// Calls `body` with each line, without its line break, and its number from 1.
  /// - Throws: for text that is not UTF-8, and whatever `body` throws.
  static func forEach(
    in bytes: [UInt8], file: String,
    _ body: (UnsafeBufferPointer<UInt8>, Int) throws(TokenizerError) -> Void
  ) throws(TokenizerError) {
    try bytes.withUnsafeBufferPointer { (text) throws(TokenizerError) in
      if let offset = UTF8Text.firstInvalidOffset(in: text) {
        throw .malformedLine(
          file: file, line: 1 + text[..<offset].count { $0 == 0x0A }, reason: "invalid UTF-8")
      }
      var start = 0
      var number = 1
      while start < text.count {
        let end = text[start...].firstIndex(of: 0x0A) ?? text.count
        let isCRLF = end > start && text[end - 1] == 0x0D
        try body(UnsafeBufferPointer(rebasing: text[start..<(isCRLF ? end - 1 : end)]), number)
        start = end + 1
        number += 1
      }
    }
  }
}

extension TokenizerParts {
  /// With the added tokens of `tokenizer_config.json` that `tokenizer.json` lacks.
  /// - Throws: ``TokenizerError/invalidValue(file:key:reason:)`` where both give a token an id, and
  ///   not the same.
  func adding(_ tokens: [AddedToken], file: String) throws(TokenizerError) -> TokenizerParts {
    var parts = self
    let known = Dictionary(
      addedTokens.map { (ExactString($0.content), $0.id) }, uniquingKeysWith: { first, _ in first })
    for token in tokens.sorted(by: { $0.id < $1.id }) {
      let id = known[ExactString(token.content)]
      if let id, id != token.id {
        throw .invalidValue(
          file: file, key: "added_tokens_decoder.\(token.id)",
          reason: "\"\(token.content)\" has id \(id) in tokenizer.json")
      }
      if id == nil { parts.addedTokens.append(token) }
    }
    return parts
  }

  /// With the pieces of the vocabulary that the configuration names as special tokens, where they
  /// are no added tokens yet.
  func addingNamed(in configuration: TokenizerConfiguration) -> TokenizerParts {
    var parts = self
    let named = configuration.specialTokens.sorted { $0.key < $1.key }.map(\.value)
    for content in named + configuration.furtherSpecialTokens {
      let isKnown = parts.addedTokens.contains { ExactString($0.content) == ExactString(content) }
      if !isKnown, let id = parts.model.pieces.id(of: content) {
        parts.addedTokens.append(AddedToken(content: content, id: id, isSpecial: true))
      }
    }
    return parts
  }

  /// With BOS and EOS around a sequence, or without them, where `add_bos_token` or `add_eos_token`
  /// says so; what the post-processor of `tokenizer.json` says holds elsewhere. A flag for a token
  /// that is not there is noted.
  func surrounded(asIn configuration: inout TokenizerConfiguration) -> TokenizerParts {
    var parts = self
    for (flag, name, ids) in [
      (configuration.addsBOS, "bos", \TokenizerParts.prefixIDs),
      (configuration.addsEOS, "eos", \.suffixIDs),
    ] {
      guard let flag else { continue }
      let content = configuration.specialTokens["\(name)_token"]
      let id = content.flatMap { content in
        parts.addedTokens.first { ExactString($0.content) == ExactString(content) }?.id
          ?? parts.model.pieces.id(of: content)
      }
      if flag, id == nil {
        configuration.unapplied.append("add_\(name)_token, as the vocabulary has no \(name)_token")
      }
      guard let id, parts[keyPath: ids].contains(id) != flag else { continue }
      if flag {
        parts[keyPath: ids].insert(id, at: name == "bos" ? 0 : parts[keyPath: ids].count)
      } else {
        parts[keyPath: ids].removeAll { $0 == id }
      }
    }
    return parts
  }

  /// With the added tokens of the configuration, the special tokens it names, and BOS and EOS
  /// where it wants them around a sequence.
  func adding(_ configuration: TokenizerConfiguration, addsBOSByDefault: Bool) -> TokenizerParts {
    var parts = self
    parts.addedTokens = configuration.addedTokens
    parts = parts.addingNamed(in: configuration)
    func id(_ name: String) -> [Int32] {
      let content = configuration.specialTokens[name].map(ExactString.init)
      return parts.addedTokens.first { ExactString($0.content) == content }.map { [$0.id] } ?? []
    }
    if configuration.addsBOS ?? addsBOSByDefault { parts.prefixIDs = id("bos_token") }
    if configuration.addsEOS ?? false { parts.suffixIDs = id("eos_token") }
    return parts
  }
}
