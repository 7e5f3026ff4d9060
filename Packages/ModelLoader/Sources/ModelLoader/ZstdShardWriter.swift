import Synchronization
import Tensors

/// Writes a compressed shard piece by piece. The layout is described at `SeekTable`.
final class ZstdShardWriter: ShardWriter {
  /// Content of one frame, in bytes: small enough for the caches of a core, large enough to lose
  /// nothing.
  static let frameSize = 1 << 20
  private let output: OutputFile
  private let workers: Int
  private let encoders = ReusePool(ZstdEncoder.init)
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
    try forEachInParallel(pieces.count, workers: workers) {
      [encoders] (index) throws(CheckpointError) in
      let bytes = try encoders.with { (encoder) throws(CheckpointError) in
        try encoder.compress(source.part(pieces[index]), transform)
      }
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
