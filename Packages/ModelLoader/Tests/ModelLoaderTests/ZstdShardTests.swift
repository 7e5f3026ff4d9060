import CZstd
import Foundation
import Tensors
import Testing

@testable import ModelLoader

@Suite("The compressed form")
struct ZstdShardTests {
  /// A small shard with every kind of frame: header, planes, bytes, and one tensor of two frames.
  private func shard(in folder: TemporaryFolder, name: String = "model.safetensors.zst") throws {
    var builder = try ShardBuilder(spool: folder.path("spool"))
    try builder.append(sampleWeights([8, 9]), named: "bf16")
    try builder.append(
      Tensor(elements: (0..<40).map { UInt8($0 * $0 % 251) }, .u8, shape: [40], name: "u8"),
      named: "u8")
    try builder.append(sampleWeights([8], .f16), named: "f16")
    try builder.finish(
      into: ZstdShardWriter(OutputFile(creating: folder.path(name)), workers: 2))
    try folder.write("{}", to: "config.json")
  }

  @Test("any part can be read, whatever the frames")
  func randomAccess() throws {
    let folder = try TemporaryFolder()
    let count = 2 * ZstdShardWriter.frameSize + 1000
    let values = (0..<count / 2).map { UInt16(truncatingIfNeeded: $0 &* 40_503) }
    let writer = ZstdShardWriter(try OutputFile(creating: folder.path("f.zst")), workers: 1)
    try values.withUnsafeBytes { try writer.append($0, dtype: .bf16) }
    try [UInt8](1...9).withUnsafeBytes { try writer.append($0, dtype: nil) }
    try writer.finish()
    let content = values.withUnsafeBytes { [UInt8]($0) } + [UInt8](1...9)
    for workers in [1, 3] {
      let shard = try ZstdShard(
        FileSource(path: folder.path("f.zst"), what: "test"), workers: workers)
      #expect(shard.count == content.count)
      let edge = ZstdShardWriter.frameSize
      for range in [
        0..<content.count, 0..<1, 1..<2, edge - 1..<edge + 1, edge..<edge, edge..<2 * edge,
        edge + 3..<2 * edge + 5, content.count - 10..<content.count,
        content.count - 1..<content.count,
      ] {
        let read = try shard.bytes(range, of: "test")
        #expect(read == Array(content[range]), "\(range)")
      }
      #expect(throws: CheckpointError.self) {
        try shard.bytes(content.count - 1..<content.count + 1, of: "test")
      }
    }
  }

  @Test("frames are ordinary zstd frames with checksums, the table one that tools skip")
  func framesAreZstd() throws {
    let folder = try TemporaryFolder()
    try shard(in: folder)
    let file = try folder.read("model.safetensors.zst")
    var offset = 0
    var contents = 0
    while offset < file.count {
      try file.withUnsafeBytes { bytes in
        let rest = UnsafeRawBufferPointer(rebasing: bytes[offset...])
        let size = ZSTD_findFrameCompressedSize(rest.baseAddress, rest.count)
        try #require(ZSTD_isError(size) == 0)
        let content = ZSTD_getFrameContentSize(rest.baseAddress, rest.count)
        if rest[0] == 0x28 {
          #expect(rest[4] & 4 != 0, "content checksum of the frame at \(offset)")
          #expect(content > 0 && content <= UInt64(SeekTable.contentLimit))
          contents += Int(content)
        }
        offset += size
      }
    }
    let source = try FileSource(path: folder.path("model.safetensors.zst"), what: "test")
    #expect(try ZstdShard(source, workers: 1).count == contents)
  }

  @Test("every flipped bit is an error that names the shard, and the tensor if it is in one")
  func flippedBits() throws {
    let folder = try TemporaryFolder()
    try shard(in: folder)
    let path = folder.path("model.safetensors.zst")
    let intact = try folder.read("model.safetensors.zst")
    let tensors = try WeightFiles(in: folder.url.path, workers: 1).tensors
    #expect(tensors.count == 3)
    let table = try SeekTable(of: FileSource(path: path, what: "test"))
    // Frame 0 is the header; then one frame per tensor in the order of the shard.
    let ordered = tensors.values.sorted { $0.range.lowerBound < $1.range.lowerBound }
    var owners = [String](repeating: "", count: table.frames[0].compressedSize)
    for (frame, tensor) in zip(table.frames.dropFirst(), ordered) {
      owners += [String](repeating: "tensor \(tensor.name):", count: frame.compressedSize)
    }
    let file = try #require(FileHandle(forWritingAtPath: path))
    func write(_ byte: UInt8, at offset: Int) throws {
      try file.seek(toOffset: UInt64(offset))
      try file.write(contentsOf: [byte])
    }
    var undetected: [Int] = []
    var unnamed: [Int] = []
    for bit in 0..<intact.count * 8 {
      try write(intact[bit / 8] ^ 1 << (bit % 8), at: bit / 8)
      let text = message {
        let files = try WeightFiles(in: folder.url.path, workers: 1)
        for tensor in ordered {
          _ = try files.shards[tensor.shard]?.storedBytes(of: tensor, 0..<tensor.range.count)
        }
      }
      try write(intact[bit / 8], at: bit / 8)
      let owner = bit / 8 < owners.count ? owners[bit / 8] : ""
      if let text {
        let isNamed = text.contains(path) && (owner.isEmpty || text.contains(owner))
        if !isNamed { unnamed.append(bit) }
      } else {
        undetected.append(bit)
      }
    }
    #expect(undetected.isEmpty)
    #expect(unnamed.isEmpty)
  }

  @Test("cut files", arguments: [0, 1, 31, 40, 100])
  func cut(kept: Int) throws {
    let folder = try TemporaryFolder()
    try shard(in: folder)
    let bytes = try folder.read("model.safetensors.zst")
    for size in [kept, bytes.count - 1 - kept] {
      try folder.write(Array(bytes.prefix(size)), to: "model.safetensors.zst")
      #expect(
        message { _ = try Checkpoint(directory: folder.url) }?.contains("model.safetensors.zst")
          == true)
    }
  }
}
