import Foundation
import Testing

@testable import ModelLoader

@Suite("Finding models")
struct ModelLocatorTests {
  /// A hub cache with one finished model, and a folder with one model of our own.
  private func prepared() throws -> (TemporaryFolder, ModelLocator) {
    let folder = try TemporaryFolder()
    try folder.write("abc123\n", to: "hub/models--Qwen--Qwen3-0.6B/refs/main")
    try folder.write("{}", to: "hub/models--Qwen--Qwen3-0.6B/snapshots/abc123/config.json")
    try folder.write("{}", to: "hub/models--Qwen--Qwen3-0.6B/snapshots/older/config.json")
    try folder.write("{}", to: "nano/nano-0.5m/config.json")
    try folder.write("{}", to: "nano/README.md")
    let locator = ModelLocator(
      cache: HubCache(root: folder.url.appendingPathComponent("hub")),
      folders: [folder.url.appendingPathComponent("nano")])
    return (folder, locator)
  }

  @Test(
    "short names, repositories, own models and paths",
    arguments: [
      ("0.6b", "hub/models--Qwen--Qwen3-0.6B/snapshots/abc123"),
      ("0.6B", "hub/models--Qwen--Qwen3-0.6B/snapshots/abc123"),
      ("Qwen/Qwen3-0.6B", "hub/models--Qwen--Qwen3-0.6B/snapshots/abc123"),
      ("nano-0.5m", "nano/nano-0.5m"),
    ])
  func found(name: String, path: String) throws {
    let (folder, locator) = try prepared()
    #expect(try locator.locate(name).path == folder.path(path))
    #expect(try locator.locate(folder.path(path)).path == folder.path(path))
  }

  @Test("what is absent is named with size, command and places")
  func advice() throws {
    let (folder, locator) = try prepared()
    let text = try #require(message { _ = try locator.locate("8b") })
    for part in [
      "8b (Qwen/Qwen3-8B)", folder.path("hub"), "(16.4 GB)", "`hf download Qwen/Qwen3-8B`",
      "https://huggingface.co/Qwen/Qwen3-8B",
    ] { #expect(text.contains(part), "\(part)") }
    #expect(
      message { _ = try locator.locate("some/model") }?.contains("hf download some/model") == true)
  }

  @Test(
    "names that are no model list those that are",
    arguments: [
      "7b", "", "a/b/c", "org/", "/name", "org/..", "../x", "./x", "a b/c", "nano", "..", ".",
      "x\0y",
      "README.md",
    ])
  func unknown(name: String) throws {
    let (folder, locator) = try prepared()
    let text = try #require(message { _ = try locator.locate(name) })
    #expect(try folder.names() == ["hub", "nano"])
    if name == "7b" { #expect(text.contains("0.6b") && text.contains("nano-0.5m")) }
    #expect(!text.contains("hf download"))
  }

  @Test func unfinishedDownload() throws {
    let (folder, locator) = try prepared()
    try folder.write("fff", to: "hub/models--Qwen--Qwen3-0.6B/refs/main")
    #expect(message { _ = try locator.locate("0.6b") }?.contains("not finished") == true)
    try folder.write("../../../..", to: "hub/models--Qwen--Qwen3-0.6B/refs/main")
    #expect(throws: CheckpointError.self) { try locator.locate("0.6b") }
    try FileManager.default.removeItem(atPath: folder.path("hub/models--Qwen--Qwen3-0.6B/refs"))
    #expect(message { _ = try locator.locate("0.6b") }?.contains("2 revisions") == true)
    try FileManager.default.removeItem(
      atPath: folder.path("hub/models--Qwen--Qwen3-0.6B/snapshots/older"))
    #expect(try locator.locate("0.6b").lastPathComponent == "abc123")
  }
}
