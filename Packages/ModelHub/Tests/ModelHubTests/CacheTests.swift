import Foundation
import Testing

@testable import ModelHub

@Suite("The cache")
struct CacheTests {
  @Test("the listing as the hub's own tools keep it")
  func treeFile() throws {
    let id = String(repeating: "a", count: 40)
    let sha = String(repeating: "b", count: 64)
    let files = [
      try HubFile(path: "z/ü.bin", size: 7, blobID: id, sha256: sha, xetHash: sha, in: "r"),
      try HubFile(path: "a.json", size: 3, blobID: id, in: "r"),
    ]
    #expect(
      TreeFile.text(files) == """
        {
         "format_version": 1,
         "files": {
          "a.json": {
           "size": 3,
           "blob_id": "\(id)"
          },
          "z/\\u00fc.bin": {
           "size": 7,
           "blob_id": "\(id)",
           "lfs_sha256": "\(sha)",
           "lfs_size": 7,
           "xet_hash": "\(sha)"
          }
         }
        }
        """)
    let folder = try TemporaryFolder()
    let cache = HubCache(root: folder.url)
    let listing = HubListing(
      repository: try RepositoryName(parsing: "o/n"), commit: FakeHub.commit, files: files)
    try TreeFile.write(listing, in: cache)
    let read = try #require(TreeFile.read(listing.repository, listing.commit, in: cache))
    #expect(Set(read.files) == Set(files))
  }

  @Test(
    "paths that lead out of the folder, and what is no digest, are refused",
    arguments: [
      "../x", "/x", "a/../x", "a//b", "", ".", "a\\b", "C:/x", "a/\0", "a\nb", "x/..", "..",
    ])
  func paths(path: String) {
    let id = String(repeating: "0", count: 40)
    #expect(throws: HubError.self) { try HubFile(path: path, size: 1, blobID: id, in: "r") }
    #expect(throws: HubError.self) { try HubFile(path: "a", size: 1, blobID: path, in: "r") }
    #expect(throws: HubError.self) {
      try HubFile(path: "a", size: 1, blobID: id, sha256: path, in: "r")
    }
    for size in [-1, .min, .max] {
      #expect(throws: HubError.self) { try HubFile(path: "a", size: size, blobID: id, in: "r") }
    }
  }

  @Test("a revision goes with the files that no other one has")
  func removal() throws {
    let folder = try TemporaryFolder()
    let cache = HubCache(root: folder.url)
    let old = FakeHub([
      "shared.json": Data("{}".utf8), "w.safetensors": Data(repeating: 1, count: 500),
    ])
    let listing = try old.listing()
    try old.client(folder).fetch(listing.files, of: listing)
    let new = FakeHub([
      "shared.json": Data("{}".utf8), "w.safetensors": Data(repeating: 2, count: 500),
    ])
    let commit = String(repeating: "d00d0000", count: 5)
    let next = HubListing(
      repository: try RepositoryName(parsing: "org/model@v2"), commit: commit,
      files: try new.listing().files)
    try new.client(folder).fetch(next.files, of: next)
    #expect(try cache.snapshots().map(\.name) == ["org/model", "org/model@v2"])
    #expect(try cache.remove(next.repository) >= 500)
    #expect(try cache.snapshots().map(\.name) == ["org/model"])
    let snapshot = try #require(try cache.snapshot(of: listing.repository))
    #expect(
      try Data(contentsOf: snapshot.appendingPathComponent("w.safetensors"))
        == Data(repeating: 1, count: 500))
    #expect(try Data(contentsOf: snapshot.appendingPathComponent("shared.json")) == Data("{}".utf8))
    _ = try cache.remove(listing.repository)
    #expect(try folder.paths() == ["CACHEDIR.TAG"])
    #expect(throws: HubError.self) { try cache.remove(listing.repository) }
  }

  @Test("patterns of files") func patterns() throws {
    let hub = FakeHub(["a/test-0.jsonl": Data("x".utf8), "test.csv": Data("x".utf8)])
    let listing = try hub.listing()
    #expect(try FileChoice.matching(["a/*.jsonl"], in: listing).map(\.path) == ["a/test-0.jsonl"])
    #expect(try FileChoice.matching(["t*t.c*v"], in: listing).map(\.path) == ["test.csv"])
    #expect(
      message { _ = try FileChoice.matching(["*.txt"], in: listing) }?.contains("*.txt") == true)
  }

  @Test(
    "the files of a model",
    arguments: [
      (
        [
          "config.json", "model.safetensors", "tokenizer.json", "README.md", "original/x.pth",
          "consolidated.safetensors", "pytorch_model.bin", "chat_template.jinja",
        ], ["model.safetensors", "chat_template.jinja", "config.json", "tokenizer.json"], nil
      ),
      (["m-Q8_0.gguf", "m-Q4_K_M.gguf"], nil, "org/model:Q4_K_M"),
      (["config.json", "pytorch_model.bin"], nil, "pytorch_model.bin"),
      (["README.md"], nil, "no safetensors"),
    ] as [([String], [String]?, String?)])
  func choice(paths: [String], chosen: [String]?, refusal: String?) throws {
    let hub = FakeHub(Dictionary(uniqueKeysWithValues: paths.map { ($0, Data("x".utf8)) }))
    let listing = try hub.listing()
    let found = message {
      let files = try FileChoice.model(listing)
      #expect(Set(files.map(\.path)) == Set(chosen ?? []))
    }
    #expect(refusal.map { found?.contains($0) == true } ?? (found == nil), "\(found ?? "")")
  }
}
