/// Reads the small pipeline parts of `tokenizer.json`. What is not known is refused.
enum PipelineParsing {
  // MARK: Normalizers

  static func normalizers(_ node: ConfigNode?) throws(TokenizerError) -> [Normalizer] {
    guard let node else { return [] }
    let type = try node.required("type")
    switch try type.string() {
    case "NFC": return [.nfc]
    case "Prepend": return [.prepend(try node.required("prepend").string())]
    case "Replace":
      let (old, new) = try replacement(node)
      return [.replace(old, with: new)]
    case "Sequence":
      var steps: [Normalizer] = []
      for element in try node.required("normalizers").elements() {
        steps += try normalizers(element)
      }
      return steps
    case let other: throw type.unsupported(other)
    }
  }

  /// The strings of a `Replace`, which may only look for literal text.
  private static func replacement(_ node: ConfigNode) throws(TokenizerError) -> (String, String) {
    let pattern = try node.required("pattern")
    guard let literal = pattern["String"] else { throw pattern.unsupported("a Regex replacement") }
    return (try literal.string(), try node.required("content").string())
  }

  // MARK: Pre-tokenizers

  static func steps(_ node: ConfigNode?) throws(TokenizerError) -> [PreTokenizer.Step] {
    guard let node else { return [] }
    let type = try node.required("type")
    switch try type.string() {
    case "Sequence":
      var steps: [PreTokenizer.Step] = []
      for element in try node.required("pretokenizers").elements() {
        steps += try self.steps(element)
      }
      return steps
    case "ByteLevel":
      var steps: [PreTokenizer.Step] = []
      if try node.flag("add_prefix_space", default: true) { steps.append(.prefixSpace) }
      if try node.flag("use_regex", default: true) {
        steps.append(.split(.gpt2(GPT2Scanner()), .isolated, inverted: false))
      }
      return steps + [.byteAlphabet]
    case "Split":
      return [
        .split(
          try matcher(try node.required("pattern")), try behavior(try node.required("behavior")),
          inverted: try node.flag("invert"))
      ]
    case "Digits":
      let isIndividual = try node.flag("individual_digits")
      return [.split(.scalars(.number), isIndividual ? .isolated : .contiguous, inverted: false)]
    case "Punctuation":
      let behavior = try node["behavior"].map(behavior) ?? .isolated
      return [.split(.scalars(.punctuation), behavior, inverted: false)]
    case "Metaspace": return try metaspace(node)
    case let other: throw type.unsupported(other)
    }
  }

  private static func matcher(_ pattern: ConfigNode) throws(TokenizerError) -> SplitMatcher {
    if let literal = pattern["String"] { return .literal(try literal.string()) }
    let expression = try pattern.required("Regex")
    let source = try expression.string()
    if source == GPT2Scanner.pattern { return .gpt2(GPT2Scanner()) }
    if let scanner = CL100KScanner(pattern: source) { return .cl100k(scanner) }
    if let part = RegexCost.explosivePart(of: source) {
      throw expression.unsupported(
        "the expression \(part), which may take exponential time,")
    }
    guard let regex = RegexMatcher(pattern: source) else { throw expression.unsupported(source) }
    return .regex(regex)
  }

  private static func behavior(_ node: ConfigNode) throws(TokenizerError) -> SplitBehavior {
    let name = try node.string()
    guard let behavior = SplitBehavior(rawValue: name) else { throw node.unsupported(name) }
    return behavior
  }

  private static func metaspace(_ node: ConfigNode) throws(TokenizerError) -> [PreTokenizer.Step] {
    let replacement = try node.required("replacement").string()
    let splits = try node.flag("split", default: true)
    let step = PreTokenizer.Step.metaspace(
      replacement: replacement, prepend: try prependScheme(node))
    let split = PreTokenizer.Step.split(.literal(replacement), .mergedWithNext, inverted: false)
    return splits ? [step, split] : [step]
  }

