import KVLayout
import Kernels
import Tensors

/// Keys and values of up to 64 consecutive tokens of one layer, quantized, not, or on the way.
///
/// Sendable by rule: only the cache that alone holds a page writes to it. In a parallel region a
/// worker touches the bytes of KV heads of its own, and `coded` changes between regions.
final class KVPage: @unchecked Sendable {
  let layout: PageLayout
  /// Tokens, from the first, that have codes beside full precision.
  var coded = CodedTokens.zero
  private let meter: KVMeter
  private let storage: AlignedBytes

  /// An empty page.
  init(_ layout: PageLayout, meter: KVMeter) throws(TensorError) {
    self.layout = layout
    self.meter = meter
    storage = try AlignedBytes(count: layout.byteCount, from: meter.memory)
    for kind in KVMeter.Kind.allCases { meter.add(layout.byteCount(kind), kind) }
  }

  deinit {
    for kind in KVMeter.Kind.allCases { meter.remove(layout.byteCount(kind), kind) }
  }

  private var dimension: Int { layout.shape.headDimension }

  /// Whether its memory is to be given back; see `PageMoves`.
  var isToMove: Bool { storage.isInClosedSlab }

  /// A page with the same contents that nobody else holds.
  func copy() throws(TensorError) -> KVPage {
    let page = try KVPage(layout, meter: meter)
    page.coded = coded
    storage.withBytes { source in page.storage.withMutableBytes { $0.copyMemory(from: source) } }
    return page
  }

  /// Takes the 64 tokens of KV head `head` from another page; where the format of keys or values
  /// does not change, their bits stay.
  func fill(head: Int, from page: KVPage) {
    for half in PageHalf.allCases {
      let part = page.layout.part(half)
      if part.format.isQuantized && part.format != layout.part(half).format {
        page.withFloats(half, head: head, slots: 0..<PageLayout.tokens, of: [page]) {
          set(half, head: head, from: $0)
        }
      } else {
        page.withBlock(part, head: head) { set(half, head: head, from: $0) }
      }
    }
  }

  /// Rounds the tokens before `coded` in a page that holds both, all of them anew.
  func encode(to coded: CodedTokens) {
    for head in 0..<layout.shape.kvHeads { encode(head: head, from: .zero, to: coded) }
    self.coded = coded
  }

  /// Rounds some tokens of one head in a page that holds both; those before `done` keep the codes
  /// that they have.
  func encode(head: Int, from done: CodedTokens, to coded: CodedTokens) {
    guard let codes = layout.codes else { return }
    for (half, part) in [(PageHalf.keys, codes.keys), (.values, codes.values)]
    where part.format.isQuantized {
      withBlock(layout.part(half), head: head) {
        encode(
          half, from: $0, tokens: done[half]..<max(done[half], coded[half]), to: part, head: head)
      }
    }
  }

  /// Takes the entries of KV head `head` at `slots` of `pages`, counted from the first page, into
  /// the first slots of this page, of which none is read for a later one. A token whose scale is
  /// its own keeps its codes; where tokens share one, all are read before they are rounded
  /// together.
  func gather(head: Int, slots: some Collection<Int>, of pages: [KVPage]) {
    for half in PageHalf.allCases {
      let part = layout.part(half)
      withFloats(half, head: head, slots: slots, of: pages) { floats in
        guard layout.codes == nil, part.format.isQuantized, part.axis == .perToken else {
          return set(half, head: head, from: floats)
        }
        for (token, slot) in slots.enumerated() {
          let (page, index) = (pages[slot / PageLayout.tokens], slot % PageLayout.tokens)
          let source = page.part(half, at: index)
          if source.format == part.format {
            page.withBlock(source, head: head) { from in
              withBlock(part, head: head) {
                switch half {
                case .keys: bb_page_move_key(from, dimension, index, $0, token)
                case .values: bb_page_move_value(from, dimension, index, $0, token)
                }
              }
            }
          } else {
            encode(half, from: floats, tokens: token..<token + 1, to: part, head: head)
          }
        }
      }
    }
  }

  /// Sets all entries of one head from those of a block that is not quantized, or has the format of
  /// this page.
  private func set(_ half: PageHalf, head: Int, from block: UnsafePointer<bb_kv_block>) {
    let part = layout.part(half)
    let width = half == .keys ? PageLayout.tokens : dimension.roundedUp(toMultipleOf: 16)
    guard !withBlock(part, head: head, { part.take(block, width: width, to: $0) }) else { return }
    encode(half, from: block, tokens: 0..<PageLayout.tokens, to: part, head: head)
  }

