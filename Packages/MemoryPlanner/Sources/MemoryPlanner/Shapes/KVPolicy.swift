/// What a KV cache keeps, and how.
public struct KVPolicy: Sendable, Hashable, Codable, CustomStringConvertible {
  /// How a value is stored.
  public enum Format: String, Sendable, Hashable, Codable, CaseIterable {
    /// Four bytes.
    case f32
    /// Two bytes, the paper's full precision.
    case bf16
    /// Codes in groups with a scale each.
    case int8, int4, int2

    /// Bits of a value or a code.
    public var bits: Int {
      switch self {
      case .f32: 32
      case .bf16: 16
      case .int8: 8
      case .int4: 4
      case .int2: 2
      }
    }
    /// Whether values are codes.
    public var isQuantized: Bool { bits < 16 }
  }

  /// How tokens of one age are stored.
  public struct Tier: Sendable, Hashable, Codable, CustomStringConvertible {
    /// How keys are stored.
    public let keys: Format
    /// How values are stored.
    public let values: Format
    /// Tokens it holds, the most recent ones that no tier before it holds; nil for all older ones.
    public let tokens: Int?

    /// A tier.
    public init(keys: Format, values: Format, tokens: Int? = nil) {
      self.keys = keys
      self.values = values
      self.tokens = tokens
    }

    /// The text form, such as `int8:1024` or `int8/int4`.
    public var description: String {
      let format = keys == values ? keys.rawValue : "\(keys.rawValue)/\(values.rawValue)"
      return format + (tokens.map { ":\($0)" } ?? "")
    }

    init?(parsing text: Substring) {
      let parts = text.split(separator: ":", omittingEmptySubsequences: false)
      let names = (parts.first ?? "").split(separator: "/", omittingEmptySubsequences: false)
      let formats = names.compactMap { Format(rawValue: String($0)) }
      guard formats.count == names.count, (1...2).contains(formats.count), parts.count <= 2 else {
        return nil
      }
      let tokens = parts.count == 2 ? Int(parts[1]) : nil
      guard parts.count == 1 || tokens != nil else { return nil }
      self.init(keys: formats[0], values: formats[formats.count - 1], tokens: tokens)
    }
  }

  /// When tokens leave full precision.
  public enum Rule: String, Sendable, Hashable, Codable, CaseIterable {
    /// Keys and values of a whole group of tokens, as soon as the residual is newer.
    case blocks
    /// Keys a residual at a time, values one by one (KIVI, arXiv:2402.02750).
    case kivi
  }

  /// What keys share a scale over; values share one over components of a token.
  public enum KeyAxis: String, Sendable, Hashable, Codable, CaseIterable {
    /// Tokens of a component.
    case perChannel = "per-channel"
    /// Components of a token.
    case perToken = "per-token"
  }

  /// How tokens are stored by age, from the most recent to the oldest.
  public let tiers: [Tier]
  /// Which tokens stay; nil for all.
  public let eviction: Eviction?
  /// Values that share a scale where they are quantized.
  public let groupSize: Int
  /// What keys share a scale over.
  public let keyAxis: KeyAxis
  /// Whether a zero point is stored beside each scale.
  public let hasZeroPoints: Bool
  /// When tokens leave full precision.
  public let rule: Rule

  /// Everything stays in BF16.
  public static let full = KVPolicy(tiers: [Tier(keys: .bf16, values: .bf16)])
  /// The tiers that `tiered` stands for.
  static let usualTiers = [
    Tier(keys: .bf16, values: .bf16, tokens: 128), Tier(keys: .int8, values: .int8, tokens: 1024),
    Tier(keys: .int4, values: .int4),
  ]

  private init(tiers: [Tier]) {
    self.tiers = tiers
    eviction = nil
    groupSize = 64
    keyAxis = .perChannel
    hasZeroPoints = true
    rule = .blocks
  }

  /// A policy of these parts; the defaults of group and residual, the most recent tokens that stay in 16 bits, are the
  /// paper's.
  ///
  /// - Throws: `PlannerError.invalid` for a group or residual out of range.
  public init(
    keys: Format = .bf16, values: Format = .bf16, eviction: Eviction? = nil, groupSize: Int = 64,
    keyAxis: KeyAxis = .perChannel, residual: Int = 128, hasZeroPoints: Bool = true,
    rule: Rule = .blocks
  ) throws(PlannerError) {
    let last = Tier(keys: keys, values: values)
    let isQuantized = keys.isQuantized || values.isQuantized
    let recent = Tier(keys: .bf16, values: .bf16, tokens: residual)
    try self.init(
      tiers: isQuantized ? [recent, last] : [last], eviction: eviction, groupSize: groupSize,
      keyAxis: keyAxis, hasZeroPoints: hasZeroPoints, rule: rule)
  }

