import JSON

/// The `tokenizer.json` and `tokenizer_config.json` of a model folder, made from a GGUF file's
/// metadata, so that one reader serves both and a folder made from the file has a tokenizer too.
///
/// Source: ggml-org/llama.cpp, src/llama-vocab.cpp; huggingface/transformers,
/// convert_slow_tokenizer.py (merges of SentencePiece models from their scores).
struct GGUFTokenizer {
  private let metadata: GGUFMetadata
  private let model: String
  private let tokens: GGUFStrings
  private let types: [Int]

  /// Kinds of tokens, as `tokenizer.ggml.token_type` numbers them.
  private enum Kind {
    static let normal = 1, unknown = 2, control = 3, userDefined = 4, unused = 5, byte = 6
  }

  /// - Returns: nil for a file without tokenizer.
  /// - Throws: `.value` naming the key; `.unsupported` for a kind of tokenizer or of splitting that
  ///   is not known.
  init?(_ metadata: GGUFMetadata) throws(CheckpointError) {
    guard let model = try metadata.stringIfPresent(Self.key("model")), model != "none",
      model != "no_vocab", let tokens = try metadata.stringsIfPresent(Self.key("tokens"))
    else { return nil }
    guard model == "gpt2" || model == "llama" else {
      throw .unsupported(
        file: metadata.file, feature: "tokenizer.ggml.model \(model) (gpt2 and llama are)")
    }
    self.metadata = metadata
    self.model = model
    self.tokens = tokens
    types =
      try metadata.integersIfPresent(Self.key("token_type"))
      ?? [Int](repeating: Kind.normal, count: tokens.count)
    guard types.count == tokens.count else {
      throw metadata.wrong(Self.key("token_type"), expected: "\(tokens.count), one for each token")
    }
  }

  private static func key(_ name: String) -> String { "tokenizer.ggml." + name }

  // MARK: tokenizer.json

