import CZstd
import Tensors

/// One thread's zstd context for writing.
///
/// Sendable by rule: it is used by one thread at a time, the one that took it from its pool.
final class ZstdEncoder: @unchecked Sendable {
  /// Weights have skewed bytes but no repetitions: a search for matches finds only accidental ones,
  /// which cost more than they save. A hash table of 64 entries all but turns it off, so that zstd
  /// codes literals alone; against level 1 that is 2 % smaller, twice as fast to write and half as
  /// fast again to read.
  private static let parameters: [(ZSTD_cParameter, Int32)] = [
    (ZSTD_c_compressionLevel, 1), (ZSTD_c_strategy, Int32(ZSTD_fast.rawValue)),
    (ZSTD_c_minMatch, 7), (ZSTD_c_hashLog, 6), (ZSTD_c_checksumFlag, 1),
  ]

  private let context: OpaquePointer
  private let planes = GrowingBuffer<UInt8>()

  /// Makes a context.
  ///
  /// - Throws: `.tensors` when memory is short.
  init() throws(CheckpointError) {
    guard let context = ZSTD_createCCtx() else {
      throw .tensors("out of memory for a zstd context")
    }
    self.context = context
    for (parameter, value) in Self.parameters {
      let result = ZSTD_CCtx_setParameter(context, parameter, value)
      guard ZSTD_isError(result) == 0 else { throw failure(result) }
    }
  }

  deinit { ZSTD_freeCCtx(context) }

  /// One frame of `content`.
  func compress(
    _ content: UnsafeRawBufferPointer, _ transform: SeekTable.Transform
  ) throws(CheckpointError) -> [UInt8] {
    var content = content
    if transform == .bytePlanes {
      let split = planes.bytes(content.count)
      BytePlanes.split(content, into: split)
      content = UnsafeRawBufferPointer(split)
    }
    let bound = ZSTD_compressBound(content.count)
    var result = 0
    let frame = [UInt8](unsafeUninitializedCapacity: bound) { target, filled in
      result = ZSTD_compress2(
        context, target.baseAddress, bound, content.baseAddress, content.count)
      filled = ZSTD_isError(result) == 0 ? result : 0
    }
    guard ZSTD_isError(result) == 0 else { throw failure(result) }
    return result <= content.count - content.count / Self.leastSaving
      ? frame : StoredFrame.encoded(content)
  }

  /// The part of its bytes that a frame has to save to be worth its decoding, which takes longer
  /// than all else that is done to it. Codes of 8 bits in groups save less, those of 4 bits more.
  private static let leastSaving = 8

  private func failure(_ result: Int) -> CheckpointError {
    .tensors("zstd: \(String(cString: ZSTD_getErrorName(result)))")
  }
}
