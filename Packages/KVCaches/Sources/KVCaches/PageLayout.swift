import Kernels
import Tensors

/// What a page holds two of.
enum PageHalf: CaseIterable {
  case keys, values
}

/// Where the parts of a page lie: for each KV head the keys' scales, offsets and entries, then those of the values, which is
/// the order in which attention reads them. Where only some tokens of a page are codes, it holds all of them in full precision
/// first.
///
/// Entries, scales and offsets are laid out as `bb_kv_block` says.
struct PageLayout: Hashable {
  /// Keys or values of one head.
  struct Part: Hashable {
    let format: KVFormat
    /// What those share that share a scale.
    let axis: KVKeyAxis
    /// Where they start in a head's bytes.
    let start: Int
    let entryBytes: Int
    /// Bytes of the scales, which come first, and as many of the offsets where there are any.
    let scaleBytes: Int
    let hasOffsets: Bool

    var byteCount: Int { entryBytes + scaleBytes * (hasOffsets ? 2 : 1) }
    var end: Int { start + byteCount }
  }

  let shape: KVShape
  let group: Int
  let scheme: KVScheme
  let scaleFormat: bb_float_format
  let keys: Part
  let values: Part
  /// Codes of some of the tokens, where there are any; what is not quantized is held once.
  let codes: Codes?
  /// Bytes of one head in a page.
  let headBytes: Int

  /// Keys and values of the tokens that have codes.
  struct Codes: Hashable {
    let keys: Part
    let values: Part
  }

  /// The layout of the pages of one tier; or, with `next`, of those of which some tokens have reached that tier.
  init(
    shape: KVShape, _ configuration: KVConfiguration, _ tier: KVTier, next: KVTier? = nil
  ) {
    self.shape = shape
    group = configuration.group
    scheme = configuration.scheme
    let scaleWidth = configuration.recent == .f32 ? 4 : 2
    scaleFormat = configuration.recent == .f32 ? BB_F32 : BB_F16
    let padded = shape.headDimension.roundedUp(toMultipleOf: 16)
    let hasOffsets = configuration.scheme.hasOffsets
    func part(
      _ format: KVFormat, _ axis: KVKeyAxis, start: Int, components: Int? = nil
    ) -> Part {
      let groups =
        switch axis {
        case .perChannel: KVPage.tokens / configuration.group * padded
        case .perToken: shape.headDimension.pieces(of: configuration.group) * KVPage.tokens
        }
      return Part(
        format: format, axis: axis, start: start,
        entryBytes: KVPage.tokens * (components ?? padded) * format.bits / 8,
        scaleBytes: format.isQuantized ? groups * scaleWidth : 0,
        hasOffsets: format.isQuantized && hasOffsets)
    }
    let axis = configuration.keyAxis
    let keys = part(
      tier.keys, axis, start: 0,
      components: tier.keys.isQuantized ? padded : shape.headDimension.roundedUp(toMultipleOf: 2))
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
  func part(_ half: PageHalf) -> Part { half == .keys ? keys : values }

  /// The parts that a head's bytes hold.
  private var parts: [Part] {
    [keys, values] + [codes?.keys, codes?.values].compactMap { $0 }.filter(\.format.isQuantized)
  }

  /// Bytes of a page.
  var byteCount: Int { shape.kvHeads * headBytes }

  /// Bytes of a page that are held for `kind`.
  func byteCount(_ kind: KVMeter.Kind) -> Int {
    let bytes =
      switch kind {
      case .exact: parts.reduce(0) { $0 + ($1.format.isQuantized ? 0 : $1.entryBytes) }
      case .codes: parts.reduce(0) { $0 + ($1.format.isQuantized ? $1.entryBytes : 0) }
      case .scales: parts.reduce(0) { $0 + $1.byteCount - $1.entryBytes }
      case .eviction: 0
      }
    return shape.kvHeads * bytes
  }

  /// Some tokens of a page, as the attention kernel takes them.
  func piece(
    _ keys: Part, _ values: Part, of bytes: UnsafeRawPointer?, tokens: Range<Int>, seen: Int
  ) -> bb_kv_piece {
    bb_kv_piece(
      keys: block(keys, head: 0, of: bytes), values: block(values, head: 0, of: bytes),
      head_bytes: headBytes, first: tokens.lowerBound, last: tokens.upperBound, seen: seen)
  }

  /// The keys or values of head `head` in the bytes of a page, as kernels take them.
  func block(_ part: Part, head: Int, of bytes: UnsafeRawPointer?) -> bb_kv_block {
    let first = bytes.map { $0 + head * headBytes + part.start }
    return bb_kv_block(
      format: part.format.kernelFormat, scale_format: scaleFormat, axis: part.axis.kernelAxis,
      group: group, entries: first.map { $0 + part.byteCount - part.entryBytes },
      scales: part.scaleBytes > 0 ? first : nil,
      offsets: part.hasOffsets ? first.map { $0 + part.scaleBytes } : nil)
  }
}
