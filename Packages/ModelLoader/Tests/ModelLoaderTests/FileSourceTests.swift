import Foundation
import Testing

@testable import ModelLoader

@Suite("Files while they are open")
struct FileSourceTests {
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
