extension KVPolicy: CustomStringConvertible, Codable {
  /// What the text form may say, for descriptions.
  public static let grammar = """
    a format (bf16, int8, int4, int2, or KEYS/VALUES), tiers such as bf16:256,int8:1024,int4, an eviction \
    such as rkv:2048, settings (group=32, keys=per-token, scheme=hqq, rule=kivi, rotate=kv), \
    formats by kind of thought (thoughts=int8:64,int4:64), and formats of single layers (L0=int8, \
    L4-7=int8/int4), joined by +
    """

  /// Reads the text form: `bf16`, `int8/int4` (keys/values), tiers such as
  /// `bf16:256,int8:1024,int4` or `tiered`, `rkv:2048`, `rkv:2048+int8`, `int4+group=32+rule=kivi`.
  /// One format means the residual of 128 tokens in BF16 before it. `int4+L0=int8+L4-7=int8/int4`
  /// stores some layers in formats of their own, counted from 0, behind the same residual;
  /// `int8+thoughts=int8:64,int4:64` stores the sparser half of every 128 tokens of old thought in 4
  /// bits.
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
    let said = parts.tiers ?? [KVTier(keys: .bf16, values: .bf16)]
    let usual = KVPolicy.full
    func alone(_ list: [KVTier]) -> KVTier? {
      list.count == 1 && list[0].tokens == nil ? list[0] : nil
    }
    let tiers = alone(said).map { usual.tiers(of: $0) } ?? said
    let residual = KVPolicy(tiers: tiers, as: usual)
    try self.init(
      tiers: tiers,
      exceptions: parts.exceptions.mapValues { list in
        alone(list).map { residual.tiers(of: $0) } ?? list
      },
      group: parts.group ?? Self.defaultGroup, keyAxis: parts.keyAxis ?? .perChannel,
      scheme: parts.scheme ?? .asymmetric, rule: parts.rule ?? .blocks,
      rotation: parts.rotation, eviction: parts.eviction, thoughts: parts.thoughts)
  }
  /// The text form, which names what is not as usual: `rkv:2048+int8`, `int8/int4+group=32`.
  public var description: String {
    let hasFormat = eviction == nil || tiers != Self.full.tiers
    return
      ((eviction.map { [$0.description] } ?? []) + (hasFormat ? [tierText] : []) + settings
      + exceptionTexts)
      .joined(separator: "+")
  }

  /// The text form without the eviction, such as `int8/int4`.
  public var format: String {
    ([tierText] + settings + exceptionTexts).joined(separator: "+")
  }

  /// The usual residual goes without saying.
  private var tierText: String {
    let usual = Self.full.tiers(of: tiers[tiers.count - 1])
    return tiers == usual
      ? "\(tiers[tiers.count - 1])" : tiers.map(\.description).joined(separator: ",")
  }

  private var settings: [String] {
    var settings: [String] = []
    if group != Self.defaultGroup { settings.append("group=\(group)") }
    if keyAxis != .perChannel { settings.append("keys=\(keyAxis.rawValue)") }
    if scheme != .asymmetric { settings.append("scheme=\(scheme.rawValue)") }
    if rule != .blocks { settings.append("rule=\(rule.rawValue)") }
    if let rotation { settings.append("rotate=\(rotation.rawValue)") }
    if let thoughts { settings.append("thoughts=\(thoughts)") }
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
  var exceptions: [Int: [KVTier]] = [:]
  var group: Int?
  var keyAxis: KVKeyAxis?
  var scheme: KVScheme?
  var rule: KVRule?
  var rotation: KVRotation?
  var eviction: Eviction?
  var thoughts: ThoughtTiers?

  mutating func take(
    _ part: String, of text: String, _ evictions: EvictionCatalog
  ) throws(KVPolicyError) {
    let problem = KVPolicyError.invalidFormat(text: text, reason: "\"\(part)\" is said twice")
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
    func list() throws(KVPolicyError) -> [KVTier] {
      do { return try KVTier.list(parsing: value) } catch {
        throw .invalidFormat(text: text, reason: "\(key): \(error)")
      }
    }
    if let layers = KVPolicy.layers(named: key) {
      let tiers = try list()
      for layer in layers {
        guard exceptions.updateValue(tiers, forKey: layer) == nil else {
          throw .invalidFormat(text: text, reason: "layer \(layer) is said twice")
        }
      }
      return
    }
    func read<Value>(
      _ old: Value?, _ expected: [String], _ read: (String) -> Value?
    ) throws(KVPolicyError) -> Value {
      guard old == nil else { throw problem }
      guard let new = read(value) else {
        throw .invalidFormat(
          text: text,
          reason: "\(part) is no value of \(key); expected \(expected.joined(separator: ", "))")
      }
      return new
    }
    func read<Value: RawRepresentable<String> & CaseIterable>(
      _ old: Value?
    ) throws(KVPolicyError) -> Value {
      try read(old, Value.allCases.map(\.rawValue)) { Value(rawValue: $0) }
    }
    switch key {
    case "thoughts":
      guard thoughts == nil else { throw problem }
      thoughts = ThoughtTiers(try list())
    case "group": group = try read(group, ["32", "64", "128"]) { Int($0) }
    case "keys": keyAxis = try read(keyAxis)
    case "scheme": scheme = try read(scheme)
    case "rule": rule = try read(rule)
    case "rotate": rotation = try read(rotation)
    default:
      throw .invalidFormat(
        text: text,
        reason:
          "\"\(key)\" is no setting; expected group, keys, scheme, rule, rotate, thoughts, or a layer such as L0"
      )
    }
  }
}
