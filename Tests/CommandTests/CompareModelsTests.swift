import Foundation
import Testing

/// `evaluate --compare A B --text FILE`.
@Suite struct CompareModelsTests {
  private struct Row: Decodable {
    let model: String
    let tokens: Int
    let perplexity: Double
    let divergence: Double?
    let agreement: Double?

    private enum CodingKeys: String, CodingKey {
      case model, tokens, perplexity
      case divergence = "kl_mean"
      case agreement = "top1_agreement"
    }
  }

  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    let text = String(repeating: "Start with 51. Then (a) add 50. What is the result? ", count: 12)
    try text.write(toFile: folder.path("text.txt"), atomically: true, encoding: .utf8)
  }

  private func compare(_ second: String, _ arguments: [String] = []) throws -> [Row] {
    let outcome = try folder.run(
      .evaluate,
      ["--compare", Nano.model, second, "--text", folder.path("text.txt"), "--format", "json"]
        + arguments)
    try #require(outcome.isSuccess, "\(outcome.errors)")
    return try JSONDecoder().decode([Row].self, from: Data(outcome.output.utf8))
  }

  @Test func aModelIsNoDistanceFromItself() throws {
    let rows = try compare(
      Nano.model, ["--window", "64", "--numerics", "exact", "--head-bits", "16"])
    #expect(rows.count == 2 && rows[0].divergence == nil)
    #expect(rows[1].divergence == 0 && rows[1].agreement == 1)
    #expect(rows[0].perplexity == rows[1].perplexity && rows[0].perplexity > 1)
  }

  @Test func fewerBitsAreFurtherAway() throws {
    let distances = try ["8", "2"].map { bits in
      let target = folder.path("model-\(bits)")
      let outcome = try folder.run(
        .quantize,
        [
          "--model", Nano.model, "--method", "rtn", "--bits", bits, "--group-size", "32",
          "--output", target,
        ])
      try #require(outcome.isSuccess, "\(outcome.errors)")
      return try #require(compare(target)[1].divergence)
    }
    #expect(distances[0] > 0 && distances[0] < distances[1])
  }

  @Test(arguments: [["--kv", "f32"], ["--numerics", "bf16"], ["--head-bits", "8"]])
  func flagsOfTheEngineHoldForTheSecond(flags: [String]) throws {
    let exact = flags[0] == "--numerics" ? [] : ["--numerics", "exact"]
    let rows = try compare(Nano.model, exact + flags)
    #expect(rows[1].divergence.map { $0 > 0 && $0 < 0.01 } == true)
  }

  @Test(arguments: [
    ["--compare", "nano"], ["--compare", "nano", "nano"], ["--text", "text.txt"],
    ["--compare", "nano", "nano", "--text", "text.txt", "--window", "1"],
  ])
  func wrongUsageIsRefused(_ arguments: [String]) throws {
    #expect(try folder.run(.evaluate, arguments).end == .exited(2))
  }
}
