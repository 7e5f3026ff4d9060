import Foundation
import Testing

/// quantize: rules for single layers, and what a checkpoint holds.
@Suite struct SchemeTests {
  private struct Item: Decodable {
    let name: String
    let storage: String
    let bytes: Int
    let digest: String
  }

  private func inspect(_ path: String, in folder: TemporaryFolder) throws -> [Item] {
    let outcome = try folder.run(.quantize, ["--inspect", path, "--json"])
    try #require(outcome.isSuccess, "\(outcome.errors)")
    return try JSONDecoder().decode([Item].self, from: Data(outcome.output.utf8))
  }

  @Test(arguments: ["zstd", "compressed-tensors", "gptq"])
  func rulesReachTheLayersTheyName(format: String) throws {
    let folder = try TemporaryFolder()
    let rules = folder.path("rules.json")
    try Data(
      #"""
      {"rules": [
        {"layers": "layers\\.0\\.", "keep": true},
        {"layers": "down_proj$", "bits": 8, "group_size": 64}
      ]}
      """#.utf8
    ).write(to: URL(fileURLWithPath: rules))
    let outcome = try folder.run(
      .quantize,
      [
        "--model", Nano.model, "--method", "rtn", "--scheme", rules, "--format", format, "--output",
        folder.path("mixed"),
      ])
    try #require(outcome.isSuccess, "\(outcome.errors)")
    #expect(outcome.errors.contains("of memory"))
    let items = try inspect(folder.path("mixed"), in: folder)
    func storage(_ name: String) -> String {
      items.first { $0.name == "model.layers.\(name).weight" }?.storage ?? "none"
    }
    #expect(storage("0.mlp.down_proj") == "BF16")
    #expect(storage("1.mlp.down_proj").hasPrefix("8 bits, groups of 64"))
    #expect(storage("1.mlp.up_proj").hasPrefix("4 bits"))
    let answer = try folder.run(
      .generate, ["--model", folder.path("mixed"), "--prompt", Nano.problem, "--greedy"])
    #expect(answer.isSuccess && answer.output.contains("\\boxed{24}"), "\(answer.errors)")
  }

  @Test func whatCannotBeFollowedIsNamed() throws {
    let folder = try TemporaryFolder()
    let rules = folder.path("rules.json")
    for (text, words) in [
      (#"{"rules": [{"layers": "dwon", "bits": 8}]}"#, ["dwon", "no layer"]),
      (#"{"rules": [{"layers": "down", "bist": 8}]}"#, ["bist", "rules[0]"]),
      ("{", ["rules.json"]),
    ] {
      try Data(text.utf8).write(to: URL(fileURLWithPath: rules))
      let outcome = try folder.run(
        .quantize, ["--model", Nano.model, "--method", "rtn", "--scheme", rules])
      #expect(outcome.end == .exited(1))
      for word in words { #expect(outcome.errors.contains(word), "\(outcome.errors)") }
    }
    #expect(try folder.names() == ["rules.json"] || folder.names() == ["out", "rules.json"])
  }

  @Test func inspectionNamesEveryTensor() throws {
    let folder = try TemporaryFolder()
    let items = try inspect(Nano.model, in: folder)
    #expect(items.count == 35 && items.allSatisfy { $0.storage == "BF16" && $0.digest.count == 64 })
    #expect(items.reduce(0) { $0 + $1.bytes } == 1_067_136)
    #expect(try folder.run(.quantize, ["--inspect", folder.path("absent")]).end == .exited(1))
  }
}
