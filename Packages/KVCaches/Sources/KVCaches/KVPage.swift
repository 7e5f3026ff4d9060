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

  private func pointers(
    _ bytes: UnsafeRawBufferPointer, head: Int
  ) -> (keys: UnsafeRawPointer?, values: UnsafeRawPointer?) {
    let start = bytes.baseAddress.map { $0 + head * Self.headBytes(shape: shape, format: format) }
    let values = start.map { $0 + Self.tokens * shape.headDimension * format.bytesPerValue }
    return (start, values)
  }
}
