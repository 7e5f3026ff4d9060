/// A compressed shard, read at any place and by several threads. The layout is described at
/// `SeekTable`.
final class ZstdShard: ByteSource {
  /// What the names of compressed files end in.
  static let suffix = ".zst"

  let file: String
  let count: Int
  private let source: FileSource
  private let frames: [SeekTable.Frame]
  /// Where each frame begins in the file, and its content in the whole content; one more entry for
  /// the end.
  private let starts: [(file: Int, content: Int)]
  private let workers: Int
  private let decoders: ReusePool<ZstdDecoder>

  /// Reads the seek table; contents are decoded by up to `workers` threads with `decoders`, which
  /// several shards may share.
  ///
  /// - Throws: see `SeekTable`.
  init(
    _ source: FileSource, workers: Int,
    decoders: ReusePool<ZstdDecoder> = ReusePool(ZstdDecoder.init)
  ) throws(CheckpointError) {
    let frames = try SeekTable(of: source).frames
    var starts = [(file: 0, content: 0)]
    starts.reserveCapacity(frames.count + 1)
    var next = (file: 0, content: 0)
    for frame in frames {
      next = (next.file + frame.compressedSize, next.content + frame.contentSize)
      starts.append(next)
    }
    self.file = source.file
    self.count = next.content
    self.source = source
    self.frames = frames
    self.starts = starts
    self.workers = workers
    self.decoders = decoders
  }

  func verifyUnchanged() throws(CheckpointError) { try source.verifyUnchanged() }

  /// Frames that one thread reads together, beside the one that its last row reaches into.
  private static let framesOfPiece = 4

  /// Between frames: what reaches into the next one takes its beginning only.
  func cuts(of range: Range<Int>) -> [Int] {
    var cuts = [range.lowerBound]
    if !range.isEmpty {
      let (first, last) = (frame(at: range.lowerBound), frame(at: range.upperBound - 1))
      for frame in stride(
        from: first + Self.framesOfPiece, through: last, by: Self.framesOfPiece)
      {
        cuts.append(starts[frame].content)
      }
    }
    return cuts + [range.upperBound]
  }

  func read(
    from offset: Int, of part: String, into target: UnsafeMutableRawBufferPointer
  ) throws(CheckpointError) {
    let wanted = offset..<offset + target.count
    guard !wanted.isEmpty else { return }
    guard wanted.upperBound <= count else {
      throw .truncated(file: file, expected: wanted.upperBound, found: count)
    }
    let first = frame(at: wanted.lowerBound)
    let last = frame(at: wanted.upperBound - 1)
    let shared = SharedTarget(target)
    let count = last - first + 1
    // A piece, and the beginning of the frame behind it, is one thread's work.
    let workers = count <= Self.framesOfPiece + 1 ? 1 : workers
    try forEachInParallel(count, workers: workers) { (index) throws(CheckpointError) in
      try decoders.with { (decoder) throws(CheckpointError) in
        try decode(first + index, with: decoder, of: part, wanted: wanted, into: shared)
      }
    }
  }

  /// The frame that contains the byte `offset` of the content.
  private func frame(at offset: Int) -> Int {
    var low = 0
    var high = frames.count - 1
    while low < high {
      let middle = (low + high + 1) / 2
      if starts[middle].content <= offset { low = middle } else { high = middle - 1 }
    }
    return low
  }

  /// Decodes one frame and puts what is wanted of it into `target`, which stands for `wanted`.
  private func decode(
    _ index: Int, with decoder: ZstdDecoder, of part: String, wanted: Range<Int>,
    into target: SharedTarget
  ) throws(CheckpointError) {
    let frame = frames[index]
    let start = starts[index]
    func damaged(_ reason: String) -> CheckpointError {
      .damaged(
        file: file, part: part, reason: "frame \(index) at byte \(start.file): \(reason)")
    }
    let compressed = decoder.input(frame.compressedSize)
    try source.read(from: start.file, of: part, into: compressed)
    guard XXH64.hash(UnsafeRawBufferPointer(compressed)) == frame.hash else {
      throw damaged("checksum differs")
    }
    let content = start.content..<start.content + frame.contentSize
    let overlap = content.clamped(to: wanted)
    let place = target.part(
      overlap.lowerBound - wanted.lowerBound..<overlap.upperBound - wanted.lowerBound)
    let isWhole = overlap == content
    if frame.transform == .none, !isWhole, overlap.lowerBound == content.lowerBound {
      if let reason = decoder.decompressStart(compressed, of: frame.contentSize, into: place) {
        throw damaged(reason)
      }
      return
    }
    // What needs neither transform nor cutting is decoded in place.
    let output =
      isWhole && frame.transform == .none ? place : decoder.output(frame.contentSize)
    if let reason = decoder.decompress(compressed, into: output) { throw damaged(reason) }
    switch frame.transform {
    case .none where isWhole: break
    case .bytePlanes where isWhole:
      BytePlanes.join(UnsafeRawBufferPointer(output), into: place)
    case .bytePlanes:
      let joined = decoder.joined(frame.contentSize)
      BytePlanes.join(UnsafeRawBufferPointer(output), into: joined)
      copy(joined, from: overlap.lowerBound - content.lowerBound, into: place)
    case .none:
      copy(output, from: overlap.lowerBound - content.lowerBound, into: place)
    }
  }

  private func copy(
    _ source: UnsafeMutableRawBufferPointer, from offset: Int,
    into target: UnsafeMutableRawBufferPointer
  ) {
    target.copyMemory(
      from: UnsafeRawBufferPointer(rebasing: source[offset..<offset + target.count]))
  }
}
