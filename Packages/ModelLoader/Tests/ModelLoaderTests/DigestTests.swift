import Foundation
import Tensors
import Testing

@testable import ModelLoader

@Suite("Digests")
struct DigestTests {
  private func hex(_ bytes: [UInt8]) -> String {
    bytes.map { String(format: "%02x", $0) }.joined()
  }

  @Test(
    "SHA-256 of known texts",
    arguments: [
      ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
      ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
      (
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
      ),
      (
        String(repeating: "a", count: 100_000),
        "6d1cf22d7cc09b085dfc25ee1a1f3ae0265804c607bc2074ad253bcc82fd81ee"
      ),
    ])
  func examples(text: String, digest: String) {
    let bytes = Array(text.utf8)
    var whole = SHA256()
    whole.update(bytes)
    #expect(hex(whole.finish()) == digest)
    // In pieces that do not fit the blocks.
    var pieces = SHA256()
    for start in stride(from: 0, to: bytes.count, by: 37) {
      pieces.update(Array(bytes[start..<min(start + 37, bytes.count)]))
    }
    #expect(hex(pieces.finish()) == digest)
  }

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
