import Foundation

/// What `tokenizer_config.json` (and, for named tokens, `special_tokens_map.json`) says.
public struct TokenizerConfiguration: Sendable, Equatable {
  /// The named special tokens, such as `bos_token`, `eos_token`, `pad_token`; also what chat
  /// templates see under these names.
  public internal(set) var specialTokens: [String: String] = [:]
  /// Special tokens without a name of their own (`additional_special_tokens`).
  var furtherSpecialTokens: [String] = []
  /// The source of the chat template, where the configuration holds one: the one called "default"
  /// of several.
  public var chatTemplate: String? { chatTemplates["default"] }
  /// The chat templates by name; a lone one is called "default".
  public private(set) var chatTemplates: [String: String] = [:]
  /// The class that the tokenizer was written for; tells the pipeline of a folder that has only
  /// vocabulary files.
  var tokenizerClass: String?
  var addsBOS: Bool?
  var addsEOS: Bool?
  var addsPrefixSpace = false
  var addedTokens: [AddedToken] = []
  /// What the files ask for that would change ids or texts and is not done, each with the reason.
  public internal(set) var unapplied: [String] = []

  private static let tokenNames = [
    "bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token",
  ]

  /// An empty configuration.
  public init() {}

  /// Reads the configuration of a model folder; absent files leave it empty.
  /// - Throws: ``TokenizerError`` for files that are not JSON or hold values of wrong types.
  public init(directory: URL) throws(TokenizerError) {
    try self.init(files: ModelFiles(directory: directory))
  }

  /// Reads the configuration from a model's files, wherever they are.
  /// - Throws: as above.
  public init(files: ModelFiles) throws(TokenizerError) {
    if let map = try files.readJSON("special_tokens_map.json") {
      try readTokens(map)
    }
    guard let node = try files.readJSON("tokenizer_config.json") else {
      return
    }
    guard case .object = node.value else { throw node.wrongType(.object) }
    try readTokens(node)
    tokenizerClass = try node["tokenizer_class"]?.string()
    addsBOS = try node["add_bos_token"]?.bool()
    addsEOS = try node["add_eos_token"]?.bool()
    addsPrefixSpace = try node.flag("add_prefix_space")
    chatTemplates = try Self.templates(node["chat_template"])
    unapplied = try Self.unapplied(node)
    if let decoder = node["added_tokens_decoder"] {
      guard let object = decoder.value.object else { throw decoder.wrongType(.object) }
      for name in object.keys {
        let entry = try decoder.required(name)
        guard let id = Int32(name), 0...PieceTable.maximumID ~= Int(id) else {
          throw .invalidValue(file: entry.file, key: entry.key, reason: "the name is not an id")
        }
        addedTokens.append(try AddedToken(entry, id: id))
      }
    }
  }

  /// The settings of transformers that change results and are not applied.
  private static func unapplied(_ node: ConfigNode) throws(TokenizerError) -> [String] {
    let forced = "clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output"
    if let force = node[forced], try force.bool() {
      throw force.unsupported("taking spaces before punctuation out of texts")
    }
    var found: [String] = []
    // transformers 5.7 (huggingface/transformers#44915) and others leave the spaces too.
    if try node.flag("clean_up_tokenization_spaces") {
      found.append(
        "clean_up_tokenization_spaces, which would take spaces out of the texts of a byte-pair encoding"
      )
    }
    for name in [
      "do_lower_case", "split_special_tokens", "remove_space", "strip_accents", "fix_mistral_regex",
    ] {
      if node[name]?.value.bool == true { found.append(name) }
    }
    return found
  }

  private mutating func readTokens(_ node: ConfigNode) throws(TokenizerError) {
    for name in Self.tokenNames {
      guard let token = node[name] else { continue }
      specialTokens[name] = try (token["content"] ?? token).string()
    }
    for token in try node["additional_special_tokens"]?.elements() ?? [] {
      furtherSpecialTokens.append(try (token["content"] ?? token).string())
    }
  }

  /// A lone template, or several by name.
  private static func templates(_ node: ConfigNode?) throws(TokenizerError) -> [String: String] {
    guard let node else { return [:] }
    if let source = node.value.string { return ["default": source] }
    guard node.value.array != nil else {
      throw .invalidValue(
        file: node.file, key: node.key,
        reason:
          "expected a string, or a list of templates with names, found \(node.value.kind.rawValue)")
    }
    var templates: [String: String] = [:]
    for element in try node.elements() {
      templates[try element.required("name").string()] =
        try element.required("template").string()
    }
    return templates
  }
}

extension AddedToken {
  /// Reads an entry of `added_tokens` or `added_tokens_decoder`.
  init(_ node: ConfigNode, id: Int32) throws(TokenizerError) {
    self.id = id
    content = try node.required("content").string()
    isSpecial = try node.flag("special")
    isNormalized = try node.flag("normalized", default: !isSpecial)
    stripsLeft = try node.flag("lstrip")
    stripsRight = try node.flag("rstrip")
    isSingleWord = try node.flag("single_word")
  }
}
