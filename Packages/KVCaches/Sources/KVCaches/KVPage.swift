import Kernels
import Tensors

/// Keys and values of up to 64 consecutive tokens of one layer, in one format.
///
/// For each KV head the keys come first, `[dimension][64]` (so that a vector holds the same component of 16
/// tokens), then the values, `[64][dimension rounded up to 16]`.
final class KVPage {
  /// Tokens a page holds.
  static let tokens = Int(BB_PAGE)

  let format: KVFormat
  private let shape: KVShape
  private let meter: KVMeter
  private let storage: AlignedBytes

  init(shape: KVShape, format: KVFormat, meter: KVMeter) throws(TensorError) {
    self.shape = shape
    self.format = format
    self.meter = meter
    storage = try AlignedBytes(count: Self.byteCount(shape: shape, format: format))
    meter.add(storage.count)
  }

  deinit { meter.remove(storage.count) }

  /// A page with the same contents that nobody else holds.
  func copy() throws(TensorError) -> KVPage {
    let page = try KVPage(shape: shape, format: format, meter: meter)
    storage.withBytes { source in page.storage.withMutableBytes { $0.copyMemory(from: source) } }
    return page
  }

  static func byteCount(shape: KVShape, format: KVFormat) -> Int {
    shape.kvHeads * headBytes(shape: shape, format: format)
  }

  private static func headBytes(shape: KVShape, format: KVFormat) -> Int {
    let padded = shape.headDimension.roundedUp(toMultipleOf: 16)
    return tokens * (shape.headDimension + padded) * format.bytesPerValue
  }

  /// Stores one token: `keys` and `values` are `[kvHeads, dimension]`.
  func store(keys: UnsafePointer<Float>, values: UnsafePointer<Float>, slot: Int) {
    storage.withMutableBytes { bytes in
      for head in 0..<shape.kvHeads {
        let at = head * shape.headDimension
        let (keyBase, valueBase) = pointers(UnsafeRawBufferPointer(bytes), head: head)
        bb_page_store(
          format.kernelFormat, keys + at, values + at, shape.headDimension, slot,
          UnsafeMutableRawPointer(mutating: keyBase), UnsafeMutableRawPointer(mutating: valueBase))
      }
    }
  }

  /// Lets `heads` queries `[heads, dimension]` of KV head `head` attend to the first `count` tokens; see the kernel.
  func attend(
    queries: UnsafePointer<Float>, heads: Int, kvHead: Int, count: Int, scale: Float,
    state: UnsafeMutablePointer<Float>
  ) {
    storage.withBytes { bytes in
      let (keys, values) = pointers(bytes, head: kvHead)
      bb_kernels().pointee.attend(
        queries, heads, shape.headDimension, keys, values, format.kernelFormat, count, scale, state)
    }
  }

  /// Writes the first `count` keys of KV head `head` as floats `[count, dimension]`.
  func copyKeys(head: Int, count: Int, into rows: UnsafeMutablePointer<Float>) {
    let dimension = shape.headDimension
    storage.withBytes { bytes in
      let keys = pointers(bytes, head: head).keys
      withUnsafeTemporaryAllocation(of: Float.self, capacity: Self.tokens) { line in
        guard let keys, let from = line.baseAddress else { return }
        for index in 0..<dimension {
          let offset = index * Self.tokens * format.bytesPerValue
          bb_kernels().pointee.widen(keys + offset, format.kernelFormat, from, Self.tokens)
          for token in 0..<count { rows[token * dimension + index] = from[token] }
        }
      }
    }
  }

  /// Products of `queries` `[heads, dimension]` with the first `count` keys of KV head `head`, `[heads, 64]`.
  func keyScores(
    queries: UnsafePointer<Float>, heads: Int, kvHead: Int, count: Int,
    scores: UnsafeMutablePointer<Float>
  ) {
    storage.withBytes { bytes in
      bb_kernels().pointee.key_scores(
        queries, heads, shape.headDimension, pointers(bytes, head: kvHead).keys,
        format.kernelFormat, count, scores)
    }
  }

  /// Takes the entries of KV head `head` at `slots` of `pages`, counted from the first page, into the first slots of this
  /// page.
  func gather(head: Int, slots: ArraySlice<Int>, of pages: [KVPage]) {
    if format == .f32 {
      gather(UInt32.self, head: head, slots: slots, of: pages)
    } else {
      gather(UInt16.self, head: head, slots: slots, of: pages)
    }
  }

  private func gather<Element: FixedWidthInteger>(
    _ element: Element.Type, head: Int, slots: ArraySlice<Int>, of pages: [KVPage]
  ) {
    let dimension = shape.headDimension
    let padded = dimension.roundedUp(toMultipleOf: 16)
    storage.withMutableBytes { target in
      let (to, toValues) = pointers(UnsafeRawBufferPointer(target), head: head)
      guard let to, let toValues else { return }
      let keys = UnsafeMutableRawPointer(mutating: to).assumingMemoryBound(to: Element.self)
      let values = UnsafeMutableRawPointer(mutating: toValues)
        .assumingMemoryBound(to: Element.self)
      for (token, slot) in slots.enumerated() {
        pages[slot / Self.tokens].storage.withBytes { source in
          let (from, fromValues) = pages[slot / Self.tokens].pointers(source, head: head)
          guard let from, let fromValues else { return }
          let column = from.assumingMemoryBound(to: Element.self) + slot % Self.tokens
          for index in 0..<dimension {
            keys[index * Self.tokens + token] = column[index * Self.tokens]
          }
          let row = fromValues.assumingMemoryBound(to: Element.self)
          (values + token * padded).update(from: row + slot % Self.tokens * padded, count: padded)
        }
      }
    }
  }

  private func pointers(
    _ bytes: UnsafeRawBufferPointer, head: Int
  ) -> (keys: UnsafeRawPointer?, values: UnsafeRawPointer?) {
    let start = bytes.baseAddress.map { $0 + head * Self.headBytes(shape: shape, format: format) }
    let values = start.map { $0 + Self.tokens * shape.headDimension * format.bytesPerValue }
    return (start, values)
  }
}
