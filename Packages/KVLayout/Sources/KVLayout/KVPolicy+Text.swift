extension KVPolicy: CustomStringConvertible, Codable {
  /// What the text form may say, for help texts.
  public static let grammar = """
    a format (bf16, int8, int4, int2, or KEYS/VALUES), tiers such as bf16:256,int8:1024,int4, an eviction \
    such as rkv:2048, and settings (group=32, keys=per-token, scheme=hqq, rule=kivi, rotate=kv), \
    joined by +
    """

  /// Reads the text form: `bf16`, `int8/int4` (keys/values), tiers such as
  /// `bf16:256,int8:1024,int4` or `tiered`, `rkv:2048`, `rkv:2048+int8`, `int4+group=32+rule=kivi`.
  /// One format means the residual of 128 tokens in BF16 before it.
  ///
  /// - Parameters:
  ///   - text: parts in any order, joined by `+`.
  ///   - evictions: the eviction methods that the text may name.
  /// - Throws: `KVPolicyError` naming the text and what is wrong with it.
  public init(
    parsing text: String, evictions: EvictionCatalog = .standard
  ) throws(KVPolicyError) {
    var parts = Parts()
    for part in text.split(separator: "+", omittingEmptySubsequences: false) {
      try parts.take(String(part), of: text, evictions)
    }
    let tiers = parts.tiers ?? [KVTier(keys: .bf16, values: .bf16)]
    let (group, keyAxis) = (parts.group ?? Self.defaultGroup, parts.keyAxis ?? .perChannel)
    let (scheme, rule) = (parts.scheme ?? .asymmetric, parts.rule ?? .blocks)
    if tiers.count == 1, tiers[0].tokens == nil {
      try self.init(
        keys: tiers[0].keys, values: tiers[0].values, group: group, keyAxis: keyAxis,
        scheme: scheme, rule: rule, rotation: parts.rotation, eviction: parts.eviction)
    } else {
      try self.init(
        tiers: tiers, group: group, keyAxis: keyAxis, scheme: scheme, rule: rule,
        rotation: parts.rotation, eviction: parts.eviction)
    }
  }

  /// The text form, which names what is not as usual: `rkv:2048+int8`, `int8/int4+group=32`.
  public var description: String {
    let hasFormat = eviction == nil || tiers != Self.full.tiers
    return
      ((eviction.map { [$0.description] } ?? []) + (hasFormat ? [tierText] : []) + settings)
      .joined(separator: "+")
  }

  /// The text form without the eviction, such as `int8/int4`.
  public var format: String { ([tierText] + settings).joined(separator: "+") }

  /// The usual residual goes without saying.
  private var tierText: String {
    let usual = Self.tiers(keys: keys, values: values)
    return tiers == usual
      ? "\(tiers[tiers.count - 1])" : tiers.map(\.description).joined(separator: ",")
  }

  /// The tiers that one format stands for.
  private static func tiers(keys: KVFormat, values: KVFormat) -> [KVTier] {
    (try? KVPolicy(keys: keys, values: values).tiers) ?? []
  }

  private var settings: [String] {
    var settings: [String] = []
    if group != Self.defaultGroup { settings.append("group=\(group)") }
    if keyAxis != .perChannel { settings.append("keys=\(keyAxis.rawValue)") }
    if scheme != .asymmetric { settings.append("scheme=\(scheme.rawValue)") }
    if rule != .blocks { settings.append("rule=\(rule.rawValue)") }
    if let rotation { settings.append("rotate=\(rotation.rawValue)") }
    return settings
  }

  /// Reads the text form; evictions that are not the usual ones are looked for in the catalog that
  /// the decoder's `userInfo` has under `EvictionCatalog.userInfoKey`.
  public init(from decoder: any Decoder) throws {
    try self.init(
      parsing: try decoder.singleValueContainer().decode(String.self),
      evictions: EvictionCatalog(decoder))
  }

  /// Writes the text form.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

/// The parts of a text form, each said at most once.
private struct Parts {
  var tiers: [KVTier]?
  var group: Int?
  var keyAxis: KVKeyAxis?
  var scheme: KVScheme?
  var rule: KVRule?
  var rotation: KVRotation?
  var eviction: Eviction?

  mutating func take(
    _ part: String, of text: String, _ evictions: EvictionCatalog
  ) throws(KVPolicyError) {
    let problem = KVPolicyError.invalidFormat(
      text: text, reason: "\"\(part)\" is said twice; expected \(KVPolicy.grammar)")
    if evictions.names.contains(where: { part.hasPrefix($0 + ":") || part == $0 }) {
      guard eviction == nil else { throw problem }
      eviction = try Eviction(parsing: part, evictions: evictions)
      return
    }
    guard let equals = part.firstIndex(of: "=") else {
      guard tiers == nil else { throw problem }
      tiers = try KVTier.list(parsing: part)
      return
    }
    let (key, value) = (part[..<equals], String(part[part.index(after: equals)...]))
    func read<Value>(
      _ old: Value?, _ read: (String) -> Value?
    ) throws(KVPolicyError) -> Value {
      guard old == nil else { throw problem }
      guard let new = read(value) else {
        throw .invalidFormat(
          text: text, reason: "\(part) is no value of \(key); expected \(KVPolicy.grammar)")
      }
      return new
    }
    switch key {
    case "group": group = try read(group, Int.init)
    case "keys": keyAxis = try read(keyAxis, KVKeyAxis.init)
    case "scheme": scheme = try read(scheme, KVScheme.init)
    case "rule": rule = try read(rule, KVRule.init)
    case "rotate": rotation = try read(rotation, KVRotation.init)
    default:
      throw .invalidFormat(
        text: text, reason: "\"\(key)\" is no setting; expected \(KVPolicy.grammar)")
    }
  }
}
