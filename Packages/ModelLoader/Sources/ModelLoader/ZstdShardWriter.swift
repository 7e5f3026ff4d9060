import CZstd
import Synchronization
import Tensors

/// Writes a compressed shard piece by piece. The layout is described at `SeekTable`.
final class ZstdShardWriter: ShardWriter {
  /// Content of one frame, in bytes: small enough for the caches of a core, large enough to lose
  /// nothing.
  static let frameSize = 1 << 20
  /// The zstd level. Weights have no repetitions to find, only skewed bytes, which every level
  /// codes alike.
  static let level: Int32 = 1

  private let output: OutputFile
  private let workers: Int
  private var frames: [SeekTable.Frame] = []

  init(_ output: OutputFile, workers: Int) {
    self.output = output
    self.workers = workers
  }

  func append(_ bytes: UnsafeRawBufferPointer, dtype: DType?) throws(CheckpointError) {
    let transform: SeekTable.Transform = dtype?.bits == 16 ? .bytePlanes : .none
    let pieces = stride(from: 0, to: bytes.count, by: Self.frameSize)
      .map { $0..<min($0 + Self.frameSize, bytes.count) }
    let source = SharedSource(bytes)
    let compressed = Mutex([[UInt8]](repeating: [], count: pieces.count))
    let file = output.path
    try forEachInParallel(
      pieces.count, workers: workers,
      state: { () throws(CheckpointError) in try ZstdEncoder(file: file, level: Self.level) }
    ) { (encoder, index) throws(CheckpointError) in
      let bytes = try encoder.compress(source.part(pieces[index]), transform)
      compressed.withLock { $0[index] = bytes }
    }
    for (piece, bytes) in zip(pieces, compressed.withLock { $0 }) {
      try output.write(bytes)
      frames.append(
        .init(
          compressedSize: bytes.count, contentSize: piece.count, transform: transform,
          hash: bytes.withUnsafeBytes(XXH64.hash)))
    }
  }

  func finish() throws(CheckpointError) {
    try output.write(SeekTable(frames: frames).encoded(file: output.path))
    try output.close()
  }
}

/// One thread's zstd context for writing.
final class ZstdEncoder {
  private let context: OpaquePointer
  private let file: String
  private var planes = ScratchBuffer()

  init(file: String, level: Int32) throws(CheckpointError) {
    guard let context = ZSTD_createCCtx() else {
      throw .tensors("\(file): out of memory for a zstd context")
    }
    self.context = context
    self.file = file
    for (parameter, value) in [(ZSTD_c_compressionLevel, level), (ZSTD_c_checksumFlag, 1)] {
      let result = ZSTD_CCtx_setParameter(context, parameter, value)
      guard ZSTD_isError(result) == 0 else { throw failure(result) }
    }
  }

  deinit {
    ZSTD_freeCCtx(context)
    planes.free()
  }

  /// One frame of `content`.
  func compress(
    _ content: UnsafeRawBufferPointer, _ transform: SeekTable.Transform
  ) throws(CheckpointError) -> [UInt8] {
    var content = content
    if transform == .bytePlanes {
      let split = planes.take(content.count)
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
    return frame
  }

  private func failure(_ result: Int) -> CheckpointError {
    .tensors("\(file): zstd: \(String(cString: ZSTD_getErrorName(result)))")
  }
}
