import JSON

/// How text is cut before a byte-level encoding, by the name in `tokenizer.ggml.pre`.
///
/// Source: ggml-org/llama.cpp, src/llama-vocab.cpp; the pipelines are those of the models' own
/// `tokenizer.json`.
struct GGUFSplitting {
  let preTokenizer: JSONValue
  var normalizesToNFC = false
  /// Whether text that is a token as a whole is that token, whatever the merges say.
  var ignoresMerges = false
  /// Whether a text begins with BOS where the file does not say.
  var addsBOS = false

  /// The names that are known.
  static let names = [
    "qwen2", "deepseek-r1-qwen", "llama-bpe", "llama3", "llama-v3", "gpt-2", "phi-2", "smollm",
    "falcon", "qwen35",
  ]

  init?(name: String) {
    switch name {
    case "qwen2", "deepseek-r1-qwen":
      self.init(preTokenizer: Self.pattern(digits: #"\p{N}"#), normalizesToNFC: true)
    case "qwen35":
      self.init(
        preTokenizer: Self.pattern(digits: #"\p{N}"#, takesMarks: true), normalizesToNFC: true)
    case "llama-bpe", "llama3", "llama-v3":
      self.init(
        preTokenizer: Self.pattern(digits: #"\p{N}{1,3}"#), ignoresMerges: true, addsBOS: true)
    case "gpt-2", "phi-2": self.init(preTokenizer: Self.byteLevel(usesRegex: true))
    case "smollm":
      self.init(
        preTokenizer: Self.sequence([
          .object(["type": .string("Digits"), "individual_digits": .bool(true)]),
          Self.byteLevel(usesRegex: true),
        ]))
    case "falcon":
      self.init(
        preTokenizer: Self.sequence([
          .object(["type": .string("Punctuation"), "behavior": .string("Contiguous")]),
          Self.byteLevel(usesRegex: true),
          .object(["type": .string("Digits"), "individual_digits": .bool(false)]),
          Self.split("[0-9][0-9][0-9]"),
        ]))
    default: return nil
    }
  }

  private init(
    preTokenizer: JSONValue, normalizesToNFC: Bool = false, ignoresMerges: Bool = false,
    addsBOS: Bool = false
  ) {
    self.preTokenizer = preTokenizer
    self.normalizesToNFC = normalizesToNFC
    self.ignoresMerges = ignoresMerges
    self.addsBOS = addsBOS
  }

  /// The pattern of Qwen and Llama 3, which differ in how many digits stand together and whether
  /// marks belong to words.
  private static func pattern(digits: String, takesMarks: Bool = false) -> JSONValue {
    let (word, letters) =
      takesMarks ? (#"[\p{L}\p{M}]"#, #"\p{L}\p{M}"#) : (#"\p{L}"#, #"\p{L}"#)
    return sequence([
      split(
        #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\#(word)+|\#(digits)| ?[^\s\#(letters)\p{N}]+[\r\n]*"#
          + #"|\s*[\r\n]+|\s+(?!\S)|\s+"#),
      byteLevel(usesRegex: false),
    ])
  }

  private static func split(_ regex: String) -> JSONValue {
    .object([
      "type": .string("Split"), "pattern": .object(["Regex": .string(regex)]),
      "behavior": .string("Isolated"), "invert": .bool(false),
    ])
  }

  private static func byteLevel(usesRegex: Bool) -> JSONValue {
    .object([
      "type": .string("ByteLevel"), "add_prefix_space": .bool(false), "trim_offsets": .bool(true),
      "use_regex": .bool(usesRegex),
    ])
  }

  private static func sequence(_ steps: [JSONValue]) -> JSONValue {
    .object(["type": .string("Sequence"), "pretokenizers": .array(steps)])
  }
}
