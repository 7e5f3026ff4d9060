import Tensors

/// One open shard: its tensors and its bytes.
struct TensorFile: Sendable {
  private let source: any ByteSource
  private let buffers: ReusePool<ReadBuffer>
  /// The tensors in the order of their bytes.
  let tensors: [TensorInfo]

  /// A file with these tensors; pieces of matrices are read into `buffers`, which several shards
  /// may share.
  init(_ source: any ByteSource, tensors: [TensorInfo], buffers: ReusePool<ReadBuffer>) {
    self.source = source
    self.tensors = tensors
    self.buffers = buffers
  }

  /// Reads and checks the header of a safetensors file.
  ///
  /// - Throws: see `SafetensorsHeader`.
  init(
    safetensors source: any ByteSource, shard: String,
    buffers: ReusePool<ReadBuffer> = ReusePool(ReadBuffer.init)
  ) throws(CheckpointError) {
    self.init(
      source, tensors: try SafetensorsHeader(of: source, shard: shard).tensors, buffers: buffers)
  }

  /// Reads bytes `range` of the tensor `info`, which belongs to this shard, as they are stored,
  /// into new memory.
  func storedBytes(
    of info: TensorInfo, _ range: Range<Int>
  ) throws(CheckpointError) -> AlignedBytes {
    let bytes = try memory(for: info, range.count)
    try bytes.withMutableBytes { (target) throws(CheckpointError) in
      try source.read(
        from: info.range.lowerBound + range.lowerBound, of: "tensor \(info.name)", into: target)
    }
    return bytes
  }

  /// Hands out bytes `range` of the tensor `info`, which belongs to this shard, as they are stored,
  /// in memory that the next piece is read into.
  func withStoredBytes(
    of info: TensorInfo, _ range: Range<Int>, _ body: (UnsafeRawBufferPointer) -> Void
  ) throws(CheckpointError) {
    try buffers.with { (buffer) throws(CheckpointError) in
      let bytes = buffer.memory.bytes(range.count)
      try source.read(
        from: info.range.lowerBound + range.lowerBound, of: "tensor \(info.name)", into: bytes)
      body(UnsafeRawBufferPointer(bytes))
    }
  }

  /// Reads the tensor `info`, which belongs to this shard, in its order.
  func bytes(of info: TensorInfo, workers: Int) throws(CheckpointError) -> AlignedBytes {
    if info.isAsStored { return try storedBytes(of: info, 0..<info.range.count) }
    let bytes = try memory(for: info, info.byteCount)
    let rowBytes = info.rowBytes
    try bytes.withMutableBytes { (target) throws(CheckpointError) in
      let shared = SharedTarget(target)
      try readRows(of: info, granularity: 1, workers: workers) { part, bytes in
        shared.part(part.lowerBound * rowBytes..<part.upperBound * rowBytes).copyMemory(from: bytes)
      }
    }
    let isSound = bytes.withBytes { info.values == nil || StoredValues.areFinite($0) }
    guard isSound else {
      throw .tensor(
        file: source.file, tensor: info.name, reason: "holds numbers that the family cannot have")
    }
    return bytes
  }

  private func memory(for info: TensorInfo, _ count: Int) throws(CheckpointError) -> AlignedBytes {
    do {
      return try AlignedBytes(count: count, zeroed: false)
    } catch {
      throw .tensors("\(source.file): tensor \(info.name): \(error)")
    }
  }

  /// Reads the matrix `info`, which belongs to this shard, in pieces of whole rows on up to
  /// `workers` threads.
  func readRows(
    of info: TensorInfo, granularity: Int, workers: Int,
    _ body: @Sendable (Range<Int>, UnsafeRawBufferPointer) -> Void
  ) throws(CheckpointError) {
    guard let rows = info.shape.first, rows > 0 else { return }
    let rowBytes = info.rowBytes
    let granularity = leastCommonMultiple(granularity, info.rowOrder?.granularity ?? 1)
    let unitBytes = max(rowBytes * granularity, 1)
    var ends: [Int] = []
    for cut in source.cuts(of: info.range) {
      let whole = (cut - info.range.lowerBound + unitBytes - 1) / unitBytes * granularity
      let end = min(whole, rows)
      if end > ends.last ?? 0 { ends.append(end) }
    }
    if ends.last != rows { ends.append(rows) }
    let pieces = ends
    try forEachInParallel(pieces.count, workers: workers) { (piece) throws(CheckpointError) in
      let part = (piece == 0 ? 0 : pieces[piece - 1])..<pieces[piece]
      try buffers.with { (buffer) throws(CheckpointError) in
        let bytes = buffer.memory.bytes(part.count * rowBytes)
        if let order = info.rowOrder {
          try read(part, of: info, rowBytes: rowBytes, order: order, buffer, into: bytes)
        } else {
          try source.read(
            from: info.range.lowerBound + part.lowerBound * rowBytes, of: "tensor \(info.name)",
            into: bytes)
        }
        if let order = info.columnOrder {
          let scratch = buffer.second.bytes(rowBytes)
          for row in 0..<part.count {
            let place = row * rowBytes..<(row + 1) * rowBytes
            order.arrange(UnsafeMutableRawBufferPointer(rebasing: bytes[place]), by: scratch)
          }
        }
        info.values?.restore(bytes)
        body(part, UnsafeRawBufferPointer(bytes))
      }
    }
  }

  /// Reads rows that are stored in another order: all at once where they stand together, else in
  /// runs.
  private func read(
    _ rows: Range<Int>, of info: TensorInfo, rowBytes: Int, order: RowOrder, _ buffer: ReadBuffer,
    into target: UnsafeMutableRawBufferPointer
  ) throws(CheckpointError) {
    let stored = rows.map(order.storedRow)
    func part(_ index: Int, _ count: Int) -> UnsafeMutableRawBufferPointer {
      UnsafeMutableRawBufferPointer(rebasing: target[index * rowBytes..<(index + count) * rowBytes])
    }
    guard let low = stored.min(), let high = stored.max() else { return }
    if high - low < rows.count {
      let together = buffer.second.bytes(rows.count * rowBytes)
      try source.read(
        from: info.range.lowerBound + low * rowBytes, of: "tensor \(info.name)", into: together)
      for (index, row) in stored.enumerated() {
        let from = (row - low) * rowBytes
        part(index, 1).copyMemory(
          from: UnsafeRawBufferPointer(rebasing: together[from..<from + rowBytes]))
      }
      return
    }
    var index = 0
    while index < stored.count {
      var end = index + 1
      while end < stored.count, stored[end] == stored[end - 1] + 1 { end += 1 }
      try source.read(
        from: info.range.lowerBound + stored[index] * rowBytes, of: "tensor \(info.name)",
        into: part(index, end - index))
      index = end
    }
  }

  /// Makes sure that the file is still the one that was opened.
  func verifyUnchanged() throws(CheckpointError) { try source.verifyUnchanged() }
}

private func leastCommonMultiple(_ a: Int, _ b: Int) -> Int {
  var (x, y) = (a, b)
  while y != 0 { (x, y) = (y, x % y) }
  return a / max(x, 1) * b
}

/// What a thread reads a piece into.
final class ReadBuffer: @unchecked Sendable {
  // Sendable by rule: one thread at a time has it, see `ReusePool`.
  let memory = GrowingBuffer<UInt8>()
  /// For what is put in order on the way.
  let second = GrowingBuffer<UInt8>()
}
