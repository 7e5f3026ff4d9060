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
}