  /// A policy whose tokens are stored by age.
  ///
  /// - Throws: `PlannerError.invalid` for a group out of range, and for tiers that do not each hold a multiple of 64 tokens
  ///   (or of a smaller group, where there are two), the last one all older ones, or that gain precision; for the rule
  ///   `kivi` without a residual or with more tiers.
  public init(
    tiers: [Tier], eviction: Eviction? = nil, groupSize: Int = 64,
    keyAxis: KeyAxis = .perChannel, hasZeroPoints: Bool = true, rule: Rule = .blocks
  ) throws(PlannerError) {
    guard (1...65_536).contains(groupSize) else {
      throw .invalid(name: "KV group", value: "\(groupSize)", expected: "1 to 65536")
    }
    let step =
      tiers.count == 2 ? CachePages.tokensTogether(groupSize: groupSize) : CachePages.tokens
    for (index, tier) in tiers.dropLast().enumerated() {
      guard let tokens = tier.tokens, (index == 0 ? 0...1 << 30 : 64...1 << 30).contains(tokens),
        tokens % step == 0
      else {
        throw .invalid(
          name: index == 0 ? "KV residual" : "KV tier", value: "\(tier)",
          expected: "a multiple of \(step) tokens up to \(1 << 30)")
      }
    }
    let falls = zip(tiers, tiers.dropFirst()).allSatisfy {
      $0.keys.bits >= $1.keys.bits && $0.values.bits >= $1.values.bits
    }
    guard let last = tiers.last, last.tokens == nil, falls else {
      throw .invalid(
        name: "KV tiers", value: tiers.map(\.description).joined(separator: ","),
        expected: "fewer and fewer bits, and no number of tokens for the last")
    }
    guard rule == .blocks || (tiers.count == 2 && tiers[0].tokens != 0) else {
      throw .invalid(name: "KV rule", value: rule.rawValue, expected: "two tiers and a residual")
    }
    self.tiers = tiers
    self.eviction = eviction
    self.groupSize = groupSize
    self.keyAxis = keyAxis
    self.hasZeroPoints = hasZeroPoints
    self.rule = rule
  }

  /// Reads the text form: `bf16`, `int8`, `int8/int4` (keys/values), tiers such as `bf16:256,int8:1024,int4` or `tiered`,
  /// `rkv:2048`, `rkv:2048+int8`.
  ///
  /// - Throws: `PlannerError.invalid` naming the text.
  public init(parsing text: String) throws(PlannerError) {
    let problem = PlannerError.invalid(
      name: "KV policy", value: "'\(text)'",
      expected:
        "a format (bf16, int8, int4, int2, or keys/values), tiers such as bf16:256,int8:1024,int4, an eviction such as rkv:2048, or one of these and an eviction joined by +"
    )
    let parts = text.split(separator: "+", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count) else { throw problem }
    var eviction: Eviction?
    var tiers: [Tier]?
    for part in parts {
      let names = Eviction.methods
      if eviction == nil, names.contains(where: { part.hasPrefix($0 + ":") }) {
        eviction = try Eviction(parsing: String(part))
        continue
      }
      let pieces = part.split(separator: ",", omittingEmptySubsequences: false)
      let found = part == "tiered" ? Self.usualTiers : pieces.compactMap { Tier(parsing: $0) }
      guard tiers == nil, part == "tiered" || found.count == pieces.count else { throw problem }
      tiers = found
    }
    guard let tiers, tiers.count > 1 || tiers[0].tokens != nil else {
      try self.init(
        keys: tiers?[0].keys ?? .bf16, values: tiers?[0].values ?? .bf16, eviction: eviction)
      return
    }
    try self.init(tiers: tiers, eviction: eviction)
  }

  /// The text form.
  public var description: String {
    guard let eviction else { return format }
    return format == Self.full.format ? "\(eviction)" : "\(eviction)+\(format)"
  }

  /// The text form of the formats alone, such as `int8/int4`; the usual residual goes without saying.
  public var format: String {
    tiers.count == 2 && tiers[0] == Self.usualTiers[0]
      ? "\(tiers[1])" : tiers.map(\.description).joined(separator: ",")
  }

  private var oldest: Tier { tiers[tiers.count - 1] }
  /// How keys of old tokens are stored.
  public var keys: Format { oldest.keys }
  /// How values of old tokens are stored.
  public var values: Format { oldest.values }
  /// Whether keys or values are quantized.
  public var isQuantized: Bool { keys.isQuantized || values.isQuantized }
}
