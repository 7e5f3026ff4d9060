import Foundation
import Testing

/// The same command gives the same bytes, whatever the threads, the batch and the instruction set.
@Suite struct SameSeedTests {
  @Test func textDependsOnTheSeedAlone() throws {
    let folder = try TemporaryFolder()
    func text(seed: Int, threads: Int) throws -> String {
      let outcome = try folder.run(
        .generate,
        [
          "--model", Nano.model, "--prompt", Nano.problem, "--temperature", "1.5", "--max-tokens",
          "40",
          "--ignore-eos", "--seed", "\(seed)", "--threads", "\(threads)",
        ])
      #expect(outcome.isSuccess)
      return outcome.output
    }
    let first = try text(seed: 7, threads: 1)
    #expect(first == (try text(seed: 7, threads: 2)))
    #expect(first != (try text(seed: 8, threads: 2)))
  }

  @Test func repliesDependOnNeitherBatchNorThreads() throws {
    let folder = try TemporaryFolder()
    let journals = try [(1, 1), (7, 1), (7, 2)].map { batch, threads in
      let name = "\(batch)-\(threads).jsonl"
      let outcome = try folder.run(
        .evaluate,
        [
          "--model", Nano.model, "--limit", "9", "--max-tokens", "40", "--batch", "\(batch)",
          "--threads", "\(threads)", "--journal", folder.path(name),
        ])
      #expect(outcome.isSuccess)
      return try Journal(folder.text(name))
    }
    #expect(journals[0].samples.count == 9)
    #expect(journals[0] == journals[1])
    #expect(journals[0] == journals[2])
  }

  @Test(arguments: ["gptq", "rtn"]) func aSecondQuantizationIsIdentical(method: String) throws {
    let folder = try TemporaryFolder()
    let first = try folder.quantize("first", bits: 4, method: method, threads: 1)
    let second = try folder.quantize("second", bits: 4, method: method, threads: 2)
    let names = try FileManager.default.contentsOfDirectory(atPath: first).sorted()
    #expect(names.contains("model.safetensors.zst"))
    #expect(names == (try FileManager.default.contentsOfDirectory(atPath: second).sorted()))
    for name in names {
      #expect(
        FileManager.default.contentsEqual(atPath: "\(first)/\(name)", andPath: "\(second)/\(name)"),
        "\(name)")
    }
  }

  @Test func everyInstructionSetGivesTheSameIDs() throws {
    let folder = try TemporaryFolder()
    let arguments = [
      "--model", Nano.model, "--prompt", Nano.problem, "--greedy", "--print-ids", "--max-tokens",
      "24",
    ]
    let best = try folder.run(.generate, arguments)
    #expect(best.ids.count > 12)
    for name in ["scalar", "avx2", "avxvnni", "avx512", "avx512bf16", "amx", "tile-model"] {
      let outcome = try folder.run(
        .generate, arguments, environment: ["BITBUDGET_ISA": name])
      if outcome.errors.contains("this machine does not have it") {
        #expect(name != "scalar" && outcome.end == .exited(2))
      } else {
        #expect(outcome.isSuccess)
        #expect(outcome.ids == best.ids, "\(name)")
      }
    }
    let unknown = try folder.run(.generate, arguments, environment: ["BITBUDGET_ISA": "mmx"])
    expectRefusal(unknown, code: 2, naming: ["BITBUDGET_ISA", "mmx", "avx2"])
  }
}
