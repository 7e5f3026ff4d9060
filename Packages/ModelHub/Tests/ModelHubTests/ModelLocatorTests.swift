import Foundation
import Testing

@testable import ModelHub

@Suite("Finding models")
struct ModelLocatorTests {
  private static let commit = String(repeating: "ab12", count: 10)

  /// A cache with one model at two commits, and a GGUF model.
  private func prepared() throws -> (TemporaryFolder, ModelLocator) {
    let folder = try TemporaryFolder()
    try folder.write("abc123\n", to: "models--Qwen--Qwen3-0.6B/refs/main")
    try folder.write("{}", to: "models--Qwen--Qwen3-0.6B/snapshots/abc123/config.json")
    try folder.write("{}", to: "models--Qwen--Qwen3-0.6B/snapshots/\(Self.commit)/config.json")
    try folder.write("abc123", to: "models--o--g/refs/main")
    try folder.write("x", to: "models--o--g/snapshots/abc123/g-Q4_0.gguf")
    try folder.write("x", to: "models--o--g/snapshots/abc123/g-Q8_0.gguf")
    return (folder, ModelLocator(cache: HubCache(root: folder.url), pull: "bin/pull"))
  }

  @Test(
    "short names, repositories, revisions and variants",
    arguments: [
      ("0.6b", "models--Qwen--Qwen3-0.6B/snapshots/abc123"),
      ("0.6B", "models--Qwen--Qwen3-0.6B/snapshots/abc123"),
      ("Qwen/Qwen3-0.6B", "models--Qwen--Qwen3-0.6B/snapshots/abc123"),
      ("0.6b@\(commit)", "models--Qwen--Qwen3-0.6B/snapshots/\(commit)"),
      ("o/g:Q4_0", "models--o--g/snapshots/abc123/g-Q4_0.gguf"),
      ("o/g:q8_0", "models--o--g/snapshots/abc123/g-Q8_0.gguf"),
    ])
  func found(name: String, path: String) throws {
    let (folder, locator) = try prepared()
    #expect(try locator.locate(name).path == folder.path(path))
    #expect(try locator.locate(folder.path(path)).path == folder.path(path))
  }

  @Test("what is absent is named with size, command and place")
  func advice() throws {
    let (folder, locator) = try prepared()
    let text = try #require(message { _ = try locator.locate("8b") })
    for part in [
      "8b (Qwen/Qwen3-8B)", folder.url.path, "(16.4 GB)", "`bin/pull Qwen/Qwen3-8B`", "--pull",
    ] { #expect(text.contains(part), "\(part)") }
    #expect(
      message { _ = try locator.locate("o/g:Q2_K") }?.contains("`bin/pull o/g:Q2_K`") == true)
    #expect(message { _ = try locator.locate("o/g") }?.contains("Q4_0") == true)
    #expect(message { _ = try locator.locate("o/m@v2") }?.contains("o/m@v2") == true)
  }

  @Test(
    "names that are no model list those that are",
    arguments: [
      "7b", "", "a/b/c", "org/", "/name", "org/..", "../x", "./x", "a b/c", "nano", "x\0y",
      "README.md",
    ])
  func unknown(name: String) throws {
    let (folder, locator) = try prepared()
    let before = try folder.paths()
    let text = try #require(message { _ = try locator.locate(name) })
    #expect(try folder.paths() == before)
    if name == "7b" { #expect(text.contains("0.6b")) }
    #expect(!text.contains("bin/pull"))
  }

  @Test func unfinishedDownload() throws {
    let (folder, locator) = try prepared()
    try folder.write("fff", to: "models--Qwen--Qwen3-0.6B/refs/main")
    #expect(message { _ = try locator.locate("0.6b") }?.contains("not finished") == true)
    try folder.write("../../../..", to: "models--Qwen--Qwen3-0.6B/refs/main")
    #expect(message { _ = try locator.locate("0.6b") }?.contains("names no commit") == true)
    try FileManager.default.removeItem(atPath: folder.path("models--Qwen--Qwen3-0.6B/refs"))
    // Another revision is never guessed.
    let text = message { _ = try locator.locate("0.6b") }
    #expect(text?.contains("@\(Self.commit) is there") == true)
  }

  @Test("a snapshot that lacks files of the listing that was kept")
  func incomplete() throws {
    let (folder, locator) = try prepared()
    let repository = try RepositoryName(parsing: "Qwen/Qwen3-0.6B")
    let id = String(repeating: "0", count: 40)
    let files = try ["config.json": 2, "model.safetensors": 4, "README.md": 9].map { path, size in
      try HubFile(path: path, size: size, blobID: id, in: "r")
    }
    let listing = HubListing(repository: repository, commit: "abc123", files: files)
    try TreeFile.write(listing, in: HubCache(root: folder.url))
    #expect(
      message { _ = try locator.locate("0.6b") }?.contains("model.safetensors is not in the cache")
        == true)
    try folder.write("1234", to: "models--Qwen--Qwen3-0.6B/snapshots/abc123/model.safetensors")
    #expect(try locator.locate("0.6b").lastPathComponent == "abc123")
  }
}
