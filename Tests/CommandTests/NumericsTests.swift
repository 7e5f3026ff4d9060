import Foundation
import Testing

/// `--numerics` through the built commands.
@Suite struct NumericsTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func ids(
    _ model: String, _ numerics: String?, threads: Int = 1, isa: String? = nil
  ) throws -> [Int] {
    let outcome = try folder.run(
      .generate,
      [
        "--model", model, "--prompt", Nano.problem, "--greedy", "--ignore-eos", "--print-ids",
        "--max-tokens", "40", "--threads", "\(threads)",
      ] + (numerics.map { ["--numerics", $0] } ?? []),
      environment: isa.map { ["BITBUDGET_ISA": $0] } ?? [:])
    #expect(outcome.isSuccess, "\(outcome.errors)")
    return outcome.ids
  }

  @Test func int8IsTheSameOnAllThreadsAndInstructionSets() throws {
    let model = try folder.quantize("model", bits: 4, method: "rtn", threads: 1)
    let found = try ids(model, "int8")
    #expect(found.count == 40)
    #expect(try ids(model, "int8", threads: 2) == found)
    #expect(try ids(model, "int8", isa: "scalar") == found)
    #expect(try ids(model, nil) == ids(model, "exact"))
  }

  @Test func int16IsTheSameOnAllThreadsAndInstructionSets() throws {
    for bits in [8, 4] {
      let model = try folder.quantize("model-\(bits)", bits: bits, method: "rtn", threads: 1)
      let found = try ids(model, "int16")
      #expect(found.count == 40)
      #expect(try ids(model, "int16", threads: 2) == found)
      #expect(try ids(model, "int16", isa: "scalar") == found)
    }
  }

  @Test func bf16IsTheSameOnAllThreadsAndInstructionSets() throws {
    let found = try ids(Nano.model, "bf16")
    #expect(found.count == 40)
    #expect(try ids(Nano.model, "bf16", threads: 2) == found)
    #expect(try ids(Nano.model, "bf16", isa: "scalar") == found)
  }

  /// Integer weights by int8, BF16 weights and caches by both.
  @Test func onlyNumbersOfTheirKindAreMultipliedOtherwise() throws {
    let quantized = try folder.quantize("model", bits: 4, method: "rtn", threads: 1)
    for (model, head, kv, changing) in [
      (quantized, "8", "f32", ["int8", "int16"]),
      (quantized, "8", "bf16", ["int8", "bf16", "int16"]),
      (quantized, "16", "f32", ["int8", "bf16", "int16"]),
      (Nano.model, "16", "f32", ["int8", "bf16"]), (Nano.model, "16", "int8", ["int8", "bf16"]),
    ] {
      let logits = try ["exact", "int8", "bf16", "int16"].map { numerics in
        let outcome = try folder.run(
          .generate,
          [
            "--model", model, "--ids", "1,2,3,4,5", "--numerics", numerics, "--head-bits", head,
            "--kv", kv, "--logits", folder.path(numerics),
          ])
        #expect(outcome.isSuccess, "\(outcome.errors)")
        return FileManager.default.contents(atPath: folder.path(numerics))
      }
      #expect(logits[0] != nil)
      #expect((logits[1] != logits[0]) == changing.contains("int8"))
      #expect((logits[2] != logits[0]) == changing.contains("bf16"))
      #expect((logits[3] != logits[0]) == changing.contains("int16"))
    }
  }

  @Test func aHeadOf8BitsTakesLessMemoryAndChangesLogits() throws {
    var sizes: [Int] = []
    let logits = try ["16", "8"].map { bits in
      let flags = ["--model", Nano.model, "--head-bits", bits]
      let outcome = try folder.run(
        .generate, flags + ["--ids", "1,2,3,4,5", "--logits", folder.path(bits)])
      #expect(outcome.isSuccess, "\(outcome.errors)")
      let record = try folder.run(
        .generate, flags + ["--prompt", Nano.problem, "--max-tokens", "2", "--json"])
      let object = try JSONSerialization.jsonObject(with: Data(record.output.utf8))
      sizes.append(try #require((object as? [String: Any])?["weights_bytes"] as? Int))
      return FileManager.default.contents(atPath: folder.path(bits))
    }
    #expect(logits[0] != nil && logits[1] != nil && logits[0] != logits[1])
    #expect(sizes[1] < sizes[0])
    let outcome = try folder.run(.generate, ["--model", Nano.model, "--head-bits", "4"])
    #expect(outcome.end == .exited(2))
  }

  @Test func anUnknownNameIsWrongUsage() throws {
    let outcome = try folder.run(.generate, ["--model", Nano.model, "--numerics", "int7"])
    #expect(outcome.end == .exited(2))
    #expect(outcome.errors.contains("numerics"))
  }
}
