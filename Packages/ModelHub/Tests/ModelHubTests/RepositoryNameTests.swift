import Foundation
import Testing

@testable import ModelHub

@Suite("Names of repositories")
struct RepositoryNameTests {
  @Test(
    "parts",
    arguments: [
      ("Qwen/Qwen3-4B", "Qwen/Qwen3-4B", nil, nil),
      ("a/b@main", "a/b", "main", nil),
      ("a/b@refs/pr/1", "a/b", "refs/pr/1", nil),
      ("a/b:Q4_K_M", "a/b", nil, "Q4_K_M"),
      ("a/b@v1.0:Q8_0", "a/b", "v1.0", "Q8_0"),
      ("a/b:Q8_0@v1.0", "a/b", "v1.0", "Q8_0"),
    ] as [(String, String, String?, String?)])
  func parts(text: String, path: String, revision: String?, variant: String?) throws {
    let name = try RepositoryName(parsing: text)
    #expect(name.path == path)
    #expect(name.revision == revision)
    #expect(name.variant == variant)
    #expect(try RepositoryName(parsing: name.description) == name)
  }

  @Test(
    "what could lead elsewhere is refused",
    arguments: [
      "", "a", "a/", "/a", "a/b/c", "a/..", "../b", ".a/b", "a/b.", "a--b/c", "a/b@", "a/b:",
      "a b/c",
      "a/b@../x", "a/b@x//y", "a/b@x/../y", "a/b:x/y", "a/b:c@d:e", "a/b\0", "ä/b", "a/b@x\ny",
      "a/b?c", "a/b#c", "a/b%2e",
    ])
  func refused(text: String) {
    #expect(throws: HubError.self) { try RepositoryName(parsing: text) }
  }

  @Test("short names stand for repositories, with what follows them")
  func short() throws {
    #expect(try KnownModel.repository(of: "4B").description == "Qwen/Qwen3-4B")
    #expect(try KnownModel.repository(of: "0.6b@v1").description == "Qwen/Qwen3-0.6B@v1")
    #expect(try KnownModel.repository(of: "x/y:Q4_0").description == "x/y:Q4_0")
    #expect(throws: HubError.self) { try KnownModel.repository(of: "7b") }
  }

  @Test(
    "variants of GGUF files",
    arguments: [
      ("Q4_K_M", ["m-Q4_K_M.gguf"]),
      ("q8_0", ["m.Q8_0.gguf"]),
      ("BF16", ["BF16/m-BF16-00001-of-00002.gguf", "BF16/m-BF16-00002-of-00002.gguf"]),
      ("UD-Q2_K_XL", ["m-UD-Q2_K_XL.gguf"]),
    ])
  func variants(variant: String, files: [String]) throws {
    let paths = GGUFVariant.weights([
      "BF16/m-BF16-00002-of-00002.gguf", "BF16/m-BF16-00001-of-00002.gguf", "m-Q4_K_M.gguf",
      "m-UD-Q2_K_XL.gguf", "m.Q8_0.gguf", "mmproj-F16.gguf", "README.md",
    ])
    let repository = try RepositoryName(parsing: "org/m")
    #expect(try GGUFVariant.files(of: variant, among: paths, in: repository) == files)
    #expect(GGUFVariant.names(paths) == ["BF16", "Q2_K_XL", "Q4_K_M", "Q8_0"])
    let unknown = message { _ = try GGUFVariant.files(of: "Q3_K", among: paths, in: repository) }
    #expect(unknown?.contains("Q4_K_M, Q8_0") == true)
    let several = message { _ = try GGUFVariant.files(of: nil, among: paths, in: repository) }
    #expect(several?.contains("org/m:VARIANT") == true)
  }

  @Test("a name is no variant")
  func noVariant() { #expect(GGUFVariant.names(["Qwen3.gguf", "model-q.gguf"]).isEmpty) }
}