  /// Rounds some tokens of a block of floats.
  private func encode(
    _ half: PageHalf, from block: UnsafePointer<bb_kv_block>, tokens: Range<Int>,
    to part: PageLayout.Part, head: Int
  ) {
    let kernels = bb_kernels().pointee
    withBlock(part, head: head) {
      (half == .keys ? kernels.encode_keys : kernels.encode_values)(
        block, dimension, tokens.lowerBound, tokens.upperBound, layout.scheme.kernelScheme, $0)
    }
  }

  /// Calls `body` with the entries of KV head `head` at `slots` of `pages` as a block of floats,
  /// zeros behind them.
  private func withFloats(
    _ half: PageHalf, head: Int, slots: some Collection<Int>, of pages: [KVPage],
    _ body: (UnsafePointer<bb_kv_block>) -> Void
  ) {
    let padded = dimension.roundedUp(toMultipleOf: 16)
    let count = PageLayout.tokens * padded
    withUnsafeTemporaryAllocation(of: Float.self, capacity: count + dimension) { scratch in
      guard let base = scratch.baseAddress else { return }
      if slots.count < PageLayout.tokens || padded > dimension { scratch.initialize(repeating: 0) }
      let key = base + count
      for (token, slot) in slots.enumerated() {
        let (page, index) = (pages[slot / PageLayout.tokens], slot % PageLayout.tokens)
        switch half {
        case .keys:
          page.readKey(head: head, slot: index, into: key)
          for i in 0..<dimension { base[i * PageLayout.tokens + token] = key[i] }
        case .values: page.readValue(head: head, slot: index, into: base + token * padded)
        }
      }
      let block = bb_kv_block(
        format: BB_KV_F32, scale_format: BB_F32, axis: BB_KV_ALONG_COMPONENTS, group: layout.group,
        entries: base, scales: nil, offsets: nil)
      withUnsafePointer(to: block, body)
    }
  }