  /// The text of `tokenizer.json`.
  func tokenizerJSON() throws(CheckpointError) -> [UInt8] {
    let pipeline = model == "llama" ? try sentencePiece() : try byteLevel()
    var text = GGUFText()
    text.add(#"{"version":"1.0","added_tokens":["#)
    try addAddedTokens(to: &text)
    text.add("],")
    for (name, value) in pipeline.sections.members {
      text.add(JSONValue.quoted(name) + ":" + value.text + ",")
    }
    text.add(#""model":{"type":"BPE","#)
    for (name, value) in pipeline.model.members {
      text.add(JSONValue.quoted(name) + ":" + value.text + ",")
    }
    text.add(#""vocab":{"#)
    var isFirst = true
    for id in 0..<end where !isAdded(id) {
      text.add(isFirst ? "" : ",")
      text.add(quoted: tokens[id])
      text.add(":\(id)")
      isFirst = false
    }
    text.add(#"},"merges":["#)
    try addMerges(to: &text)
    text.add("]}}\n")
    return text.bytes
  }

  /// One past the last token: unused ones at the end only fill the embedding up.
  private var end: Int { (types.lastIndex { $0 != Kind.unused } ?? -1) + 1 }

  private func isAdded(_ id: Int) -> Bool {
    [Kind.unknown, Kind.control, Kind.userDefined].contains(types[id])
      && !(model == "llama" && types[id] == Kind.unknown)
  }

  private func addAddedTokens(to text: inout GGUFText) throws(CheckpointError) {
    var isFirst = true
    for id in 0..<end where isAdded(id) || types[id] == Kind.unknown {
      text.add(isFirst ? "" : ",")
      isFirst = false
      text.add("{\"id\":\(id),\"content\":")
      text.add(quoted: tokens[id])
      text.add(",\"single_word\":false,\"lstrip\":false,\"rstrip\":false,\"normalized\":false,")
      text.add("\"special\":\(types[id] != Kind.userDefined)}")
    }
  }

  private func addMerges(to text: inout GGUFText) throws(CheckpointError) {
    if model == "llama" {
      let scores = try metadata.numbersIfPresent(Self.key("scores")) ?? []
      guard scores.count == tokens.count else {
        throw metadata.wrong(Self.key("scores"), expected: "\(tokens.count), one for each token")
      }
      let normal = (0..<end).filter { types[$0] == Kind.normal }
      let merges = GGUFMerges(of: tokens, ids: normal, scores: scores)
      for (index, merge) in merges.pairs.enumerated() {
        text.add(index == 0 ? "[" : ",[")
        text.add(quoted: merge.left)
        text.add(",")
        text.add(quoted: merge.right)
        text.add("]")
      }
      return
    }
    guard let merges = try metadata.stringsIfPresent(Self.key("merges")) else {
      throw metadata.wrong(Self.key("merges"), expected: "an array of strings")
    }
    let known = partialVocabulary()
    var isFirst = true
    for index in 0..<merges.count where known.map({ Self.can(merges[index], $0) }) ?? true {
      text.add(isFirst ? "" : ",")
      isFirst = false
      text.add(quoted: merges[index])
    }
  }

  /// The pieces of a vocabulary that lacks some bytes; nil for one that has all. A merge of pieces
  /// that such a vocabulary lacks never takes place.
  private func partialVocabulary() -> Set<ArraySlice<UInt8>>? {
    let single = (0..<end).filter { tokens[$0].reduce(0) { $0 + ($1 & 0xC0 == 0x80 ? 0 : 1) } == 1 }
    guard single.count < 256 else { return nil }
    return Set((0..<end).lazy.filter { !isAdded($0) }.map { tokens[$0] })
  }

  private static func can(_ merge: ArraySlice<UInt8>, _ known: Set<ArraySlice<UInt8>>) -> Bool {
    guard let space = merge.firstIndex(of: 0x20) else { return false }
    let (left, right) = (merge[..<space], merge[(space + 1)...])
    return known.contains(left) && known.contains(right) && known.contains(left + right)
  }

  // MARK: Pipelines

  private struct Pipeline {
    var sections: OrderedObject<JSONValue>
    var model: OrderedObject<JSONValue>
  }

  private func byteLevel() throws(CheckpointError) -> Pipeline {
    let known = GGUFSplitting.names.joined(separator: ", ")
    // Files from before the key existed: where a family has one way of splitting, it is that.
    let families = ["qwen2": "qwen2", "qwen3": "qwen2", "falcon": "falcon"]
    let family = families[try metadata.architecture()]
    let pre = try metadata.stringIfPresent(Self.key("pre")) ?? family
    guard let pre else { throw metadata.wrong(Self.key("pre"), expected: "one of \(known)") }
    guard let split = GGUFSplitting(name: pre) else {
      throw .unsupported(
        file: metadata.file, feature: "tokenizer.ggml.pre \(pre) (known are \(known))")
    }
    let byteLevel = JSONValue.object([
      "type": .string("ByteLevel"), "add_prefix_space": .bool(false), "trim_offsets": .bool(true),
      "use_regex": .bool(true),
    ])
    var sections: OrderedObject<JSONValue> = [
      "normalizer": split.normalizesToNFC ? .object(["type": .string("NFC")]) : .null,
      "pre_tokenizer": split.preTokenizer, "decoder": byteLevel,
    ]
    if let template = try template(addsBOS: split.addsBOS) { sections["post_processor"] = template }
    return Pipeline(sections: sections, model: ["ignore_merges": .bool(split.ignoresMerges)])
  }

  private func sentencePiece() throws(CheckpointError) -> Pipeline {
    let space = JSONValue.string("\u{2581}")
    let addsSpace = try metadata.boolIfPresent(Self.key("add_space_prefix")) ?? true
    var normalizers: [JSONValue] = []
    if addsSpace { normalizers.append(.object(["type": .string("Prepend"), "prepend": space])) }
    normalizers.append(
      .object([
        "type": .string("Replace"), "pattern": .object(["String": .string(" ")]), "content": space,
      ]))
    var decoders: [JSONValue] = [
      .object([
        "type": .string("Replace"), "pattern": .object(["String": space]), "content": .string(" "),
      ]),
      .object(["type": .string("ByteFallback")]), .object(["type": .string("Fuse")]),
    ]
    if addsSpace {
      decoders.append(
        .object([
          "type": .string("Strip"), "content": .string(" "), "start": .integer(1),
          "stop": .integer(0),
        ]))
    }
    var sections: OrderedObject<JSONValue> = [
      "normalizer": .object(["type": .string("Sequence"), "normalizers": .array(normalizers)]),
      "decoder": .object(["type": .string("Sequence"), "decoders": .array(decoders)]),
    ]
    if let template = try template(addsBOS: true) { sections["post_processor"] = template }
    var model: OrderedObject<JSONValue> = ["byte_fallback": .bool(true), "fuse_unk": .bool(true)]
    if let unknown = types.firstIndex(of: Kind.unknown) {
      model["unk_token"] = .string(tokens.text(unknown))
    }
    return Pipeline(sections: sections, model: model)
  }

  /// What is put around a text: the tokens that begin and end one, where the file wants them.
  private func template(addsBOS byDefault: Bool) throws(CheckpointError) -> JSONValue? {
    let addsBOS = try metadata.boolIfPresent(Self.key("add_bos_token")) ?? byDefault
    let addsEOS = try metadata.boolIfPresent(Self.key("add_eos_token")) ?? false
    let bos = addsBOS ? try token("bos_token_id") : nil
    let eos = addsEOS ? try token("eos_token_id") : nil
    guard bos != nil || eos != nil else { return nil }
    func part(_ name: String) -> JSONValue {
      .object(["SpecialToken": .object(["id": .string(name), "type_id": .integer(0)])])
    }
    var single = [
      JSONValue.object(["Sequence": .object(["id": .string("A"), "type_id": .integer(0)])])
    ]
    var known: OrderedObject<JSONValue> = [:]
    for token in [bos, eos].compactMap({ $0 }) {
      known[token.text] = .object([
        "id": .string(token.text), "ids": .array([.integer(token.id)]),
        "tokens": .array([.string(token.text)]),
      ])
    }
    if let bos { single.insert(part(bos.text), at: 0) }
    if let eos { single.append(part(eos.text)) }
    return .object([
      "type": .string("TemplateProcessing"), "single": .array(single), "pair": .array([]),
      "special_tokens": .object(known),
    ])
  }

  private func token(_ name: String) throws(CheckpointError) -> (id: Int, text: String)? {
    guard
      let id = try metadata.integerIfPresent(Self.key(name), in: 0...Int(UInt32.max)),
      id < Int(UInt32.max)
    else { return nil }
    guard id < tokens.count else {
      throw metadata.wrong(Self.key(name), expected: "one of \(tokens.count) tokens")
    }
    return (id, tokens.text(id))
  }

  // MARK: tokenizer_config.json

  /// The members of `tokenizer_config.json`: the named tokens and the chat templates.
  func configuration() throws(CheckpointError) -> OrderedObject<JSONValue> {
    var members: OrderedObject<JSONValue> = [:]
    for (name, member) in [
      ("bos_token_id", "bos_token"), ("eos_token_id", "eos_token"),
      ("unknown_token_id", "unk_token"), ("padding_token_id", "pad_token"),
    ] {
      if let token = try token(name) { members[member] = .string(token.text) }
    }
    var named: [JSONValue] = []
    let prefix = "tokenizer.chat_template."
    for key in metadata.values.keys.sorted() where key.hasPrefix(prefix) {
      named.append(
        .object([
          "name": .string(String(key.dropFirst(prefix.count))),
          "template": .string(try metadata.string(key)),
        ]))
    }
    if let template = try metadata.stringIfPresent("tokenizer.chat_template") {
      members["chat_template"] =
        named.isEmpty
        ? .string(template)
        : .array([.object(["name": .string("default"), "template": .string(template)])] + named)
    }
    return members
  }
}
