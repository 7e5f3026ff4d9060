import JSON

/// The tokenizer of a model folder in a GGUF file's words: the inverse of `GGUFTokenizer`.
///
/// Source: ikawrakow/ik_llama.cpp, convert_hf_to_gguf.py (kinds of tokens, padding of the
/// vocabulary).
struct GGUFVocabulary {
  private let file: String
  private let tokenizer: JSONObject
  private let configuration: JSONObject?
  private let isSentencePiece: Bool
  /// Tokens with their kinds, by id.
  private var pieces: [Int: (text: String, kind: Int32)] = [:]
  /// Ids of the tokens that stand beside the vocabulary.
  private var added: [String: Int] = [:]

  /// The same numbers as in `GGUFTokenizer`.
  private enum Kind {
    static let normal: Int32 = 1, unknown: Int32 = 2, control: Int32 = 3, userDefined: Int32 = 4
    static let unused: Int32 = 5, byte: Int32 = 6
  }

  /// - Parameters:
  ///   - tokenizer: `tokenizer.json`.
  ///   - configuration: `tokenizer_config.json`.
  /// - Throws: `.unsupported` for a tokenizer that is no BPE; `.value` naming a key.
  init(_ tokenizer: JSONObject, configuration: JSONObject?) throws(CheckpointError) {
    file = tokenizer.file
    self.tokenizer = tokenizer
    self.configuration = configuration
    let model = try tokenizer.object("model")
    guard try model.stringIfPresent("type") ?? "BPE" == "BPE" else {
      throw .unsupported(file: file, feature: "a tokenizer that is no BPE in GGUF files")
    }
    isSentencePiece = try model.boolIfPresent("byte_fallback") ?? false
    for (text, id) in try model.object("vocab").members.members {
      guard let id = id.integer else { throw model.wrong("vocab", expected: "ids") }
      let isByte = isSentencePiece && text.utf8.count == 6 && text.hasPrefix("<0x")
      pieces[id] = (text, isByte ? Kind.byte : Kind.normal)
    }
    let unknown = try model.stringIfPresent("unk_token")
    for token in try tokenizer.objectsIfPresent("added_tokens") ?? [] {
      let (id, text) = (
        try token.integer("id", in: 0...Int(Int32.max)), try token.string("content")
      )
      added[text] = id
      let isSpecial = try token.boolIfPresent("special") ?? false
      if isSpecial || text.hasPrefix("<|") && text.hasSuffix("|>") {
        pieces[id] = (text, isSentencePiece && text == unknown ? Kind.unknown : Kind.control)
      } else {
        pieces[id] = (text.replacing("\u{2581}", with: " "), Kind.userDefined)
      }
    }
  }

  /// Sets the tokenizer's keys. The vocabulary is filled up to `size`, the rows of the embedding;
  /// `ends` are the tokens that end a text by the model's configuration.
  ///
  /// - Throws: `.value` for a vocabulary that is larger; `.unsupported` for a way of splitting
  ///   without a name.
  func add(to entries: inout GGUFEntries, size: Int, ends: [Int]) throws(CheckpointError) {
    guard let last = pieces.keys.max(), last < size else {
      throw .value(
        file: file, key: "model.vocab", expected: "ids below \(size), as the embedding has rows",
        found: "\(pieces.keys.max() ?? 0)")
    }
    let table = (0..<size).map { pieces[$0] ?? ("[PAD\($0)]", Kind.unused) }
    entries.set("tokenizer.ggml.model", isSentencePiece ? "llama" : "gpt2")
    entries.set("tokenizer.ggml.pre", isSentencePiece ? "default" : try splitting().name)
    entries.set("tokenizer.ggml.tokens", table.map(\.text))
    entries.set("tokenizer.ggml.token_type", table.map(\.kind))
    let merges = try merges()
    if isSentencePiece {
      // Merges in the order of falling scores: any falling numbers give that order again.
      var rank: [String: Int] = [:]
      for merge in merges {
        let text = merge.joined()
        if rank[text] == nil { rank[text] = rank.count }
      }
      entries.set(
        "tokenizer.ggml.scores", table.map { -Float(rank[$0.text] ?? rank.count) })
    } else {
      entries.set("tokenizer.ggml.merges", merges.map { $0.joined(separator: " ") })
    }
    try addSpecialTokens(to: &entries, ends: ends.filter((0..<size).contains))
    try addTemplates(to: &entries)
  }

