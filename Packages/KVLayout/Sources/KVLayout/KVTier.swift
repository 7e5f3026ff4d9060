/// How tokens of one age are stored: the `tokens` most recent ones that no tier before it holds.
public struct KVTier: Sendable, Hashable, CustomStringConvertible {
  /// How keys are stored.
  public let keys: KVFormat
  /// How values are stored.
  public let values: KVFormat
  /// Tokens it holds, a multiple of 64; nil for the last tier, which holds all that are older.
  public let tokens: Int?

  /// A tier; what goes together is checked when a `KVPolicy` is made of several.
  public init(keys: KVFormat, values: KVFormat, tokens: Int? = nil) {
    self.keys = keys
    self.values = values
    self.tokens = tokens
  }

  /// What `tiered` stands for: the last 128 tokens in BF16, 1024 before them in 8 bits, and older
  /// ones in 4.
  public static let usual = [
    KVTier(keys: .bf16, values: .bf16, tokens: KVPolicy.defaultResidual),
    KVTier(keys: .int8, values: .int8, tokens: 1024), KVTier(keys: .int4, values: .int4),
  ]

  /// Reads one format or a list of tiers: `int8`, `int8/int4` (keys/values),
  /// `bf16:256,int8:1024,int4` from the most recent tokens to the oldest, or `tiered` for the usual
  /// ones.
  ///
  /// - Throws: `KVPolicyError.invalidFormat` naming the text and what is wrong with it.
  public static func list(parsing text: String) throws(KVPolicyError) -> [KVTier] {
    if text == "tiered" { return usual }
    var tiers: [KVTier] = []
    for piece in text.split(separator: ",", omittingEmptySubsequences: false) {
      let parts = piece.split(separator: ":", omittingEmptySubsequences: false)
      let names = parts[0].split(separator: "/", omittingEmptySubsequences: false)
      guard names.count <= 2 else {
        throw .invalidFormat(
          text: text, reason: "expected a format, or two as KEYS/VALUES, found \"\(parts[0])\"")
      }
      var formats: [KVFormat] = []
      for name in names { formats.append(try KVFormat(parsing: String(name), in: text)) }
      let tokens = parts.count == 2 ? Int(parts[1]) : nil
      guard parts.count == 1 || tokens != nil else {
        throw .invalidFormat(text: text, reason: "expected FORMAT:TOKENS, found \"\(piece)\"")
      }
      tiers.append(KVTier(keys: formats[0], values: formats[formats.count - 1], tokens: tokens))
    }
    return tiers
  }

  /// Its text form, such as `int8:1024` or `int8/int4`.
  public var description: String {
    let format = keys == values ? keys.rawValue : "\(keys.rawValue)/\(values.rawValue)"
    return format + (tokens.map { ":\($0)" } ?? "")
  }

  /// Whether keys or values are rounded to codes.
  public var isQuantized: Bool { keys.isQuantized || values.isQuantized }
}

extension [KVTier] {
  /// Why pages cannot pass through these tiers, or nil if they can. Where there are two, a residual
  /// of any multiple of `step` tokens will do.
  func problem(step least: Int) -> String? {
    guard let first, let last else { return "no format" }
    guard !first.isQuantized else {
      return "the most recent tokens are stored in bf16 or f32, found \(first)"
    }
    guard first.keys == first.values else {
      return "what is not quantized has one format, bf16 or f32"
    }
    guard last.tokens == nil else { return "the last tier holds all older tokens, found \(last)" }
    for (index, tier) in dropLast().enumerated() {
      guard let tokens = tier.tokens else {
        return "expected how many tokens are stored as \(tier), such as \(tier):1024"
      }
      let step = count == 2 ? least : PageLayout.tokens
      guard tokens >= (index == 0 ? 0 : step), tokens % step == 0 else {
        let name = index == 0 ? "a residual" : "a tier"
        let why = step == PageLayout.tokens ? "" : ", the group"
        return "\(name) of \(tokens) tokens; expected a multiple of \(step)\(why)"
      }
      guard tokens <= 1 << 24 else {
        return "a tier of \(tokens) tokens; expected at most \(1 << 24)"
      }
    }
    for (younger, older) in zip(self, dropFirst()) {
      for (from, to) in [(younger.keys, older.keys), (younger.values, older.values)] {
        guard to.isQuantized || to == from else {
          return "what is not quantized has one format, bf16 or f32"
        }
        guard to.bits <= from.bits else { return "\(older) is no lower precision than \(younger)" }
      }
      guard younger.keys != older.keys || younger.values != older.values else {
        return "two tiers are \(older)"
      }
    }
    return nil
  }
}
