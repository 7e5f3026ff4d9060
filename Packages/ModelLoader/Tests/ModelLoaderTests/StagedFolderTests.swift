import Foundation
import Testing

@testable import ModelLoader

@Suite("Folders that appear whole or not at all")
struct StagedFolderTests {
  private func stage(
    _ folder: TemporaryFolder, _ name: String = "out", replacing: Bool = false,
    source: String? = nil
  ) throws -> StagedFolder {
    try StagedFolder(
      target: folder.url.appendingPathComponent(name), replacing: replacing,
      source: source.map { folder.url.appendingPathComponent($0) })
  }

  @Test func appearsOnlyWhenPublished() throws {
    let folder = try TemporaryFolder()
    let staged = try stage(folder)
    try OutputFile.write([1, 2], to: staged.path + "/file")
    #expect(try folder.names() == [".out.lock", ".out.partial"])
    try staged.publish()
    #expect(try folder.names() == ["out"])
    #expect(try folder.read("out/file") == [1, 2])
    staged.discard()
    #expect(try folder.names() == ["out"])
  }

  @Test func discardedLeavesNothing() throws {
    let folder = try TemporaryFolder()
    do {
      let staged = try stage(folder)
      try OutputFile.write([1], to: staged.path + "/file")
      #expect(try folder.names() == [".out.lock", ".out.partial"])
    }
    #expect(try folder.names() == [])
  }

  @Test("targets that are taken", arguments: [false, true])
  func taken(replacing: Bool) throws {
    let folder = try TemporaryFolder()
    try folder.write("x", to: "file")
    try folder.write("x", to: "papers/thesis.tex")
    try folder.write("{}", to: "model/config.json")
    try folder.write("{}", to: "model/bitbudget.json")
    #expect(throws: CheckpointError.self) { try stage(folder, "file", replacing: replacing) }
    #expect(throws: CheckpointError.self) { try stage(folder, "papers", replacing: replacing) }
    #expect((message { _ = try stage(folder, "model", replacing: replacing) } == nil) == replacing)
    #expect(try folder.names() == ["file", "model", "papers"])
  }

  @Test func replacesAModel() throws {
    let folder = try TemporaryFolder()
    try folder.write("{}", to: "out/config.json")
    try folder.write("{}", to: "out/bitbudget.json")
    try folder.write("old", to: "out/model-00001-of-00002.safetensors")
    let staged = try stage(folder, replacing: true)
    try OutputFile.write([7], to: staged.path + "/new")
    #expect(try folder.read("out/model-00001-of-00002.safetensors") == Array("old".utf8))
    try staged.publish()
    #expect(try folder.names() == ["out"])
    #expect(try folder.read("out/new") == [7])
    #expect(throws: (any Error).self) { try folder.read("out/config.json") }
  }

  /// Of what nobody here wrote nothing is deleted: other files, and models of others.
  @Test(
    "folders that hold more than a model",
    arguments: ["notes.txt", "model-backup.safetensors", "checkpoint/optimizer.pt"])
  func keepsWhatIsNoModel(name: String) throws {
    let folder = try TemporaryFolder()
    try folder.write("{}", to: "out/config.json")
    #expect(message { _ = try stage(folder, replacing: true) }?.contains("not be replaced") == true)
    try folder.write("{}", to: "out/bitbudget.json")
    try folder.write("mine", to: "out/\(name)")
    let first = name.split(separator: "/")[0]
    #expect(message { _ = try stage(folder, replacing: true) }?.contains(first) == true)
    #expect(try folder.read("out/\(name)") == Array("mine".utf8))
  }

  @Test(
    "the source, what is in it and what holds it", arguments: ["m", "m/sub", ".", "link", "link/x"])
  func source(name: String) throws {
    let folder = try TemporaryFolder()
    try folder.write("{}", to: "m/config.json")
    try folder.write("{}", to: "config.json")
    try FileManager.default.createSymbolicLink(
      atPath: folder.path("link"), withDestinationPath: "m")
    #expect(
      throws: CheckpointError.self
    ) { try stage(folder, name, replacing: true, source: "m") }
    #expect(try folder.read("m/config.json") == Array("{}".utf8))
  }

  @Test func secondRunIsRefused() throws {
    let folder = try TemporaryFolder()
    let first = try stage(folder)
    #expect(message { _ = try stage(folder) }?.contains("another run") == true)
    first.discard()
    #expect(throws: Never.self) { try stage(folder) }
  }

  @Test("what a killed run left is removed, and a half replaced model comes back")
  func leftovers() throws {
    let folder = try TemporaryFolder()
    try folder.write("half", to: ".out.partial/model.safetensors")
    try folder.write("", to: ".out.lock")
    let staged = try stage(folder)
    #expect(try FileManager.default.contentsOfDirectory(atPath: staged.path).isEmpty)
    staged.discard()
    #expect(try folder.names() == [])

    try folder.write("{}", to: ".out.replaced/config.json")
    #expect(message { _ = try stage(folder) }?.contains("exists") == true)
    #expect(try folder.names() == ["out"])
    #expect(try folder.read("out/config.json") == Array("{}".utf8))
  }

  @Test func missingParentAndUnwritableFolder() throws {
    let folder = try TemporaryFolder()
    #expect(message { _ = try stage(folder, "no/out") }?.contains("folder to write into") == true)
    #expect(
      message {
        _ = try StagedFolder(
          target: URL(fileURLWithPath: "/proc/out"), replacing: false, source: nil)
      } != nil)
  }
}