  private func merges() throws(CheckpointError) -> [[String]] {
    let model = try tokenizer.object("model")
    var merges: [[String]] = []
    for merge in try model.arrayIfPresent("merges") ?? [] {
      let parts =
        merge.string.map { $0.split(separator: " ", maxSplits: 1).map(String.init) }
        ?? (merge.array ?? []).compactMap(\.string)
      guard parts.count == 2 else { throw model.wrong("merges", expected: "pairs of pieces") }
      merges.append(parts)
    }
    return merges
  }

  /// How text is cut before it is encoded.
  private func splitting() throws(CheckpointError) -> (name: String, split: GGUFSplitting) {
    let own = Self.essence(tokenizer.members["pre_tokenizer"] ?? .null)
    for name in GGUFSplitting.names {
      guard let split = GGUFSplitting(name: name) else { continue }
      if Self.essence(split.preTokenizer) == own { return (name, split) }
    }
    throw .unsupported(
      file: file,
      feature: "the pre_tokenizer \(own.prefix(200)) in GGUF files (known are those of "
        + GGUFSplitting.names.joined(separator: ", ") + ")")
  }

  /// What of a pipeline changes ids, as text.
  private static func essence(_ value: JSONValue) -> String {
    switch value {
    case .object(let members):
      let kept = members.keys.filter { $0 != "trim_offsets" && members[$0] != .null }.sorted()
      return "{" + kept.map { "\($0):\(essence(members[$0] ?? .null))" }.joined(separator: ",")
        + "}"
    case .array(let elements): return "[" + elements.map(essence).joined(separator: ",") + "]"
    default: return value.text
    }
  }

  private func addSpecialTokens(
    to entries: inout GGUFEntries, ends: [Int]
  ) throws(CheckpointError) {
    for (key, name) in [
      ("bos_token", "bos"), ("unk_token", "unknown"), ("pad_token", "padding"),
    ] {
      if let id = try named(key) { entries.set("tokenizer.ggml.\(name)_token_id", id) }
    }
    let end = try named("eos_token")
    let all = [end].compactMap(\.self) + ends.filter { $0 != end }
    for (id, name) in zip(all, ["eos", "eot", "eom"]) {
      entries.set("tokenizer.ggml.\(name)_token_id", id)
    }
    let around = try aroundText()
    entries.set("tokenizer.ggml.add_bos_token", around.first)
    entries.set("tokenizer.ggml.add_eos_token", around.last)
    if isSentencePiece { entries.set("tokenizer.ggml.add_space_prefix", try prependsSpace()) }
  }

  /// The id of a token that `tokenizer_config.json` names.
  private func named(_ key: String) throws(CheckpointError) -> Int? {
    guard let value = configuration?.members[key], value != .null else { return nil }
    let text = value.string ?? value["content"]?.string
    return text.flatMap { text in added[text] ?? pieces.first { $0.value.text == text }?.key }
  }

  /// Whether a token stands before a text, and one behind it.
  private func aroundText() throws(CheckpointError) -> (first: Bool, last: Bool) {
    func template(_ value: JSONValue?) -> [JSONValue]? {
      guard let value else { return nil }
      if value["type"]?.string == "TemplateProcessing" { return value["single"]?.array ?? [] }
      return value["processors"]?.array?.lazy.compactMap { template($0) }.first
    }
    let parts = template(tokenizer.members["post_processor"]) ?? []
    // The configuration's flags go before the template, as where text is encoded.
    return (
      configuration?.members["add_bos_token"]?.bool ?? (parts.first?["SpecialToken"] != nil),
      configuration?.members["add_eos_token"]?.bool
        ?? (parts.count > 1 && parts.last?["SpecialToken"] != nil)
    )
  }

  private func prependsSpace() throws(CheckpointError) -> Bool {
    func holds(_ value: JSONValue?) -> Bool {
      guard let value else { return false }
      if value["type"]?.string == "Prepend" { return true }
      if value["type"]?.string == "Metaspace" { return value["prepend_scheme"]?.string != "never" }
      return (value["normalizers"]?.array ?? []).contains { holds($0) }
    }
    return holds(tokenizer.members["normalizer"]) || holds(tokenizer.members["pre_tokenizer"])
  }

  private func addTemplates(to entries: inout GGUFEntries) throws(CheckpointError) {
    switch configuration?.members["chat_template"] {
    case .string(let text)?: entries.set("tokenizer.chat_template", text)
    case .array(let named)?:
      for template in named {
        guard let name = template["name"]?.string, let text = template["template"]?.string else {
          continue
        }
        let suffix = name == "default" ? "" : "." + name
        entries.set("tokenizer.chat_template" + suffix, text)
      }
    default: break
    }
  }
}
