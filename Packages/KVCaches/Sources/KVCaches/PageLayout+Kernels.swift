import KVLayout
import Kernels

extension PageLayout {
  /// Bytes of a page that are held for `kind`.
  func byteCount(_ kind: KVMeter.Kind) -> Int {
    let bytes =
      switch kind {
      case .exact: parts.reduce(0) { $0 + ($1.format.isQuantized ? 0 : $1.entryBytes) }
      case .codes: parts.reduce(0) { $0 + ($1.format.isQuantized ? $1.entryBytes : 0) }
      case .scales: parts.reduce(0) { $0 + $1.byteCount - $1.entryBytes }
      case .eviction, .fixed: 0
      }
    return shape.kvHeads * bytes
  }

  /// Some tokens of a page, as the attention kernel takes them.
  func piece(
    _ keys: Part, _ values: Part, of bytes: UnsafeRawPointer?, tokens: Range<Int>, seen: Int
  ) -> bb_kv_piece {
    bb_kv_piece(
      keys: block(keys, head: 0, of: bytes), values: block(values, head: 0, of: bytes),
      head_bytes: headBytes, first: tokens.lowerBound, last: tokens.upperBound, seen: seen,
      slopes: nil, position: 0)
  }

  /// The keys or values of head `head` in the bytes of a page, as kernels take them.
  func block(_ part: Part, head: Int, of bytes: UnsafeRawPointer?) -> bb_kv_block {
    let first = bytes.map { $0 + head * headBytes + part.start }
    return bb_kv_block(
      format: part.format.kernelFormat, scale_format: hasWideScales ? BB_F32 : BB_F16,
      axis: part.axis.kernelAxis, group: group,
      entries: first.map { $0 + part.byteCount - part.entryBytes },
      scales: part.scaleBytes > 0 ? first : nil,
      offsets: part.hasOffsets ? first.map { $0 + part.scaleBytes } : nil)
  }
}
