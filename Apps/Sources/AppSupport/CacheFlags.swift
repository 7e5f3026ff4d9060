import ArgumentParser
import KVCaches
import MemoryPlanner

extension KVFormat: ExpressibleByArgument {}
extension KVKeyAxis: ExpressibleByArgument {}
extension KVScheme: ExpressibleByArgument {}
extension KVRule: ExpressibleByArgument {}
extension KVRotation: ExpressibleByArgument {}

/// The flags that say what a KV cache keeps and how; the same in every command.
public struct CacheFlags: ParsableArguments {
  /// Format of keys and values, or tiers of formats by age; nil where none is said.
  @Option(
    help: ArgumentHelp(
      "Format of the KV cache: bf16, int8, int4, int2, or f32 to compare with references (default: bf16). Or tiers, from the most recent tokens to the oldest: bf16:256,int8:1024,int4 stores the last 256 tokens in BF16, 1024 before them in 8 bits and older ones in 4; tiered means bf16:128,int8:1024,int4.",
      valueName: "format"), transform: { try KVTier.list(parsing: $0) })
  public var kv: [KVTier] = []

  /// Format of the keys alone.
  @Option(name: .customLong("kv-k"), help: "Format of the keys, where it is another.")
  public var kvKeys: KVFormat?

  /// Format of the values alone.
  @Option(name: .customLong("kv-v"), help: "Format of the values, where it is another.")
  public var kvValues: KVFormat?

  /// Tokens that are not quantized.
  @Option(
    name: .customLong("kv-residual"),
    help:
      "Most recent tokens that are never quantized, a multiple of --kv-group or of 64 (default: 128)."
  )
  public var residual: Int?

  /// Numbers that share a scale.
  @Option(
    name: .customLong("kv-group"),
    help:
      "Numbers that share a scale: 32, 64, or 128 where keys are not quantized per channel (default: 64)."
  )
  public var group: Int?

  /// What keys share a scale over.
  @Option(
    name: .customLong("kv-key-axis"),
    help:
      "Whether keys share scales per-channel (over a group of tokens) or per-token (over a group of components, as values do) (default: per-channel)."
  )
  public var keyAxis: KVKeyAxis?

  /// How scales are found.
  @Option(
    name: .customLong("kv-scheme"),
    help: "How scales are found: asym, hqq, sym-absmax or sym-full (default: asym).")
  public var scheme: KVScheme?

  /// When tokens leave full precision.
  @Option(
    name: .customLong("kv-rule"),
    help:
      "When tokens are quantized: blocks (keys and values, a group of tokens at a time), or kivi (keys a residual at a time, values one by one) (default: blocks)."
  )
  public var rule: KVRule?

  /// What is rotated before it is stored.
  @Option(
    name: .customLong("kv-rotate"),
    help:
      "Rotate keys (k), values (v) or both (kv) by a Hadamard matrix before they are stored (default: none)."
  )
  public var rotation: KVRotation?

  /// Which tokens stay in the KV cache; nil keeps all.
  @Option(
    name: .customLong("kv-evict"),
    help: ArgumentHelp(
      "Keep the KV cache within a number of tokens: \(Eviction.grammar).", valueName: "policy"),
    transform: { try Eviction(parsing: $0) })
  public var kvEvict: Eviction?

  /// For ArgumentParser.
  public init() {}

  /// Checks that the flags go together.
  public func validate() throws {
    let isSaid =
      residual != nil || group != nil || keyAxis != nil || scheme != nil || rule != nil
    let formats = kv.flatMap { [$0.keys, $0.values] } + [kvKeys, kvValues].compactMap { $0 }
    guard formats.contains(where: \.isQuantized) || !isSaid else {
      throw ValidationError(
        "--kv-residual, --kv-group, --kv-key-axis, --kv-scheme and --kv-rule are about a quantized cache; say --kv int8, int4 or int2"
      )
    }
    do {
      _ = try configuration()
    } catch {
      throw ValidationError("\(error)")
    }
  }

  /// What the flags say; `format` is for where none says another.
  ///
  /// - Throws: `KVCacheError.invalidFormat` for flags that do not go together.
  public func configuration(format: KVFormat = .bf16) throws(KVCacheError) -> KVConfiguration {
    let (group, keyAxis) = (group ?? KVConfiguration.defaultGroup, keyAxis ?? .perChannel)
    let (scheme, rule) = (scheme ?? .asymmetric, rule ?? .blocks)
    guard kv.count > 1 || kv.first?.tokens != nil else {
      return try KVConfiguration(
        keys: kvKeys ?? kv.first?.keys ?? format, values: kvValues ?? kv.first?.values ?? format,
        residual: residual ?? KVConfiguration.defaultResidual, group: group,
        keyAxis: keyAxis, scheme: scheme, rule: rule, rotation: rotation, eviction: kvEvict)
    }
    guard kvKeys == nil, kvValues == nil, residual == nil else {
      throw .invalidFormat(
        text: kv.map(\.description).joined(separator: ","),
        reason:
          "tiers say all formats and the residual; --kv-k, --kv-v and --kv-residual do not go with them"
      )
    }
    return try KVConfiguration(
      tiers: kv, group: group, keyAxis: keyAxis, scheme: scheme, rule: rule, rotation: rotation,
      eviction: kvEvict)
  }
}

extension CacheFlags {
  /// The words of the flags that ask for a policy; none for the default.
  public static func words(_ kv: KVPolicy) -> [String] {
    var words: [String] = []
    if kv.format != KVPolicy.full.format { words += ["--kv", kv.format] }
    if let eviction = kv.eviction { words += ["--kv-evict", "\(eviction)"] }
    return words
  }

  /// Checks that there can be a cache with `policy`.
  ///
  /// - Throws: `KVCacheError` with the reason.
  public static func check(_ policy: KVPolicy) throws(KVCacheError) {
    let tiers = try KVTier.list(parsing: policy.format)
    if tiers.count > 1 { _ = try KVConfiguration(tiers: tiers) }
    if let eviction = policy.eviction { _ = try Eviction(parsing: "\(eviction)") }
  }

  /// Sets what a policy asks for, where no flag was given.
  ///
  /// - Throws: `KVCacheError` where a cache cannot have the eviction.
  mutating func adopt(_ policy: KVPolicy) throws(KVCacheError) {
    if kv.isEmpty && kvKeys == nil && kvValues == nil {
      kv = try KVTier.list(parsing: policy.format)
    }
    if kvEvict == nil, let eviction = policy.eviction {
      kvEvict = try Eviction(parsing: "\(eviction)")
    }
  }
}
