import Foundation
import Testing

/// The flags for people who compare engines.
@Suite struct EngineFlagsTests {
  private static let vocabulary = 704

  /// The rows of a file of logits, whose header must be the one NumPy writes for this shape.
  private func rows(_ file: String, count: Int) throws -> [[Float]] {
    let data = try Data(contentsOf: URL(fileURLWithPath: file))
    let start = 10 + Int(data[8]) + 256 * Int(data[9])
    #expect(data.prefix(8) == Data([0x93]) + Data("NUMPY".utf8) + Data([1, 0]))
    #expect(start % 64 == 0)
    let header = String(decoding: data[10..<start], as: UTF8.self)
    let shape = "'shape': (\(count), \(Self.vocabulary))"
    #expect(header.hasPrefix("{'descr': '<f4', 'fortran_order': False, \(shape)"))
    let values = data[start...].withUnsafeBytes { bytes in
      stride(from: 0, to: bytes.count - 3, by: 4).map {
        Float(
          bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: $0, as: UInt32.self))
        )
      }
    }
    try #require(values.count == count * Self.vocabulary)
    return (0..<count).map { Array(values[($0 * Self.vocabulary)...].prefix(Self.vocabulary)) }
  }

  @Test func greedyIDsAreTheLogitsLargest() throws {
    let folder = try TemporaryFolder()
    let copy = try ModelCopy(in: folder)
    for file in ["tokenizer.json", "tokenizer_config.json"] { try copy.remove(file) }
    let prompt = [1, 40, 77, 105, 6]
    let common = ["--model", copy.path, "--kv", "f32"]
    let greedy = try folder.run(
      .generate,
      common + [
        "--ids", text(prompt), "--greedy", "--ignore-eos", "--max-tokens", "12", "--print-ids",
      ])
    #expect(greedy.isSuccess)
    #expect(greedy.ids.count == 12)
    let all = prompt + greedy.ids.dropLast()
    let file = folder.path("logits.npy")
    let logits = try folder.run(.generate, common + ["--ids", text(all), "--logits", file])
    #expect(logits.isSuccess)
    let likeliest = try rows(file, count: all.count).map { row in
      row.indices.max { row[$0] < row[$1] }
    }
    #expect(Array(likeliest.dropFirst(prompt.count - 1)) == greedy.ids)
  }

  @Test func withoutTokenizerThereIsNoText() throws {
    let folder = try TemporaryFolder()
    let copy = try ModelCopy(in: folder)
    for file in ["tokenizer.json", "tokenizer_config.json"] { try copy.remove(file) }
    let outcome = try folder.run(.generate, ["--model", copy.path, "--prompt", "hi"])
    expectRefusal(outcome, naming: [copy.path, "tokenizer", "--ids"])
  }

  private func text(_ ids: [Int]) -> String { ids.map(String.init).joined(separator: ",") }
}
