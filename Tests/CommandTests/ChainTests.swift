import Foundation
import Testing

/// quantize, then generate, then evaluate, on a real model.
@Suite struct ChainTests {
  private struct Result: Decodable {
    let model: String
    let items: Int
    let weightsBytes: Int

    enum CodingKeys: String, CodingKey {
      case model = "engine model"
      case items
      case weightsBytes = "weights_bytes"
    }
  }

  private func evaluate(_ name: String, in folder: TemporaryFolder) throws -> Result {
    let outcome = try folder.run(
      .evaluate, ["--model", name, "--limit", "20", "--max-tokens", "24", "--format", "json"])
    try #require(outcome.isSuccess, "\(outcome.errors)")
    return try #require(
      JSONDecoder().decode([Result].self, from: Data(outcome.output.utf8)).first)
  }

  @Test(arguments: ["gptq", "rtn"], [8, 4]) func aSmallerModelStillSolves(
    method: String, bits: Int
  ) throws {
    let folder = try TemporaryFolder()
    for format in ["zstd", "compressed-tensors", "gptq"] {
      let quantized = try folder.quantize(format, bits: bits, method: method, format: format)
      let weights = format == "zstd" ? "model.safetensors.zst" : "model.safetensors"
      let names = try FileManager.default.contentsOfDirectory(atPath: quantized)
      #expect(names.filter { $0.contains("safetensors") } == [weights])
      let outcome = try folder.run(
        .generate,
        ["--model", quantized, "--prompt", Nano.problem, "--greedy", "--max-tokens", "150"])
      #expect(outcome.isSuccess)
      #expect(outcome.output.contains("\\boxed{24}"), "\(outcome.output)")
    }
    let leftovers = try folder.names().filter { $0.hasPrefix(".") }
    #expect(leftovers == [])
  }

  @Test func theFormatsHoldTheSameModel() throws {
    let folder = try TemporaryFolder()
    let logits = try ["zstd", "compressed-tensors"].map { format in
      let quantized = try folder.quantize(format, bits: 4, format: format)
      let file = folder.path("\(format).npy")
      let outcome = try folder.run(
        .generate, ["--model", quantized, "--ids", "1,40,77,105", "--logits", file])
      #expect(outcome.isSuccess)
      return try Data(contentsOf: URL(fileURLWithPath: file))
    }
    #expect(logits[0] == logits[1])
  }

  @Test func fewerBitsTakeLessMemory() throws {
    let folder = try TemporaryFolder()
    let results = try [Nano.model, folder.quantize("8", bits: 8), folder.quantize("4", bits: 4)].map
    {
      try evaluate($0, in: folder)
    }
    #expect(results.map(\.model) == [Nano.model, "8", "4"])
    #expect(results.allSatisfy { $0.items == 20 })
    let bytes = results.map(\.weightsBytes)
    #expect(bytes[0] > bytes[1] && bytes[1] > bytes[2])
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.path("runs"))
    let stored = files.filter { $0.hasSuffix(".result.json") }.map { folder.path("runs/\($0)") }
    let table = try folder.run(.evaluate, ["table"] + stored)
    #expect(table.isSuccess)
    let weights = table.output.split(separator: "\n").first { $0.hasPrefix("weights ") }
    #expect(weights?.split(separator: " ").count == 7)
  }
}
