import ArgumentParser
import KVLayout

extension KVKeyAxis: ExpressibleByArgument {}
extension KVScheme: ExpressibleByArgument {}
extension KVRule: ExpressibleByArgument {}
extension KVRotation: ExpressibleByArgument {}

/// The flags that say what a KV cache keeps and how; the same in every command.
public struct CacheFlags: ParsableArguments {
  /// What `--kv` says; nil where it is not given.
  @Option(
    help: ArgumentHelp(
      "Format of the KV cache: bf16, int8, int4, int2, or f32 to compare with references (default: bf16). Or tiers, from the most recent tokens to the oldest: bf16:256,int8:1024,int4 stores the last 256 tokens in BF16, 1024 before them in 8 bits and older ones in 4; tiered means bf16:128,int8:1024,int4. An eviction, settings, formats by kind of thought and formats of single layers may be joined to it by +, as in rkv:2048+int8+group=32+L0-1=bf16 or int8+thoughts=int8:64,int4:64, which stores the more sparsely attending half of old thoughts in 4 bits.",
      valueName: "format"), transform: { try KVPolicy(parsing: $0, evictions: Known.evictions) })
  public var kv: KVPolicy?

  /// Format of the keys alone.
  @Option(
    name: .customLong("kv-k"),
    help: ArgumentHelp("Format of the keys, where it is another.", valueName: "format"),
    completion: .list(KVFormat.allCases.map(\.rawValue)), transform: { try KVFormat(parsing: $0) })
  public var kvKeys: KVFormat?

  /// Format of the values alone.
  @Option(
    name: .customLong("kv-v"),
    help: ArgumentHelp("Format of the values, where it is another.", valueName: "format"),
    completion: .list(KVFormat.allCases.map(\.rawValue)), transform: { try KVFormat(parsing: $0) })
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
      "Keep the KV cache within a number of tokens: \(Known.evictions.grammar).",
      valueName: "policy"),
    transform: { try Eviction(parsing: $0, evictions: Known.evictions) })
  public var kvEvict: Eviction?

  /// A file that says the policy, where one was named or found.
  @Option(
    name: .customLong("kv-policy"),
    help: ArgumentHelp(
      "A policy file that 'tune' wrote for this model (default: kv-policy.json beside the model, where no flag says how the cache is kept).",
      valueName: "file"))
  public internal(set) var policyFile: String?

  /// For ArgumentParser.
  public init() {}

  /// Long names of all flags that say how a cache is kept.
  public static let names: Set = [
    "kv", "kv-k", "kv-v", "kv-residual", "kv-group", "kv-key-axis", "kv-scheme", "kv-rule",
    "kv-rotate", "kv-evict", "kv-policy",
  ]

  /// Whether a flag says how the cache is kept.
  public var isGiven: Bool {
    kv != nil || kvKeys != nil || kvValues != nil || residual != nil || group != nil
      || keyAxis != nil || scheme != nil || rule != nil || rotation != nil || kvEvict != nil
  }

  /// Checks that the flags go together.
  public func validate() throws {
    guard policyFile == nil || !isGiven else {
      throw ValidationError(
        "--kv-policy says all of the cache; it excludes --kv and the other flags of the KV cache")
    }
    let isSaid =
      residual != nil || group != nil || keyAxis != nil || scheme != nil || rule != nil
    let formats = [kvKeys, kvValues].compactMap { $0 }
    guard kv?.isQuantized == true || formats.contains(where: \.isQuantized) || !isSaid else {
      throw ValidationError(
        "--kv-residual, --kv-group, --kv-key-axis, --kv-scheme and --kv-rule are about a quantized cache; say --kv int8, int4 or int2"
      )
    }
    do {
      _ = try policy()
    } catch {
      throw ValidationError("\(error)")
    }
  }

  /// What the flags say; `format` is for where none says another.
  ///
  /// - Throws: `KVPolicyError.invalidFormat` for flags that do not go together.
  public func policy(format: KVFormat = .bf16) throws(KVPolicyError) -> KVPolicy {
    let said = kv ?? KVPolicy(format: format)
    var tiers = said.tiers
    if kvKeys != nil || kvValues != nil || residual != nil {
      let plain = try KVPolicy(keys: said.keys, values: said.values).tiers
      guard tiers == plain, said.exceptions.isEmpty else {
        throw .invalidFormat(
          text: said.format,
          reason:
            "tiers and formats of layers say all formats and the residual; --kv-k, --kv-v and --kv-residual do not go with them"
        )
      }
      tiers = try KVPolicy(
        keys: kvKeys ?? said.keys, values: kvValues ?? said.values,
        residual: residual ?? KVPolicy.defaultResidual, group: group ?? said.group,
        keyAxis: keyAxis ?? said.keyAxis
      ).tiers
    }
    return try KVPolicy(
      tiers: tiers, exceptions: said.exceptions, group: group ?? said.group,
      keyAxis: keyAxis ?? said.keyAxis,
      scheme: scheme ?? said.scheme, rule: rule ?? said.rule, rotation: rotation ?? said.rotation,
      eviction: kvEvict ?? said.eviction, thoughts: said.thoughts)
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

  /// Sets what a policy asks for, where no flag was given.
  mutating func adopt(_ policy: KVPolicy) {
    guard policyFile == nil else { return }
    if kv == nil && kvKeys == nil && kvValues == nil { kv = policy }
    if kvEvict == nil { kvEvict = policy.eviction }
  }
}
