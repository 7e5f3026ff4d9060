import Foundation
import Testing

/// `--numerics` through the built commands.
@Suite struct NumericsTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func ids(
    _ model: String, _ numerics: String?, head: String = "16", threads: Int = 1,
    isa: String? = nil
  ) throws -> [Int] {
    let outcome = try folder.run(
      .generate,
      [
        "--model", model, "--prompt", Nano.problem, "--greedy", "--ignore-eos", "--print-ids",
        "--max-tokens", "40", "--threads", "\(threads)",
      ] + (numerics.map { ["--numerics", $0, "--head-bits", head] } ?? []),
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
  }

  /// What nobody chose is chosen by the bits of the weights, said, and the same as if it had been
  /// asked for.
  @Test(arguments: [(16, "bf16", "16"), (8, "int16", "12"), (4, "int8", "8"), (3, "int8", "8")])
  func theDefaultIsByTheBitsOfTheWeights(bits: Int, numerics: String, head: String) throws {
    let model =
      bits == 16 ? Nano.model : try folder.quantize("model", bits: bits, method: "rtn", threads: 1)
    #expect(try ids(model, nil) == ids(model, numerics, head: head))
    let flags = ["--model", model, "--prompt", Nano.problem, "--max-tokens", "4"]
    for (given, expected) in [
      ([], (numerics, head)), (["--numerics", "exact"], ("exact", head)),
      (["--head-bits", "16"], (numerics, "16")), (["--numerics", "auto"], (numerics, head)),
    ] as [([String], (String, String))] {
      let outcome = try folder.run(.generate, flags + ["--json"] + given)
      let object = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
      let record = try #require(object as? [String: Any])
      #expect(record["numerics"] as? String == expected.0)
      #expect(record["head_bits"] as? String == expected.1)
    }
    let shown = try folder.run(.generate, flags)
    #expect(shown.errors.contains(", \(numerics))"), "\(shown.errors)")
  }

  /// A cache that evicts holds less at the end than after a long prompt.
  @Test func theCacheIsSaidAtItsEndAndAtItsMost() throws {
    let prompt = String(repeating: "Start with 51. Then (a) add 50. ", count: 24)
    let flags = [
      "--model", Nano.model, "--prompt", prompt, "--kv-evict", "rkv:64,buffer=16", "--max-tokens",
      "64", "--ignore-eos",
    ]
    let outcome = try folder.run(.generate, flags + ["--json"])
    let object = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
    let record = try #require(object as? [String: Any])
    let most = try #require(record["kv_bytes"] as? Int)
    let end = try #require(record["kv_bytes_at_end"] as? Int)
    #expect(0 < end && end < most)
    let shown = try folder.run(.generate, flags)
    #expect(shown.errors.contains(" MiB at most, "), "\(shown.errors)")
    #expect(shown.errors.contains(" at the end (rkv:64,buffer=16)"), "\(shown.errors)")
  }

  /// A journal from before there were defaults says nothing of numerics, and goes on exactly.
  @Test func aJournalBegunExactlyGoesOnExactly() throws {
    let model = try folder.quantize("model", bits: 4, method: "rtn", threads: 1)
    let run = ["--model", model, "--limit", "4", "--max-tokens", "24", "--journal"]
    let exact = ["--numerics", "exact", "--head-bits", "16"]
    for journal in ["whole.jsonl", "half.jsonl"] {
      #expect(try folder.run(.evaluate, run + [folder.path(journal)] + exact).isSuccess)
    }
    let whole = folder.text("whole.jsonl")
    let half = whole.split(separator: "\n").prefix(3).joined(separator: "\n") + "\n"
    try half.write(toFile: folder.path("half.jsonl"), atomically: true, encoding: .utf8)
    let resumed = try folder.run(.evaluate, run + [folder.path("half.jsonl")])
    #expect(resumed.isSuccess, "\(resumed.errors)")
    #expect(resumed.errors.contains("going on with --numerics exact"), "\(resumed.errors)")
    #expect(try Journal(folder.text("half.jsonl")) == Journal(whole))

    let other = try folder.run(.evaluate, run + [folder.path("half.jsonl"), "--numerics", "int8"])
    expectRefusal(other, naming: ["half.jsonl", "numerics"])
    let fresh = try folder.run(.evaluate, run + [folder.path("fresh.jsonl")])
    #expect(fresh.isSuccess, "\(fresh.errors)")
    let header = folder.text("fresh.jsonl").split(separator: "\n").first ?? ""
    #expect(header.contains(#""numerics":"int8""#) && header.contains(#""head bits":"8""#))
    // And what was begun with the default goes on with it.
    #expect(try folder.run(.evaluate, run + [folder.path("fresh.jsonl")]).isSuccess)
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

  @Test(arguments: ["bf16", "bf16-tiles", "int8-tiles"])
  func bf16IsTheSameOnAllThreadsAndInstructionSets(numerics: String) throws {
    let found = try ids(Nano.model, numerics)
    #expect(found.count == 40)
    #expect(try ids(Nano.model, numerics, threads: 2) == found)
    #expect(try ids(Nano.model, numerics, isa: "scalar") == found)
  }

  /// Without products of BF16 pairs, BF16 weights are multiplied exactly.
  @Test func fastIsByTheProcessor() throws {
    let outcome = try folder.run(
      .generate,
      [
        "--model", Nano.model, "--prompt", Nano.problem, "--max-tokens", "4", "--json",
        "--numerics", "fast",
      ], environment: ["BITBUDGET_ISA": "scalar"])
    let object = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
    let record = try #require(object as? [String: Any])
    #expect(record["numerics"] as? String == "exact")
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

  @Test func aHeadOfFewerBitsTakesLessMemoryAndChangesLogits() throws {
    var sizes: [Int] = []
    let logits = try ["16", "12", "8"].map { bits in
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
    #expect(logits.allSatisfy { $0 != nil } && Set(logits).count == 3)
    #expect(sizes[1] < sizes[0] && sizes[2] < sizes[1])
    let outcome = try folder.run(.generate, ["--model", Nano.model, "--head-bits", "4"])
    #expect(outcome.end == .exited(2))
  }

  @Test func anUnknownNameIsWrongUsage() throws {
    let outcome = try folder.run(.generate, ["--model", Nano.model, "--numerics", "int7"])
    #expect(outcome.end == .exited(2))
    #expect(outcome.errors.contains("numerics"))
  }
}