  /// Stores the entries `[dimension]` of one token in KV head `head` of a page that still takes
  /// tokens, rotated as `rotation` says.
  func store(
    head: Int, key: UnsafePointer<Float>, value: UnsafePointer<Float>, slot: Int,
    rotation: KVRotation?
  ) {
    let (dimension, format) = (dimension, layout.keys.format == .f32 ? BB_F32 : BB_BF16)
    func store(_ key: UnsafePointer<Float>, _ value: UnsafePointer<Float>) {
      withBlocks(head: head) { toKeys, toValues in
        bb_page_store(
          format, key, value, dimension, slot,
          UnsafeMutableRawPointer(mutating: toKeys.pointee.entries),
          UnsafeMutableRawPointer(mutating: toValues.pointee.entries))
      }
    }
    guard let rotation else { return store(key, value) }
    withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * dimension) { scratch in
      guard let turned = scratch.baseAddress else { return }
      turned.initialize(from: key, count: dimension)
      (turned + dimension).initialize(from: value, count: dimension)
      if rotation.hasKeys { KVRotation.apply(turned, rows: 1, dimension: dimension) }
      if rotation.hasValues {
        KVRotation.apply(turned + dimension, rows: 1, dimension: dimension)
      }
      store(turned, turned + dimension)
    }
  }

  /// The page as the attention kernel takes it when every token is seen, valid while the page is;
  /// nil where it holds both forms.
  var whole: bb_kv_piece? {
    guard layout.codes == nil else { return nil }
    return storage.withBytes {
      layout.piece(
        layout.keys, layout.values, of: $0.baseAddress, tokens: 0..<PageLayout.tokens,
        seen: PageLayout.tokens)
    }
  }

  /// Appends the tokens from `start` to `count` as the attention kernel takes them, valid while the
  /// page is; in a page that holds both, the tokens before `seen` are codes. Of several tokens that
  /// attend, the first sees those before `least`, perhaps below 0, the next one more.
  func appendPieces(
    from start: Int = 0, count: Int, least: Int? = nil, coded seen: CodedTokens,
    to pieces: inout [bb_kv_piece]
  ) {
    storage.withBytes { bytes in
      func append(_ range: Range<Int>, _ keys: PageLayout.Part, _ values: PageLayout.Part) {
        pieces.append(
          layout.piece(keys, values, of: bytes.baseAddress, tokens: range, seen: least ?? count))
      }
      guard let codes = layout.codes else {
        return append(start..<count, layout.keys, layout.values)
      }
      var first = start
      while first < count {
        let (keysAreCoded, valuesAreCoded) = (first < seen.keys, first < seen.values)
        let end = min(count, keysAreCoded ? seen.keys : count, valuesAreCoded ? seen.values : count)
        append(
          first..<end, keysAreCoded ? codes.keys : layout.keys,
          valuesAreCoded ? codes.values : layout.values)
        first = end
      }
    }
  }

  /// Products of `queries` `[heads, dimension]` with the keys of KV head `kvHead`, `[heads, 64]`.
  /// In a page that holds both, those before `seen` are codes.
  func keyScores(
    queries: UnsafePointer<Float>, heads: Int, kvHead: Int, coded seen: CodedTokens,
    scores: UnsafeMutablePointer<Float>
  ) {
    withBlock(layout.keys, head: kvHead) {
      bb_kernels().pointee.key_scores(queries, heads, dimension, $0, scores)
    }
    guard let codes = layout.codes, seen.keys > 0 else { return }
    withUnsafeTemporaryAllocation(of: Float.self, capacity: heads * PageLayout.tokens) { scratch in
      guard let rounded = scratch.baseAddress else { return }
      withBlock(codes.keys, head: kvHead) {
        bb_kernels().pointee.key_scores(queries, heads, dimension, $0, rounded)
      }
      for head in 0..<heads {
        let at = head * PageLayout.tokens
        (scores + at).update(from: rounded + at, count: seen.keys)
      }
    }
  }

  /// Where the entry at `slot` lies: among codes, in a page that holds both too.
  private func part(_ half: PageHalf, at slot: Int) -> PageLayout.Part {
    guard let codes = layout.codes, slot < coded[half] else { return layout.part(half) }
    return half == .keys ? codes.keys : codes.values
  }

  /// Writes the key of KV head `head` at `slot` as floats `[dimension]`.
  func readKey(head: Int, slot: Int, into key: UnsafeMutablePointer<Float>) {
    withBlock(part(.keys, at: slot), head: head) { bb_page_read_key($0, dimension, slot, key) }
  }

  /// Writes the keys of KV head `head` in the first `count` slots as floats `[count, dimension]`.
  func readKeys(head: Int, count: Int, into rows: UnsafeMutablePointer<Float>) {
    func read(_ part: PageLayout.Part, _ slots: Range<Int>) {
      withBlock(part, head: head) { block in
        for slot in slots { bb_page_read_key(block, dimension, slot, rows + slot * dimension) }
      }
    }
    let split = min(coded.keys, count)
    if let codes = layout.codes { read(codes.keys, 0..<split) }
    read(layout.keys, split..<count)
  }

  /// Writes the value of KV head `head` at `slot` as floats `[dimension]`.
  func readValue(head: Int, slot: Int, into value: UnsafeMutablePointer<Float>) {
    withBlock(part(.values, at: slot), head: head) {
      bb_page_read_value($0, dimension, slot, value)
    }
  }

  private func withBlock<Result>(
    _ part: PageLayout.Part, head: Int, _ body: (UnsafePointer<bb_kv_block>) -> Result
  ) -> Result {
    storage.withBytes { bytes in
      withUnsafePointer(to: layout.block(part, head: head, of: bytes.baseAddress), body)
    }
  }

  private func withBlocks(
    head: Int, _ body: (UnsafePointer<bb_kv_block>, UnsafePointer<bb_kv_block>) -> Void
  ) {
    withBlock(layout.keys, head: head) { keys in
      withBlock(layout.values, head: head) { body(keys, $0) }
    }
  }
}

extension bb_kv_block {
  /// Where its bytes begin.
  fileprivate var first: UnsafeRawPointer? { scales ?? entries }
}

extension PageLayout.Part {
  /// Copies a block of this part's format, or converts one of floats, in rows of `width`, to it if
  /// it is not quantized; false where it has to be encoded.
  fileprivate func take(
    _ from: UnsafePointer<bb_kv_block>, width: Int, to: UnsafePointer<bb_kv_block>
  ) -> Bool {
    let target = UnsafeMutableRawPointer(mutating: to.pointee.first)
    guard let target, let source = from.pointee.first else { return true }
    if from.pointee.format == to.pointee.format {
      target.copyMemory(from: source, byteCount: byteCount)
      return true
    }
    if format.isQuantized { return false }
    let floats = source.assumingMemoryBound(to: Float.self)
    let pairs = target.assumingMemoryBound(to: UInt16.self)
    // In BF16 two neighbouring rows lie in pairs, an element of each side by side (`bb_kv_block`).
    withUnsafeTemporaryAllocation(of: UInt16.self, capacity: 2 * width) { rows in
      guard let base = rows.baseAddress else { return }
      for start in stride(from: 0, to: entryBytes / 2, by: 2 * width) {
        bb_kernels().pointee.narrow(floats + start, BB_BF16, base, 2 * width)
        for column in 0..<width {
          pairs[start + 2 * column] = base[column]
          pairs[start + 2 * column + 1] = base[width + column]
        }
      }
    }
    return true
  }
}
