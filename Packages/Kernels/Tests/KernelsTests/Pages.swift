import Kernels

/// The first tokens of a page of one head.
func piece(
  _ keys: UnsafePointer<bb_kv_block>, _ values: UnsafePointer<bb_kv_block>, count: Int
) -> bb_kv_piece {
  bb_kv_piece(
    keys: keys.pointee, values: values.pointee, head_bytes: 0, first: 0, last: count, seen: count,
    slopes: nil, position: 0)
}

/// A page of keys and values as floats.
struct FloatPage {
  let format: bb_kv_format
  var keyBytes: [UInt8]
  var valueBytes: [UInt8]

  /// keys and values: `[tokens][d]`, at most 64 tokens.
  init(_ format: bb_kv_format, d: Int, keys: ArraySlice<Float>, values: ArraySlice<Float>) {
    self.format = format
    let dv = (d + 15) / 16 * 16
    keyBytes = [UInt8](repeating: 0, count: (d + 1) / 2 * 2 * 64 * 4)
    valueBytes = [UInt8](repeating: 0, count: 64 * dv * 4)
    for slot in 0..<keys.count / d {
      bb_page_store(
        bb_float_format(format.rawValue), Array(keys.dropFirst(slot * d).prefix(d)),
        Array(values.dropFirst(slot * d).prefix(d)), d, slot, &keyBytes, &valueBytes)
    }
  }

  func withBlocks<Result>(
    _ body: (UnsafePointer<bb_kv_block>, UnsafePointer<bb_kv_block>) -> Result
  ) -> Result {
    keyBytes.withUnsafeBytes { keyBytes in
      valueBytes.withUnsafeBytes { valueBytes in
        func block(_ bytes: UnsafeRawBufferPointer) -> bb_kv_block {
          bb_kv_block(
            format: format, scale_format: BB_F32, axis: BB_KV_ALONG_COMPONENTS, group: 64,
            entries: bytes.baseAddress, scales: nil, offsets: nil)
        }
        return withUnsafePointer(to: block(keyBytes)) { keys in
          withUnsafePointer(to: block(valueBytes)) { body(keys, $0) }
        }
      }
    }
  }
}

/// A page of keys and values as codes.
final class CodedPage {
  private let d: Int
  private let keyEntries: UnsafeMutableRawPointer
  /// Entries, scales and offsets of keys, then of values, with zeros between them.
  let bytes: UnsafeRawBufferPointer
  private var blocks: (keys: bb_kv_block, values: bb_kv_block)

  /// Rounds a whole page of floats.
  init(
    _ format: bb_kv_format, of page: FloatPage, d: Int, keyAxis: bb_kv_axis = BB_KV_ALONG_TOKENS,
    group: Int, scheme: bb_kv_scheme, scaleFormat: bb_float_format, isa: bb_isa = BB_ISA_SCALAR
  ) {
    self.d = d
    let dv = (d + 15) / 16 * 16
    // Each at most as large as 64 x dv floats.
    let part = 64 * dv * 4
    keyEntries = .allocate(byteCount: 6 * part, alignment: 64)
    keyEntries.initializeMemory(as: UInt8.self, repeating: 0, count: 6 * part)
    bytes = UnsafeRawBufferPointer(start: keyEntries, count: 6 * part)
    func block(_ start: UnsafeMutableRawPointer, _ axis: bb_kv_axis) -> bb_kv_block {
      bb_kv_block(
        format: format, scale_format: scaleFormat, axis: axis, group: group, entries: start,
        scales: start + part,
        offsets: scheme == BB_KV_ASYMMETRIC || scheme == BB_KV_HQQ ? start + 2 * part : nil)
    }
    blocks = (
      block(keyEntries, keyAxis), block(keyEntries + 3 * part, BB_KV_ALONG_COMPONENTS)
    )
    page.withBlocks { keys, values in
      bb_kernels_for(isa).pointee.encode_keys(keys, d, 0, 64, scheme, &blocks.keys)
      bb_kernels_for(isa).pointee.encode_values(values, d, 0, 64, scheme, &blocks.values)
    }
  }

  deinit { keyEntries.deallocate() }

  func withBlocks<Result>(
    _ body: (UnsafePointer<bb_kv_block>, UnsafePointer<bb_kv_block>) -> Result
  ) -> Result {
    withUnsafePointer(to: blocks.keys) { keys in
      withUnsafePointer(to: blocks.values) { body(keys, $0) }
    }
  }

  /// The keys as they are stored, `[64][d]`.
  var keys: [Float] { rows { bb_page_read_key(&blocks.keys, d, $0, $1) } }
  /// The values as they are stored, `[64][d]`.
  var values: [Float] { rows { bb_page_read_value(&blocks.values, d, $0, $1) } }

  private func rows(_ read: (Int, UnsafeMutablePointer<Float>) -> Void) -> [Float] {
    var row = [Float](repeating: 0, count: d)
    return (0..<64).flatMap { slot in
      row.withUnsafeMutableBufferPointer { $0.baseAddress.map { read(slot, $0) } }
      return row
    }
  }
}
