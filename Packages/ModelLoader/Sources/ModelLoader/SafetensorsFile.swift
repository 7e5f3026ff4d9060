import Tensors

/// One open shard: its header and its bytes.
struct SafetensorsFile: Sendable {
  private let source: any ByteSource
  /// The tensors in the order of their bytes.
  let tensors: [TensorInfo]

  /// Reads and checks the header.
  ///
  /// - Throws: see `SafetensorsHeader`.
  init(_ source: any ByteSource, shard: String) throws(CheckpointError) {
    self.source = source
    self.tensors = try SafetensorsHeader(of: source, shard: shard).tensors
  }

  /// Reads bytes `range` of the tensor `info`, which belongs to this shard, into new memory.
  func bytes(of info: TensorInfo, _ range: Range<Int>) throws(CheckpointError) -> AlignedBytes {
    let bytes: AlignedBytes
    do {
      bytes = try AlignedBytes(count: range.count)
    } catch {
      throw .tensors("\(source.file): tensor \(info.name): \(error)")
    }
    try bytes.withMutableBytes { (target) throws(CheckpointError) in
      try source.read(
        from: info.range.lowerBound + range.lowerBound, of: "tensor \(info.name)", into: target)
    }
    return bytes
  }

  /// Makes sure that the file is still the one that was opened.
  func verifyUnchanged() throws(CheckpointError) { try source.verifyUnchanged() }
}
