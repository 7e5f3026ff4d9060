/// What a KV cache keeps, and how it keeps it: formats by age, and which tokens stay.
///
/// Where keys or values are quantized, at least the last `residual` tokens stay in full precision;
/// older ones are rounded to codes as `rule` says. Keys share a scale over `group` tokens of a
/// component or, by `keyAxis`, over `group` components of a token; values over `group` components
/// of a token (KIVI, arXiv:2402.02750). With two tiers that happens once and for all. With more, a
/// page that has become older than a tier holds is rounded again, to the fewer bits of the next,
/// from what is stored.
public struct KVPolicy: Sendable, Hashable {
  /// How tokens are stored by age, from the most recent to the oldest: BF16 or F32, then fewer and
  /// fewer bits. Scales are F16, or F32 beside F32.
  public let tiers: [KVTier]
  /// Layers that are stored otherwise, counted from 0, each with tiers of its own.
  public let exceptions: [Int: [KVTier]]
  /// Numbers that share a scale: 32, 64 or, where no keys share one over tokens, 128.
  public let group: Int
  /// What keys share a scale over.
  public let keyAxis: KVKeyAxis
  /// How scales are found.
  public let scheme: KVScheme
  /// When tokens leave full precision.
  public let rule: KVRule
  /// What is rotated before it is stored; nil for nothing.
  public let rotation: KVRotation?
  /// Which tokens stay; nil keeps all.
  public let eviction: Eviction?
  /// How pages of the oldest tier are stored by their kind of thought; nil for all alike.
  public let thoughts: ThoughtTiers?

  /// Tokens of the residual where nothing else is said (the paper's setting).
  public static let defaultResidual = 128
  /// Numbers that share a scale where nothing else is said.
  public static let defaultGroup = 64
  /// Everything stays in BF16.
  public static let full = KVPolicy()

  /// A cache that keeps everything in BF16, unless something else is said; keys and values in one
  /// format.
  public init(format: KVFormat = .bf16, eviction: Eviction? = nil) {
    tiers = Self.tiers(keys: format, values: format, recent: .bf16, residual: Self.defaultResidual)
    exceptions = [:]
    group = Self.defaultGroup
    keyAxis = .perChannel
    scheme = .asymmetric
    rule = .blocks
    rotation = nil
    self.eviction = eviction
    thoughts = nil
  }

  /// A cache in one format for keys and one for values, of which the last `residual` tokens are
  /// stored as `recent`.
  ///
  /// - Throws: `KVPolicyError.invalidFormat` with the reason.
  public init(
    keys: KVFormat, values: KVFormat, recent: KVFormat? = nil, residual: Int = defaultResidual,
    group: Int = defaultGroup, keyAxis: KVKeyAxis = .perChannel, scheme: KVScheme = .asymmetric,
    rule: KVRule = .blocks, rotation: KVRotation? = nil, eviction: Eviction? = nil
  ) throws(KVPolicyError) {
    let exact = [keys, values].first { !$0.isQuantized }
    try self.init(
      tiers: Self.tiers(
        keys: keys, values: values, recent: recent ?? exact ?? .bf16, residual: residual),
      group: group, keyAxis: keyAxis, scheme: scheme, rule: rule, rotation: rotation,
      eviction: eviction)
  }

  /// A cache whose tokens are stored by age, in some layers by tiers of their own.
  ///
  /// - Throws: `KVPolicyError.invalidFormat` with the reason, and the layer where it is about one:
  ///   tiers of other than a multiple of 64 tokens, of rising or equal precision, with recent tokens
  ///   that are quantized; a group other than 32, 64 or 128, or 128 for keys per channel; a residual
  ///   that is no multiple of the group, or of a page in groups of 128; keys per token where none
  ///   are quantized; the rule `kivi` with more than two tiers or without a residual; thoughts of
  ///   fewer than two kinds, more precise than the oldest tier, of other than whole pages, where
  ///   pages are rounded in parts, or beside an eviction.
  public init(
    tiers: [KVTier], exceptions: [Int: [KVTier]] = [:], group: Int = defaultGroup,
    keyAxis: KVKeyAxis = .perChannel, scheme: KVScheme = .asymmetric, rule: KVRule = .blocks,
    rotation: KVRotation? = nil, eviction: Eviction? = nil, thoughts: ThoughtTiers? = nil
  ) throws(KVPolicyError) {
    func problem(_ reason: String) -> KVPolicyError {
      .invalidFormat(text: tiers.map(\.description).joined(separator: ","), reason: reason)
    }
    guard [32, 64, 128].contains(group) else {
      throw problem("groups of \(group); expected 32, 64 or 128")
    }
    let exceptions = exceptions.filter { $0.value != tiers }
    let hasCodedKeys = (tiers + exceptions.values.joined()).contains { $0.keys.isQuantized }
    guard keyAxis == .perChannel || hasCodedKeys else {
      throw problem("keys cannot have scales per token where they are not quantized")
    }
    guard group <= PageLayout.tokens || keyAxis == .perToken || !hasCodedKeys else {
      throw problem(
        "groups of \(group); keys per channel share a scale over at most the \(PageLayout.tokens) tokens "
          + "of a page")
    }
    let step = Self.step(group: group)
    // A rule is about the layers that are quantized.
    func reason(_ tiers: [KVTier]) -> String? {
      tiers.problem(step: step)
        ?? (tiers.count > 1 || exceptions.isEmpty ? rule.problem(tiers) : nil)
    }
    if let reason = reason(tiers) { throw problem(reason) }
    for (layer, tiers) in exceptions.sorted(by: { $0.key < $1.key }) {
      if layer < 0 { throw problem("layer \(layer); layers are counted from 0") }
      if let reason = reason(tiers) { throw problem("layer \(layer): \(reason)") }
    }
    if let thoughts {
      if let reason = thoughts.problem(behind: tiers) { throw problem(reason) }
      guard tiers.count > 2 || (rule == .blocks && step == PageLayout.tokens) else {
        throw problem(
          "thoughts are told apart by pages of \(PageLayout.tokens) tokens; expected the rule "
            + "blocks and groups of \(PageLayout.tokens) or more")
      }
      guard eviction == nil else {
        throw problem("thoughts are told apart where all tokens stay; expected no eviction")
      }
    }
    self.tiers = tiers
    self.exceptions = exceptions
    self.group = group
    self.keyAxis = keyAxis
    self.scheme = scheme
    self.rule = rule
    self.rotation = rotation
    self.eviction = eviction
    self.thoughts = thoughts
  }

