import CZstd
import Tensors

/// One thread's zstd context and its buffers, which grow to the largest frame seen.
///
/// Sendable by rule: it is used by one thread at a time, the one that took it from its pool.
final class ZstdDecoder: @unchecked Sendable {
  private let context: OpaquePointer
  private let buffers = (GrowingBuffer<UInt8>(), GrowingBuffer<UInt8>(), GrowingBuffer<UInt8>())

  /// Makes a context.
  ///
  /// - Throws: `.tensors` when memory is short.
  init() throws(CheckpointError) {
    guard let context = ZSTD_createDCtx() else {
      throw .tensors("out of memory for a zstd context")
    }
    self.context = context
  }

  deinit { ZSTD_freeDCtx(context) }

  func input(_ size: Int) -> UnsafeMutableRawBufferPointer { buffers.0.bytes(size) }
  func output(_ size: Int) -> UnsafeMutableRawBufferPointer { buffers.1.bytes(size) }
  func joined(_ size: Int) -> UnsafeMutableRawBufferPointer { buffers.2.bytes(size) }

  /// Decodes one frame, whose hash was found right, that has to fill `output`; returns what is
  /// wrong, or nil.
  func decompress(
    _ input: UnsafeMutableRawBufferPointer, into output: UnsafeMutableRawBufferPointer
  ) -> String? {
    if StoredFrame.copy(.init(input), of: output.count, into: output) { return nil }
    let result = ZSTD_decompressDCtx(
      context, output.baseAddress, output.count, input.baseAddress, input.count)
    if ZSTD_isError(result) != 0 { return String(cString: ZSTD_getErrorName(result)) }
    return result == output.count ? nil : "contains \(result) bytes; \(output.count) expected"
  }

  /// Decodes the beginning of a frame that contains `count` bytes, as much as `output` takes; returns
  /// what is wrong, or nil. The checksum of the content stands behind all of it and is left to
  /// whoever reads the rest.
  func decompressStart(
    _ input: UnsafeMutableRawBufferPointer, of count: Int,
    into output: UnsafeMutableRawBufferPointer
  ) -> String? {
    if StoredFrame.copy(.init(input), of: count, into: output) { return nil }
    return stream(input, into: output)
  }

  /// The same by zstd, whatever the layout of the frame.
  func stream(
    _ input: UnsafeMutableRawBufferPointer, into output: UnsafeMutableRawBufferPointer
  ) -> String? {
    ZSTD_DCtx_reset(context, ZSTD_reset_session_only)
    var from = ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
    var to = ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
    while to.pos < to.size {
      let before = (from.pos, to.pos)
      let result = ZSTD_decompressStream(context, &to, &from)
      if ZSTD_isError(result) != 0 { return String(cString: ZSTD_getErrorName(result)) }
      guard (from.pos, to.pos) != before else {
        return "contains \(to.pos) bytes; \(output.count) expected"
      }
    }
    return nil
  }
}
