import Foundation
import Testing

@testable import ModelLoader

@Suite("Shards and their index")
struct WeightFilesTests {
  private static let first = safetensors(
    header: #"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}"#, data: [1, 2])
  private static let second = safetensors(
    header: #"{"b":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}"#, data: [3, 4])

  /// A model folder inside a temporary one, with two shards and this index.
  private func folder(
    index: String =
      #"{"metadata":{"total_size":4},"weight_map":{"a":"1.safetensors","b":"2.safetensors"}}"#
  ) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try folder.write("{}", to: "m/config.json")
    try folder.write(index, to: "m/model.safetensors.index.json")
    try folder.write(Self.first, to: "m/1.safetensors")
    try folder.write(Self.second, to: "m/2.safetensors")
    return folder
  }

  private func open(_ folder: TemporaryFolder) throws -> Checkpoint {
    try Checkpoint(directory: folder.url.appendingPathComponent("m"))
  }

  @Test("the size in the index does not matter", arguments: ["4", "0", "-1", "1e30", "\"x\""])
  func reads(size: String) throws {
    let map = #"{"a":"1.safetensors","b":"2.safetensors"}"#
    let folder = try folder(index: "{\"metadata\":{\"total_size\":\(size)},\"weight_map\":\(map)}")
    let checkpoint = try open(folder)
    #expect(try checkpoint.tensor(named: "b").bytes.withBytes { [UInt8]($0) } == [3, 4])
    #expect(checkpoint.tensors["a"]?.shard == "1.safetensors")
  }

  @Test(
    "names that leave the folder are refused though the file is there",
    arguments: [
      "../outside.safetensors", "sub/../../outside.safetensors", "", ".", "..", "./1.safetensors",
      "sub//x.safetensors", "1.safetensors\\u0000", "ABSOLUTE",
    ])
  func leaving(name: String) throws {
    let folder = try TemporaryFolder()
    let path = name == "ABSOLUTE" ? folder.path("outside.safetensors") : name
    try folder.write("{}", to: "m/config.json")
    try folder.write("{\"weight_map\":{\"a\":\"\(path)\"}}", to: "m/model.safetensors.index.json")
    for file in ["outside.safetensors", "m/1.safetensors", "m/sub/x.safetensors"] {
      try folder.write(Self.first, to: file)
    }
    let text = message { _ = try open(folder) }
    #expect(
      text?.contains("weight_map.a: expected the name of a file") == true, "\(text ?? "opened")")
  }

  @Test("files in a folder below and the links of a hub cache work")
  func inside() throws {
    let folder = try TemporaryFolder()
    try folder.write("{}", to: "snapshots/r/config.json")
    try folder.write(Self.first, to: "blobs/0a")
    try folder.write(Self.second, to: "snapshots/r/sub/2.safetensors")
    try folder.write(
      #"{"weight_map":{"a":"1.safetensors","b":"sub/2.safetensors"}}"#,
      to: "snapshots/r/model.safetensors.index.json")
    try FileManager.default.createSymbolicLink(
      atPath: folder.path("snapshots/r/1.safetensors"), withDestinationPath: "../../blobs/0a")
    let checkpoint = try Checkpoint(directory: folder.url.appendingPathComponent("snapshots/r"))
    #expect(checkpoint.tensors.count == 2)
    #expect(try checkpoint.tensor(named: "a").bytes.withBytes { [UInt8]($0) } == [1, 2])
  }

  @Test(
    "a damaged shard is named", arguments: ["missing", "empty", "short", "exchanged", "folder"])
  func damaged(how: String) throws {
    let folder = try folder()
    try FileManager.default.removeItem(atPath: folder.path("m/2.safetensors"))
    switch how {
    case "empty": try folder.write([], to: "m/2.safetensors")
    case "short": try folder.write(Array(Self.second.dropLast()), to: "m/2.safetensors")
    case "exchanged": try folder.write(Self.first, to: "m/2.safetensors")
    case "folder": try folder.write("", to: "m/2.safetensors/x")
    default: break
    }
    #expect(message { _ = try open(folder) }?.contains("m/2.safetensors: ") == true)
  }

  @Test(
    "maps that map nothing or nonsense",
    arguments: [
      #"{"weight_map":[]}"#, #"{"weight_map":{"a":1}}"#, #"{"weight_map":{}}"#, "{}", "[]", "",
      #"{"weight_map":{"a":"1.saf"#, #"{"weight_map":{"a":null}}"#, #"{"weight_map":null}"#,
      #"{"weight_map":{"a":"1.safetensors","a":"2.safetensors"}}"#,
      #"{"weight_map":{"b":"1.safetensors"}}"#,
    ])
  func maps(index: String) throws {
    let folder = try folder(index: index)
    #expect(message { _ = try open(folder) }?.contains(folder.path("m")) == true)
  }
}
