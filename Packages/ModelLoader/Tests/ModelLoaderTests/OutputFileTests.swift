import Foundation
import Testing

@testable import ModelLoader

@Suite("Output files")
struct OutputFileTests {
  @Test func writesOnce() throws {
    let folder = try TemporaryFolder()
    let file = try OutputFile(creating: folder.path("f"))
    try file.write([1, 2])
    try file.write([3])
    #expect(file.count == 3)
    var back = [UInt8](repeating: 0, count: 2)
    try back.withUnsafeMutableBytes { try file.read(from: 1, into: $0) }
    #expect(back == [2, 3])
    try file.close()
    #expect(try folder.read("f") == [1, 2, 3])
    #expect(throws: CheckpointError.self) { try file.write([4]) }
    #expect(throws: CheckpointError.self) { try OutputFile(creating: folder.path("f")) }
  }

  @Test("a full disk is told as such")
  func full() throws {
    // The device that is always full; creating it exclusively is not possible.
    #expect(
      CheckpointError.system(path: "/dev/full", action: "writing", code: ENOSPC).description
        == "/dev/full: writing failed: No space left on device")
  }

  @Test("the file-size limit of the process is an error, not a signal")
  func limit() throws {
    let folder = try TemporaryFolder()
    let file = try OutputFile(creating: folder.path("f"), limit: 4)
    try file.write([1, 2, 3])
    #expect(
      throws: CheckpointError.system(path: folder.path("f"), action: "writing", code: EFBIG)
    ) { try file.write([4, 5]) }
    #expect(OutputFile.sizeLimit() > 0)
  }
}
