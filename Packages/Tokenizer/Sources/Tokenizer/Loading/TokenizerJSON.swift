import JSON

/// Reads `tokenizer.json`.
///
/// The vocabulary and the merges, nearly all of the file, go straight from its bytes into flat
/// tables; the rest is parsed as a small tree.
struct TokenizerJSON {
  private let file: String
  /// The top-level members other than the model.
  private var sections: [String: ConfigNode] = [:]
  /// The members of `model` other than the two tables.
  private var model = OrderedObject<JSONValue>()
  /// Where the values of `model.vocab` and `model.merges` start.
  private var vocabularyOffset: Int?
  private var mergesOffset: Int?

  /// - Throws: ``TokenizerError`` naming file and key for everything malformed or not supported.
  static func read(_ bytes: [UInt8], file: String) throws(TokenizerError) -> TokenizerParts {
    try TokenizerReader.read(bytes, file: file) { (reader) throws(TokenizerError) in
      var document = TokenizerJSON(file: file)
      try document.readOutline(&reader)
      let end = reader.offset
      let parts = try document.parts(&reader)
      reader.seek(to: end)
      return parts
    }
  }

  private init(file: String) { self.file = file }

  // MARK: Outline

  private mutating func readOutline(_ reader: inout TokenizerReader) throws(TokenizerError) {
    try reader.readObject("the document") { (reader, name) throws(TokenizerError) in
      let name = String(decoding: name, as: UTF8.self)
      switch name {
      case "model": try readModelOutline(&reader)
      case "added_tokens", "normalizer", "pre_tokenizer", "post_processor", "decoder":
        sections[name] = ConfigNode(value: try reader.readValue(), file: file, key: name)
      default: try reader.skipValue()
      }
    }
  }

  private mutating func readModelOutline(_ reader: inout TokenizerReader) throws(TokenizerError) {
    try reader.readObject("model") { (reader, name) throws(TokenizerError) in
      let name = String(decoding: name, as: UTF8.self)
      switch name {
      case "vocab":
        vocabularyOffset = reader.offset
        try reader.skipValue()
      case "merges":
        mergesOffset = reader.offset
        try reader.skipValue()
      default: model[name] = try reader.readValue()
      }
    }
  }

  /// A pipeline section; nil when absent or null.
  private func section(_ name: String) -> ConfigNode? {
    sections[name].flatMap { $0.value.isNull ? nil : $0 }
  }

  // MARK: Parts

  private func parts(_ reader: inout TokenizerReader) throws(TokenizerError) -> TokenizerParts {
    let settings = ConfigNode(value: .object(model), file: file, key: "model")
    try checkModel(settings)
    let origin = PieceTable.Origin(file: file, key: "model.vocab")
    let pieces = try readVocabulary(&reader, origin)
    let merges = try readMerges(&reader, pieces)
    let preTokenizer = PreTokenizer(try PipelineParsing.steps(section("pre_tokenizer")))
    let (prefix, suffix) = try PipelineParsing.surroundings(section("post_processor"))
    return TokenizerParts(
      origin: origin,
      model: BPEModel(
        pieces: pieces, merges: merges,
        symbols: try symbols(settings, pieces, isByteLevel: preTokenizer.isByteLevel),
        unknownID: try unknownID(settings, pieces),
        fusesUnknown: try settings.flag("fuse_unk"),
        ignoresMerges: try settings.flag("ignore_merges")),
      addedTokens: try addedTokens(),
      normalizers: try PipelineParsing.normalizers(section("normalizer")),
      preTokenizer: preTokenizer, prefixIDs: prefix, suffixIDs: suffix,
      decoder: try PipelineParsing.decoder(section("decoder")))
  }

  /// Refuses models other than plain byte-pair encoding.
  private func checkModel(_ settings: ConfigNode) throws(TokenizerError) {
    if let type = settings["type"], try type.string() != "BPE" {
      throw type.unsupported(try type.string())
    }
    for name in ["continuing_subword_prefix", "end_of_word_suffix"] {
      if let affix = settings[name], try !affix.string().isEmpty {
        throw affix.unsupported("\"\(try affix.string())\"")
      }
    }
    if let dropout = settings["dropout"], dropout.value != .integer(0),
      dropout.value != .number(0)
    {
      throw dropout.unsupported("random dropout")
    }
  }

  private func readVocabulary(_ reader: inout TokenizerReader, _ origin: PieceTable.Origin)
    throws(TokenizerError) -> PieceTable
  {
    guard let vocabularyOffset else { throw .missingKey(file: file, key: "model.vocab") }
    reader.seek(to: vocabularyOffset)
    return try PieceTable(reading: &reader, origin)
  }

  private func readMerges(_ reader: inout TokenizerReader, _ pieces: PieceTable)
    throws(TokenizerError) -> MergeTable
  {
    guard let mergesOffset else { throw .missingKey(file: file, key: "model.merges") }
    reader.seek(to: mergesOffset)
    var builder = MergeBuilder(pieces: pieces, file: file)
    try reader.readArray("model.merges") { (reader, index) throws(TokenizerError) in
      switch try reader.peekKind() {
      case .array:
        try builder.start()
        try reader.readArray("model.merges[\(index)]") { (reader, part) throws(TokenizerError) in
          try builder.add(part: part, try reader.readString("model.merges[\(index)][\(part)]"))
        }
        try builder.finish()
      default: try builder.add(line: try reader.readString("model.merges[\(index)]"))
      }
    }
    return builder.table
  }

  private func symbols(_ settings: ConfigNode, _ pieces: PieceTable, isByteLevel: Bool)
    throws(TokenizerError) -> BPEModel.Symbols
  {
    let hasFallback = try settings.flag("byte_fallback")
    if isByteLevel {
      if hasFallback { throw settings.unsupported("byte_fallback with a ByteLevel pre-tokenizer") }
      return pieces.byteSymbols
    }
    let fallback = (0..<256).map { byte in
      let digits = String(byte, radix: 16, uppercase: true)
      return pieces.id(of: "<0x\(byte < 16 ? "0" : "")\(digits)>") ?? -1
    }
    return .scalars(byteFallback: hasFallback ? fallback : nil)
  }

  private func unknownID(_ settings: ConfigNode, _ pieces: PieceTable) throws(TokenizerError)
    -> Int32?
  {
    guard let token = settings["unk_token"] else { return nil }
    guard let id = pieces.id(of: try token.string()) else {
      throw .invalidValue(
        file: file, key: token.key, reason: "\"\(try token.string())\" is not in the vocabulary")
    }
    return id
  }

  private func addedTokens() throws(TokenizerError) -> [AddedToken] {
    var tokens: [AddedToken] = []
    for entry in try section("added_tokens")?.elements() ?? [] {
      tokens.append(try AddedToken(entry, id: try entry.required("id").id()))
    }
    return tokens
  }
}
