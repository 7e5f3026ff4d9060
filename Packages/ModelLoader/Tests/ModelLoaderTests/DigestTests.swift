import Foundation
import Tensors
import Testing

@testable import ModelLoader

@Suite("Digests")
struct DigestTests {
  @Test("the digest of a checkpoint is that of its tensors, however stored")
  func checkpoint() throws {
    let folder = try TemporaryFolder()
    let outputs = try TemporaryFolder()
    let source = try folder.checkpoint(smallFile)
    let digest = try source.digest()
    #expect(digest.count == 64)
    let layouts = try [
      CheckpointLayout(container: .safetensors, shardLimit: 8), CheckpointLayout(container: .zstd),
    ]
    for (number, layout) in layouts.enumerated() {
      let target = outputs.url.appendingPathComponent("\(number)")
      let writer = try CheckpointWriter(target: target, source: source, layout: layout)
      for name in ["c", "a", "b"] {
        try writer.append(source.tensor(named: name), named: name)
      }
      try writer.finish(record: ["a": 1])
      #expect(try Checkpoint(directory: target).digest() == digest)
    }
    let text = String(decoding: smallFile.dropFirst(8).dropLast(14), as: UTF8.self)
    for (old, new) in [("\"a\"", "\"x\""), ("[2]", "[2,1]"), ("\"U8\"", "\"I8\"")] {
      let changed = safetensors(
        header: text.replacing(old, with: new), data: Array(smallFile.suffix(14)))
      #expect(changed != smallFile)
      #expect(try folder.checkpoint(changed).digest() != digest)
    }
    var flipped = smallFile
    flipped[flipped.count - 1] ^= 1
    #expect(try folder.checkpoint(flipped).digest() != digest)
  }
}