  /// The tiers of one layer, stored in all else as another policy says, which was checked; kinds of
  /// thought are about its own tiers alone.
  init(tiers: [KVTier], as policy: KVPolicy) {
    self.tiers = tiers
    thoughts = tiers == policy.tiers ? policy.thoughts : nil
    exceptions = [:]
    group = policy.group
    keyAxis = policy.keyAxis
    scheme = policy.scheme
    rule = policy.rule
    rotation = policy.rotation
    eviction = policy.eviction
  }

  private static func tiers(
    keys: KVFormat, values: KVFormat, recent: KVFormat, residual: Int
  ) -> [KVTier] {
    let last = KVTier(keys: keys, values: values)
    return last.isQuantized
      ? [KVTier(keys: recent, values: recent, tokens: residual), last] : [last]
  }

  /// How keys of old tokens are stored, but for the exceptions.
  public var keys: KVFormat { tiers[tiers.count - 1].keys }
  /// How values of old tokens are stored, but for the exceptions.
  public var values: KVFormat { tiers[tiers.count - 1].values }
  /// How tokens are stored that are not quantized: BF16 or F32.
  public var recent: KVFormat { tiers[0].keys }
  /// The most recent tokens that are never quantized; a multiple of the group, and 0 where none
  /// are.
  public var residual: Int { tiers[0].tokens ?? 0 }
  /// Whether keys or values are quantized, in some layer at least.
  public var isQuantized: Bool { ([tiers] + exceptions.values).contains { $0.count > 1 } }
  /// Whether a cache looks at what is attended to, and changes by it what it has stored.
  public var watchesAttention: Bool { eviction != nil || thoughts != nil }
  /// Tokens that the rule `blocks` rounds together: a group, or a page where that is less.
  var step: Int { Self.step(group: group) }

  private static func step(group: Int) -> Int { min(group, PageLayout.tokens) }

  /// Checks that a cache of `shape` can be kept so.
  ///
  /// - Throws: `KVPolicyError.invalidFormat`: groups that do not divide a larger head, a rotation of
  ///   heads that are no power of two, or an exception for a layer that holds no keys and values.
  public func check(_ shape: KVShape) throws(KVPolicyError) {
    if watchesAttention, shape.fullLayers == 0,
      let window = shape.windows.first(where: { $0 > 0 })
    {
      let reason = "every layer of this model sees and holds its last \(window) tokens alone; "
      if let eviction {
        throw .invalidEviction(
          text: eviction.description, reason: reason + "there is nothing else to evict")
      }
      throw .invalidFormat(
        text: description, reason: reason + "there are no older thoughts to tell apart")
    }
    let size = shape.headDimension
    for layer in exceptions.keys.sorted() {
      guard layer < shape.layers else {
        throw .invalidFormat(
          text: description,
          reason: "layer \(layer) is named; the model has the layers 0 to \(shape.layers - 1)")
      }
      guard shape.attends(layer) else {
        throw .invalidFormat(
          text: description,
          reason: "layer \(layer) is named, which holds a fixed state and no keys and values")
      }
    }
    let hasCodedValues = ([tiers] + exceptions.values).joined().contains { $0.values.isQuantized }
    let hasGroupsOfComponents = hasCodedValues || keyAxis == .perToken
    guard !hasGroupsOfComponents || size <= group || size % group == 0 else {
      throw .invalidFormat(
        text: description,
        reason: "groups of \(group) values do not divide heads of \(size) values")
    }
    guard rotation == nil || size.nonzeroBitCount == 1 else {
      throw .invalidFormat(
        text: description,
        reason: "heads of \(size) values cannot be rotated; that takes a power of two")
    }
  }
}
