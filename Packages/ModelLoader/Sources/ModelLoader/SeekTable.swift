import CZstd

/// The table of frames at the end of a compressed shard, `*.safetensors.zst`.
///
/// The shard is a sequence of zstd frames whose contents, one after the other, are the bytes of a
/// safetensors file, followed by one skippable frame with this table. All integers are
/// little-endian.
///
/// | bytes | content |
/// |---|---|
/// | 4 | 0x184D2A5B, the magic number of a skippable frame |
/// | 4 | size of all that follows: 20 n + 32 |
/// | 20 n | for each frame: u32 compressed size, u32 content size (1...16 MiB), u32 transform, u64 XXH64 of the compressed frame |
/// | 8 | n, the number of frames |
/// | 8 | sum of the content sizes: the size of the safetensors file |
/// | 8 | XXH64 of the 20 n + 16 bytes before |
/// | 8 | `BBZSEEK1` |
///
/// Transform 0 leaves the content as it is; 1 says that it is 16-bit elements split into a plane of
/// low bytes and a plane of high bytes. The first frames hold the header; each further frame holds
/// bytes of one tensor, so that damage can be told by the tensor. Every frame also carries zstd's
/// own content checksum. What compression would shrink by less than an eighth stands in a frame as
/// it is, in raw blocks, which read several times as fast. The hash of the compressed bytes is
/// there because zstd frames contain bits that decoders ignore.
struct SeekTable: Equatable {
  /// What was done to the content of a frame before it was compressed.
  enum Transform: UInt32 {
    case none = 0
    case bytePlanes = 1
  }

  /// One frame.
  struct Frame: Equatable {
    /// Size in the file.
    let compressedSize: Int
    /// Size of what it contains.
    let contentSize: Int
    let transform: Transform
    /// XXH64 of the compressed bytes.
    let hash: UInt64
  }

  /// The most that one frame may contain, in bytes.
  static let contentLimit = 16 << 20

  private static let magic: UInt64 = 0x184D_2A5B
  private static let mark = Array("BBZSEEK1".utf8)
  private static let entrySize = 20
  private static let footerSize = 32
  private static let prefixSize = 8

  /// The frames in the order of their contents, which is that of the file.
  let frames: [Frame]

  // MARK: Writing

  /// The skippable frame.
  ///
  /// - Throws: `.unsupported` when the frames are too many for its size field.
  func encoded(file: String) throws(CheckpointError) -> [UInt8] {
    let size = frames.count * Self.entrySize + Self.footerSize
    guard size <= Int(UInt32.max) else {
      throw .unsupported(file: file, feature: "a shard of \(frames.count) frames")
    }
    var payload: [UInt8] = []
    payload.reserveCapacity(size)
    for frame in frames {
      payload.append(UInt64(frame.compressedSize), size: 4)
      payload.append(UInt64(frame.contentSize), size: 4)
      payload.append(UInt64(frame.transform.rawValue), size: 4)
      payload.append(frame.hash, size: 8)
    }
    payload.append(UInt64(frames.count), size: 8)
    payload.append(UInt64(frames.reduce(0) { $0 + $1.contentSize }), size: 8)
    payload.append(payload.withUnsafeBytes(XXH64.hash), size: 8)
    var bytes: [UInt8] = []
    bytes.append(Self.magic, size: 4)
    bytes.append(UInt64(size), size: 4)
    return bytes + payload + Self.mark
  }

  init(frames: [Frame]) { self.frames = frames }

  // MARK: Reading

  /// Reads the table at the end of `file` and checks it against the size of the file.
  ///
  /// - Throws: `.damaged` or `.truncated`.
  init(of source: FileSource) throws(CheckpointError) {
    let file = source.file
    func damaged(_ reason: String) -> CheckpointError {
      .damaged(file: file, part: "seek table", reason: reason)
    }
    let size = source.count
    guard size >= Self.prefixSize + Self.footerSize else {
      throw .truncated(file: file, expected: Self.prefixSize + Self.footerSize, found: size)
    }
    let footer = try source.bytes(size - Self.footerSize..<size, of: "seek table")
    guard footer.suffix(8) == Self.mark[...] else {
      throw damaged("the file does not end with the mark of a seek table; is it cut off?")
    }
    let count = footer.integer(at: 0, size: 8)
    guard count <= UInt64((size - Self.prefixSize - Self.footerSize) / Self.entrySize) else {
      throw damaged("\(count) frames do not fit into a file of \(size) bytes")
    }
    let payloadSize = Int(count) * Self.entrySize + Self.footerSize
    let start = size - payloadSize - Self.prefixSize
    let table = try source.bytes(start..<size, of: "seek table")
    let payload = table[Self.prefixSize...]
    let hash = payload.dropLast(16).withUnsafeBytes(XXH64.hash)
    guard table.integer(at: 0, size: 4) == Self.magic,
      table.integer(at: 4, size: 4) == UInt64(payloadSize), footer.integer(at: 16, size: 8) == hash
    else { throw damaged("checksum or size differs") }
    var frames: [Frame] = []
    frames.reserveCapacity(Int(count))
    for index in 0..<Int(count) {
      let entry = Self.prefixSize + index * Self.entrySize
      let frame = Frame(
        compressedSize: Int(table.integer(at: entry, size: 4)),
        contentSize: Int(table.integer(at: entry + 4, size: 4)),
        transform: Transform(rawValue: UInt32(table.integer(at: entry + 8, size: 4))) ?? .none,
        hash: table.integer(at: entry + 12, size: 8))
      guard (1...Self.contentLimit).contains(frame.contentSize),
        frame.compressedSize <= ZSTD_compressBound(frame.contentSize),
        UInt64(frame.transform.rawValue) == table.integer(at: entry + 8, size: 4),
        frame.transform == .none || frame.contentSize % 2 == 0
      else { throw damaged("frame \(index) is described by impossible values") }
      frames.append(frame)
    }
    // Neither sum can overflow: at most 2^58 entries of 32 bits.
    let contentSize = frames.reduce(0) { $0 + $1.contentSize }
    let compressedSize = frames.reduce(0) { $0 + $1.compressedSize }
    guard UInt64(contentSize) == footer.integer(at: 8, size: 8), compressedSize == start else {
      throw damaged("frames of \(compressedSize) bytes in a file that holds \(start)")
    }
    self.frames = frames
  }
}

extension [UInt8] {
  /// Appends the lowest `size` bytes of `value`, lowest first.
  mutating func append(_ value: UInt64, size: Int) {
    for byte in 0..<size { append(UInt8(truncatingIfNeeded: value >> (8 * byte))) }
  }

  /// The little-endian integer of `size` bytes at `offset`, which have to be there.
  func integer(at offset: Int, size: Int) -> UInt64 {
    self[offset..<offset + size].reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}
