import Foundation
import Synchronization
import Testing

@testable import ModelLoader

@Suite("Checkpoint folders")
struct CheckpointTests {
  @Test func foldersThatAreNone() throws {
    let folder = try TemporaryFolder()
    #expect(
      message { _ = try Checkpoint(directory: folder.url.appendingPathComponent("no")) }?
        .contains("not found (model folder)") == true)
    try folder.write("x", to: "file")
    #expect(
      message { _ = try Checkpoint(directory: folder.url.appendingPathComponent("file")) }?
        .contains("not a folder") == true)
    #expect(message { _ = try Checkpoint(directory: folder.url) }?.contains("config.json") == true)
    try folder.write("{}", to: "config.json")
    #expect(
      message { _ = try Checkpoint(directory: folder.url) }?
        .contains("model.safetensors.index.json: not found") == true)
  }

  @Test("a pipe in place of a file is an error, not a wait")
  func pipe() throws {
    let folder = try TemporaryFolder()
    #expect(mkfifo(folder.path("config.json"), 0o600) == 0)
    #expect(
      message { _ = try Checkpoint(directory: folder.url) }?.contains("not a regular") == true)
  }

  @Test func tensorsThatAreNotThere() throws {
    let folder = try TemporaryFolder()
    let checkpoint = try folder.checkpoint(smallFile)
    #expect(checkpoint.contains("a") && !checkpoint.contains("x"))
    let missing = CheckpointError.noTensor(directory: folder.url.path, tensor: "x")
    #expect(throws: missing) { try checkpoint.tensor(named: "x") }
    #expect(message { _ = try checkpoint.linear(named: "x") }?.contains("x.weight") == true)
    #expect(message { _ = try checkpoint.floats(named: "a") }?.contains("U8") == true)
  }

  @Test("a matrix in pieces has the bytes of the whole", arguments: [(700, 1001), (3, 5)])
  func rows(count: Int, columns: Int) throws {
    let size = count * columns * 2
    let data = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) }
    let folder = try TemporaryFolder()
    let header =
      "{\"l.weight\":{\"dtype\":\"BF16\",\"shape\":[\(count),\(columns)],\"data_offsets\":[0,\(size)]}}"
    let plain = try folder.checkpoint(safetensors(header: header, data: data))
    let compressed = try TemporaryFolder()
    try compressed.write("{}", to: "config.json")
    let writer = ZstdShardWriter(
      try OutputFile(creating: compressed.path("model.safetensors.zst")), workers: 1)
    try safetensors(header: header).withUnsafeBytes { try writer.append($0, dtype: nil) }
    try data.withUnsafeBytes { try writer.append($0, dtype: .bf16) }
    try writer.finish()
    for checkpoint in [plain, try Checkpoint(directory: compressed.url, workers: 3)] {
      let info = try #require(try checkpoint.denseLinear(named: "l"))
      let found = Mutex([UInt8](repeating: 0, count: size))
      let seen = Mutex([Range<Int>]())
      try checkpoint.readRows(of: info, granularity: 16) { rows, bytes in
        seen.withLock { $0.append(rows) }
        let place = rows.lowerBound * columns * 2..<rows.upperBound * columns * 2
        found.withLock { $0.replaceSubrange(place, with: bytes) }
      }
      #expect(found.withLock { $0 } == data)
      let parts = seen.withLock { $0.sorted { $0.lowerBound < $1.lowerBound } }
      #expect(parts.allSatisfy { $0.lowerBound % 16 == 0 })
      #expect(parts.reduce(0) { $0 + $1.count } == count)
    }
  }

  @Test("a file that is cut short while its rows are read is an error")
  func rowsOfAFileThatChanges() throws {
    let folder = try TemporaryFolder()
    let checkpoint = try folder.checkpoint(smallFile)
    let info = try checkpoint.info(of: "b")
    try folder.write(Array(smallFile.dropLast(8)), to: "model.safetensors")
    #expect(
      message { try checkpoint.readRows(of: info) { _, _ in } }?.contains("model.safetensors")
        == true)
  }

  @Test(
    "a dense linear layer is a matrix of floats",
    arguments: [
      ("F32", "[2,1]", true), ("BF16", "[1,4]", true), ("U8", "[2,4]", false),
      ("BOOL", "[2,4]", false), ("F32", "[2]", false), ("F16", "[1,2,2]", false),
    ])
  func dense(dtype: String, shape: String, works: Bool) throws {
    let folder = try TemporaryFolder()
    let checkpoint = try folder.checkpoint(
      safetensors(
        header: "{\"l.weight\":{\"dtype\":\"\(dtype)\",\"shape\":\(shape),\"data_offsets\":[0,8]}}",
        data: [UInt8](repeating: 0, count: 8)))
    let text = message { _ = try checkpoint.linear(named: "l") }
    #expect(text == nil ? works : !works && text?.contains("l.weight") == true)
  }
}
