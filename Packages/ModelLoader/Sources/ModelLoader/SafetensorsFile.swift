import Tensors

/// One open shard: its header and its bytes.
struct SafetensorsFile: Sendable {
  private let source: any ByteSource
  private let buffers: ReusePool<ReadBuffer>
  /// The tensors in the order of their bytes.
  let tensors: [TensorInfo]

  /// Reads and checks the header; pieces of matrices are read into `buffers`, which several shards may share.
  ///
  /// - Throws: see `SafetensorsHeader`.
  init(
    _ source: any ByteSource, shard: String,
    buffers: ReusePool<ReadBuffer> = ReusePool(ReadBuffer.init)
  ) throws(CheckpointError) {
    self.source = source
    self.buffers = buffers
    self.tensors = try SafetensorsHeader(of: source, shard: shard).tensors
  }

  /// Reads bytes `range` of the tensor `info`, which belongs to this shard, into new memory.
  func bytes(of info: TensorInfo, _ range: Range<Int>) throws(CheckpointError) -> AlignedBytes {
    let bytes: AlignedBytes
    do {
      bytes = try AlignedBytes(count: range.count, zeroed: false)
    } catch {
      throw .tensors("\(source.file): tensor \(info.name): \(error)")
    }
    try bytes.withMutableBytes { (target) throws(CheckpointError) in
      try source.read(
        from: info.range.lowerBound + range.lowerBound, of: "tensor \(info.name)", into: target)
    }
    return bytes
  }

  /// Reads the matrix `info`, which belongs to this shard, in pieces of whole rows on up to `workers` threads.
  func readRows(
    of info: TensorInfo, grain: Int, workers: Int,
    _ body: @Sendable (Range<Int>, UnsafeRawBufferPointer) -> Void
  ) throws(CheckpointError) {
    guard let rows = info.shape.first, rows > 0 else { return }
    let rowBytes = info.range.count / rows
    let step = max(source.pieceSize / max(rowBytes, 1) / grain, 1) * grain
    try forEachInParallel((rows + step - 1) / step, workers: workers) {
      (piece) throws(CheckpointError) in
      let part = piece * step..<min((piece + 1) * step, rows)
      try buffers.with { (buffer) throws(CheckpointError) in
        let bytes = buffer.memory.bytes(part.count * rowBytes)
        try source.read(
          from: info.range.lowerBound + part.lowerBound * rowBytes, of: "tensor \(info.name)",
          into: bytes)
        body(part, UnsafeRawBufferPointer(bytes))
      }
    }
  }

  /// Makes sure that the file is still the one that was opened.
  func verifyUnchanged() throws(CheckpointError) { try source.verifyUnchanged() }
}

/// What a thread reads a piece into.
final class ReadBuffer: @unchecked Sendable {
  // Sendable by rule: one thread at a time has it, see `ReusePool`.
  let memory = GrowingBuffer<UInt8>()
}
