/// What a cache keeps, and how it keeps it.
///
/// Where keys or values are quantized, at least the last `residual` tokens stay in full precision. When 64 more have
/// come, a page of the oldest of them is rounded to codes, once and for all. Keys share a scale over `group` tokens of a
/// component, values over `group` components of a token (KIVI, arXiv:2402.02750).
public struct KVConfiguration: Sendable, Hashable, Codable, CustomStringConvertible {
  /// How keys are stored.
  public let keys: KVFormat
  /// How values are stored.
  public let values: KVFormat
  /// How tokens are stored that are not quantized: BF16 or F32. Scales are F16, or F32 beside F32.
  public let recent: KVFormat
  /// The most recent tokens that are never quantized; a multiple of 64.
  public let residual: Int
  /// Values that share a scale: 32 or 64.
  public let group: Int
  /// How scales are found.
  public let scheme: KVScheme
  /// Which tokens stay; nil keeps all.
  public let eviction: Eviction?

  /// Tokens of the residual where nothing else is said (the paper's setting).
  public static let defaultResidual = 128
  /// Values that share a scale where nothing else is said.
  public static let defaultGroup = 64

  /// A cache that keeps everything in BF16, unless something else is said; keys and values in one format.
  public init(format: KVFormat = .bf16, eviction: Eviction? = nil) {
    keys = format
    values = format
    recent = format.isQuantized ? .bf16 : format
    residual = Self.defaultResidual
    group = Self.defaultGroup
    scheme = .asymmetric
    self.eviction = eviction
  }

  /// A cache with all its settings.
  ///
  /// - Throws: `KVCacheError.invalidFormat` with the reason.
  public init(
    keys: KVFormat, values: KVFormat, recent: KVFormat? = nil, residual: Int = defaultResidual,
    group: Int = defaultGroup, scheme: KVScheme = .asymmetric, eviction: Eviction? = nil
  ) throws(KVCacheError) {
    func problem(_ reason: String) -> KVCacheError {
      .invalidFormat(text: "\(keys.rawValue)/\(values.rawValue)", reason: reason)
    }
    let exact = [keys, values].filter { !$0.isQuantized }
    let recent = recent ?? exact.first ?? .bf16
    guard !recent.isQuantized, exact.allSatisfy({ $0 == recent }) else {
      throw problem("what is not quantized has one format, bf16 or f32")
    }
    guard (0...1 << 24).contains(residual), residual % KVPage.tokens == 0 else {
      throw problem("a residual of \(residual) tokens; expected a multiple of \(KVPage.tokens)")
    }
    guard group == 32 || group == 64 else {
      throw problem("groups of \(group); expected 32 or 64")
    }
    self.keys = keys
    self.values = values
    self.recent = recent
    self.residual = residual
    self.group = group
    self.scheme = scheme
    self.eviction = eviction
  }

  /// Reads what `encode(to:)` wrote; the same rules hold.
  public init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    try self.init(
      keys: fields.decode(KVFormat.self, forKey: .keys),
      values: fields.decode(KVFormat.self, forKey: .values),
      recent: fields.decode(KVFormat.self, forKey: .recent),
      residual: fields.decode(Int.self, forKey: .residual),
      group: fields.decode(Int.self, forKey: .group),
      scheme: fields.decode(KVScheme.self, forKey: .scheme),
      eviction: fields.decodeIfPresent(Eviction.self, forKey: .eviction))
  }

  /// Whether keys or values are quantized.
  public var isQuantized: Bool { keys.isQuantized || values.isQuantized }

  /// Pages of a layer that are quantized once `tokens` tokens are held.
  func quantizedPages(of tokens: Int) -> Int {
    isQuantized ? max(0, tokens - residual) / KVPage.tokens : 0
  }

  /// The format, what differs from the defaults, then the eviction where there is one: `int8/int4 residual=256`,
  /// `bf16 rkv:2048`.
  public var description: String {
    var parts = [keys == values ? keys.rawValue : "\(keys.rawValue)/\(values.rawValue)"]
    if isQuantized {
      if residual != Self.defaultResidual { parts.append("residual=\(residual)") }
      if group != Self.defaultGroup { parts.append("group=\(group)") }
      if scheme != .asymmetric { parts.append(scheme.rawValue) }
      if recent != .bf16 { parts.append("recent=\(recent.rawValue)") }
    }
    return (parts + (eviction.map { [$0.description] } ?? [])).joined(separator: " ")
  }
}