  /// `prepend_scheme`, or the older flag `add_prefix_space`.
  private static func prependScheme(_ node: ConfigNode) throws(TokenizerError)
    -> PreTokenizer.PrependScheme
  {
    guard let scheme = node["prepend_scheme"] else {
      return try node.flag("add_prefix_space", default: true) ? .always : .never
    }
    let name = try scheme.string()
    guard let value = PreTokenizer.PrependScheme(rawValue: name) else {
      throw scheme.unsupported(name)
    }
    return value
  }

  // MARK: Post-processors

  /// The ids put around a single sequence.
  static func surroundings(_ node: ConfigNode?) throws(TokenizerError)
    -> (prefix: [Int32], suffix: [Int32])
  {
    guard let node else { return ([], []) }
    let type = try node.required("type")
    switch try type.string() {
    case "ByteLevel": return ([], [])
    case "TemplateProcessing": return try template(node)
    case "BertProcessing", "RobertaProcessing":
      return ([try pairID(node.required("cls"))], [try pairID(node.required("sep"))])
    case "Sequence":
      var whole: (prefix: [Int32], suffix: [Int32]) = ([], [])
      for element in try node.required("processors").elements() {
        let (prefix, suffix) = try surroundings(element)
        whole = (prefix + whole.prefix, whole.suffix + suffix)
      }
      return whole
    case let other: throw type.unsupported(other)
    }
  }

  private static func pairID(_ node: ConfigNode) throws(TokenizerError) -> Int32 {
    let elements = try node.elements()
    guard elements.count == 2 else {
      throw .invalidValue(file: node.file, key: node.key, reason: "expected [token, id]")
    }
    return try elements[1].id()
  }

  private static func template(_ node: ConfigNode) throws(TokenizerError)
    -> (prefix: [Int32], suffix: [Int32])
  {
    let single = try node.required("single")
    var prefix: [Int32] = []
    var suffix: [Int32] = []
    var sequences = 0
    for element in try single.elements() {
      if element["Sequence"] != nil {
        sequences += 1
        continue
      }
      let name = try element.required("SpecialToken").required("id").string()
      let ids = try node.required("special_tokens").required(name).required("ids").elements()
      for id in ids {
        if sequences == 0 { prefix.append(try id.id()) } else { suffix.append(try id.id()) }
      }
    }
    guard sequences == 1 else {
      throw single.unsupported("a template with \(sequences) sequences")
    }
    return (prefix, suffix)
  }

  // MARK: Decoders

  static func decoder(_ node: ConfigNode?) throws(TokenizerError) -> DecoderSteps {
    guard let node else {
      var steps = DecoderSteps.TextSteps()
      steps.separator = " "
      return .text(steps)
    }
    if try node.required("type").string() == "ByteLevel" { return .byteLevel }
    var steps = DecoderSteps.TextSteps()
    var isFused = false
    try add(node, to: &steps, isFused: &isFused)
    return .text(steps)
  }

  private static func add(
    _ node: ConfigNode, to steps: inout DecoderSteps.TextSteps, isFused: inout Bool
  ) throws(TokenizerError) {
    let type = try node.required("type")
    switch try type.string() {
    case "Sequence":
      for element in try node.required("decoders").elements() {
        try add(element, to: &steps, isFused: &isFused)
      }
    case "Replace" where !isFused && !steps.hasByteFallback:
      let (old, new) = try replacement(node)
      steps.replacements.append(DecoderSteps.Replacement(old: old, new: new))
    case "ByteFallback" where !isFused: steps.hasByteFallback = true
    case "Fuse": isFused = true
    case "Strip" where isFused && steps.stripped == nil:
      let content = try node.required("content").string().unicodeScalars
      guard let character = content.first, content.count == 1,
        let start = node["start"]?.value.integer, start >= 0,
        node["stop"]?.value.integer ?? 0 == 0
      else { throw node.unsupported("this Strip") }
      steps.stripped = (character, start)
    case "Metaspace" where !isFused && steps.replacements.isEmpty:
      let replacement = try node.required("replacement").string()
      steps.dropsFirstSpaces = try prependScheme(node) != .never
      steps.replacements.append(DecoderSteps.Replacement(old: replacement, new: " "))
    case let other: throw type.unsupported("decoder \(other) in this place")
    }
  }
}
