/// What a page holds two of.
public enum PageHalf: Sendable, CaseIterable {
  case keys, values
}

/// Where the parts of a page lie: for each KV head the keys' scales, offsets and entries, then
/// those of the values, which is the order in which attention reads them. Where only some tokens of
/// a page are codes, it holds all of them in full precision first.
///
/// Keys that are not quantized are `[dimension rounded up to 2][64]`, values `[64][dimension
/// rounded up to 16]`; `bb_kv_block` in `Kernels` says how entries, scales and offsets are laid
/// out.
public struct PageLayout: Sendable, Hashable {
  /// Tokens a page holds: the unit of format, of what branches share and of what an eviction writes
  /// anew.
  @inlinable public static var tokens: Int { 64 }

  /// Keys or values of one head.
  public struct Part: Sendable, Hashable {
    /// How they are stored.
    public let format: KVFormat
    /// What those share that share a scale.
    public let axis: KVKeyAxis
    /// Where they start in a head's bytes.
    public let start: Int
    /// Bytes of the entries, which come last.
    public let entryBytes: Int
    /// Bytes of the scales, which come first, and as many of the offsets where there are any.
    public let scaleBytes: Int
    /// Whether an offset is stored beside each scale.
    public let hasOffsets: Bool

    /// Bytes of all three.
    public var byteCount: Int { entryBytes + scaleBytes * (hasOffsets ? 2 : 1) }
    var end: Int { start + byteCount }
  }

  /// Keys and values of the tokens that have codes.
  public struct Codes: Sendable, Hashable {
    /// Keys; those in full precision where keys are not quantized.
    public let keys: Part
    /// Values; likewise.
    public let values: Part
  }

  /// The sizes of the cache.
  public let shape: KVShape
  /// Numbers that share a scale.
  public let group: Int
  /// How scales are found.
  public let scheme: KVScheme
  /// Whether scales are F32, as they are beside F32 entries, or F16.
  public let hasWideScales: Bool
  /// The keys of a head, in full precision where there are codes beside.
  public let keys: Part
  /// Its values.
  public let values: Part
  /// Codes of some of the tokens, where there are any; what is not quantized is held once.
  public let codes: Codes?
  /// Bytes of one head in a page.
  public let headBytes: Int

  /// The layout of the pages of one tier; or, with `next`, of those of which some tokens have
  /// reached that tier.
  public init(shape: KVShape, _ policy: KVPolicy, _ tier: KVTier, next: KVTier? = nil) {
    self.shape = shape
    group = policy.group
    scheme = policy.scheme
    hasWideScales = policy.recent == .f32
    let scaleWidth = hasWideScales ? 4 : 2
    let padded = shape.headDimension.raised(toMultipleOf: 16)
    let hasOffsets = policy.scheme.hasOffsets
    func part(
      _ format: KVFormat, _ axis: KVKeyAxis, start: Int, components: Int? = nil
    ) -> Part {
      let groups =
        switch axis {
        case .perChannel: Self.tokens / policy.group * padded
        case .perToken: shape.headDimension.pieces(of: policy.group) * Self.tokens
        }
      return Part(
        format: format, axis: axis, start: start,
        entryBytes: Self.tokens * (components ?? padded) * format.bits / 8,
        scaleBytes: format.isQuantized ? groups * scaleWidth : 0,
        hasOffsets: format.isQuantized && hasOffsets)
    }
    let axis = policy.keyAxis
    let keys = part(
      tier.keys, axis, start: 0,
      components: tier.keys.isQuantized ? padded : shape.headDimension.raised(toMultipleOf: 2))
    let values = part(tier.values, .perToken, start: keys.end)
    (self.keys, self.values) = (keys, values)
    guard let next else {
      (codes, headBytes) = (nil, values.end)
      return
    }
    let codedKeys = next.keys.isQuantized ? part(next.keys, axis, start: values.end) : keys
    let start = max(values.end, codedKeys.end)
    let codedValues = next.values.isQuantized ? part(next.values, .perToken, start: start) : values
    codes = Codes(keys: codedKeys, values: codedValues)
    headBytes = max(start, codedValues.end)
  }

  /// Keys or values, those in full precision where there are codes beside.
  public func part(_ half: PageHalf) -> Part { half == .keys ? keys : values }

  /// The parts that a head's bytes hold.
  public var parts: [Part] {
    [keys, values] + [codes?.keys, codes?.values].compactMap { $0 }.filter(\.format.isQuantized)
  }

  /// Bytes of a page.
  public var byteCount: Int { Saturating.product(shape.kvHeads, headBytes) }

  /// Bytes that are taken from the system at a time: at least 8 pages, in whole huge pages of 2
  /// MiB.
  public var slabBytes: Int { Saturating.product(8, byteCount).raised(toMultipleOf: 2 << 20) }
}
