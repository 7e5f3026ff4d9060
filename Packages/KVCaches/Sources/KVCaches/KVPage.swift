import Kernels
import Tensors

/// Keys and values of up to 64 consecutive tokens of one layer, quantized or not.
final class KVPage {
  /// Tokens a page holds.
  static let tokens = Int(BB_PAGE)

  let layout: PageLayout
  private let meter: KVMeter
  private let storage: AlignedBytes

  /// An empty page.
  init(_ layout: PageLayout, meter: KVMeter) throws(TensorError) {
    self.layout = layout
    self.meter = meter
    storage = try AlignedBytes(count: layout.byteCount)
    for kind in KVMeter.Kind.allCases { meter.add(layout.byteCount(kind), kind) }
  }

  deinit {
    for kind in KVMeter.Kind.allCases { meter.remove(layout.byteCount(kind), kind) }
  }

  private var dimension: Int { layout.shape.headDimension }

  /// A page with the same contents that nobody else holds.
  func copy() throws(TensorError) -> KVPage {
    let page = try KVPage(layout, meter: meter)
    storage.withBytes { source in page.storage.withMutableBytes { $0.copyMemory(from: source) } }
    return page
  }

  /// The same 64 tokens, rounded to codes as `layout` says.
  func quantized(_ layout: PageLayout, scheme: KVScheme) throws(TensorError) -> KVPage {
    let page = try KVPage(layout, meter: meter)
    for head in 0..<layout.shape.kvHeads {
      withBlocks(head: head) { keys, values in
        page.withBlocks(head: head) { toKeys, toValues in
          let count = dimension
          if layout.keys.format.isQuantized {
            bb_page_encode_keys(keys, count, scheme.kernelScheme, toKeys)
          } else {
            copy(keys, layout.keys, to: toKeys)
          }
          if layout.values.format.isQuantized {
            bb_page_encode_values(values, count, scheme.kernelScheme, toValues)
          } else {
            copy(values, layout.values, to: toValues)
          }
        }
      }
    }
    return page
  }

  private func copy(
    _ from: UnsafePointer<bb_kv_block>, _ part: PageLayout.Part, to: UnsafePointer<bb_kv_block>
  ) {
    UnsafeMutableRawPointer(mutating: to.pointee.entries)
      .copyMemory(from: from.pointee.entries, byteCount: part.entryBytes)
  }

  /// Stores one token in a page that is not quantized: `keys` and `values` are `[kvHeads, dimension]`.
  func store(keys: UnsafePointer<Float>, values: UnsafePointer<Float>, slot: Int) {
    for head in 0..<layout.shape.kvHeads {
      store(
        key: keys + head * dimension, value: values + head * dimension, head: head, slot: slot)
    }
  }

  /// Stores one head's key and value, each `[dimension]`, in a page that is not quantized.
  func store(key: UnsafePointer<Float>, value: UnsafePointer<Float>, head: Int, slot: Int) {
    let format = layout.keys.format == .f32 ? BB_F32 : BB_BF16
    withBlocks(head: head) { keys, values in
      bb_page_store(
        format, key, value, dimension, slot,
        UnsafeMutableRawPointer(mutating: keys.pointee.entries),
        UnsafeMutableRawPointer(mutating: values.pointee.entries))
    }
  }

  /// Lets `heads` queries `[heads, dimension]` of KV head `kvHead` attend to the first `count` tokens; see the kernel.
  func attend(
    queries: UnsafePointer<Float>, heads: Int, kvHead: Int, count: Int, scale: Float,
    state: UnsafeMutablePointer<Float>
  ) {
    withBlocks(head: kvHead) { keys, values in
      bb_kernels().pointee.attend(queries, heads, dimension, keys, values, count, scale, state)
    }
  }

  /// Products of `queries` `[heads, dimension]` with the keys of KV head `kvHead`, `[heads, 64]`.
  func keyScores(
    queries: UnsafePointer<Float>, heads: Int, kvHead: Int, scores: UnsafeMutablePointer<Float>
  ) {
    withBlocks(head: kvHead) { keys, _ in
      bb_kernels().pointee.key_scores(queries, heads, dimension, keys, scores)
    }
  }

  /// Writes the key of KV head `head` at `slot` as floats `[dimension]`.
  func readKey(head: Int, slot: Int, into key: UnsafeMutablePointer<Float>) {
    withBlocks(head: head) { keys, _ in bb_page_read_key(keys, dimension, slot, key) }
  }

  /// Writes the value of KV head `head` at `slot` as floats `[dimension]`.
  func readValue(head: Int, slot: Int, into value: UnsafeMutablePointer<Float>) {
    withBlocks(head: head) { _, values in bb_page_read_value(values, dimension, slot, value) }
  }

  /// Takes the entries of KV head `head` at `slots` of `pages`, counted from the first page, into the first slots of this
  /// page, which is not quantized.
  func gather(head: Int, slots: ArraySlice<Int>, of pages: [KVPage]) {
    withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * dimension) { room in
      guard let key = room.baseAddress else { return }
      for (token, slot) in slots.enumerated() {
        let (page, index) = (pages[slot / Self.tokens], slot % Self.tokens)
        page.readKey(head: head, slot: index, into: key)
        page.readValue(head: head, slot: index, into: key + dimension)
        store(key: key, value: key + dimension, head: head, slot: token)
      }
    }
  }

  private func withBlocks(
    head: Int, _ body: (UnsafePointer<bb_kv_block>, UnsafePointer<bb_kv_block>) -> Void
  ) {
    storage.withBytes { bytes in
      guard let base = bytes.baseAddress else { return }
      let keys = layout.block(layout.keys, head: head, of: base)
      let values = layout.block(layout.values, head: head, of: base)
      withUnsafePointer(to: keys) { keys in withUnsafePointer(to: values) { body(keys, $0) } }
    }
  }
}
