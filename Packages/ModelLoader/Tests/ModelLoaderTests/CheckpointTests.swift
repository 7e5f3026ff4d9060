import Foundation
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

  @Test(
    "a shard that changes while it is open", arguments: ["rewritten", "cut", "replaced", "removed"])
  func changed(how: String) throws {
    let folder = try TemporaryFolder()
    let checkpoint = try folder.checkpoint(smallFile)
    _ = try checkpoint.tensor(named: "a")
    let path = folder.path("model.safetensors")
    switch how {
    case "rewritten":
      let file = try #require(FileHandle(forWritingAtPath: path))
      try file.seekToEnd()
      try file.seek(toOffset: UInt64(smallFile.count - 1))
      // The clock of the file system may be coarser than this test is fast.
      usleep(20_000)
      try file.write(contentsOf: [1])
    case "cut": #expect(truncate(path, off_t(smallFile.count - 1)) == 0)
    case "replaced":
      try FileManager.default.removeItem(atPath: path)
      try folder.write(smallFile, to: "model.safetensors")
    default: try FileManager.default.removeItem(atPath: path)
    }
    #expect(
      message { _ = try checkpoint.tensor(named: "a") }?.contains("changed while in use") == true)
    #expect(message { try checkpoint.verifyUnchanged() }?.contains(path) == true)
  }

  @Test("large tensors are the same with one reader and with several")
  func parallel() throws {
    let count = 17 << 20
    var data = [UInt8](repeating: 0, count: count)
    for position in stride(from: 0, to: count, by: 4096) {
      data[position] = UInt8(truncatingIfNeeded: position >> 12 &* 37)
    }
    let folder = try TemporaryFolder()
    let header = "{\"t\":{\"dtype\":\"U8\",\"shape\":[\(count)],\"data_offsets\":[0,\(count)]}}"
    _ = try folder.checkpoint(safetensors(header: header, data: data))
    for workers in [1, 3] {
      let checkpoint = try Checkpoint(directory: folder.url, workers: workers)
      let read = try checkpoint.tensor(named: "t").bytes.withBytes { [UInt8]($0) }
      #expect(read == data)
    }
  }
}
