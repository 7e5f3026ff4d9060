import Foundation
import Testing

/// `--kv` with tiers of formats by age, through the built commands.
@Suite struct TierTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func generate(_ kv: [String], threads: Int = 1) throws -> Outcome {
    let outcome = try folder.run(
      .generate,
      [
        "--model", Nano.model, "--prompt", Nano.problem, "--greedy", "--ignore-eos", "--print-ids",
        "--max-tokens", "300", "--threads", "\(threads)",
      ] + kv)
    #expect(outcome.isSuccess, "\(outcome.errors)")
    return outcome
  }

  @Test(arguments: [[], ["--kv-evict", "rkv:192,buffer=32,prompt=64"]])
  func fewerBitsForOldTokensOnAnyThreads(eviction: [String]) throws {
    let tiers = ["--kv", "bf16:0,int8:64,int2"] + eviction
    let found = try generate(tiers)
    #expect(found.ids.count == 300)
    #expect(found.ids == (try generate(tiers, threads: 2).ids))
    #expect(found.ids != (try generate(["--kv", "bf16"] + eviction).ids))
    #expect(found.errors.contains("bf16:0,int8:64,int2"))
  }

  @Test func tiersThatAreNeverReachedChangeNothing() throws {
    #expect(
      try generate(["--kv", "bf16:448,int8:64,int2"]).ids == generate(["--kv", "bf16"]).ids)
    #expect(
      try generate(["--kv", "bf16:64,int8"]).ids
        == generate(["--kv", "int8", "--kv-residual", "64"]).ids)
  }

  @Test func repliesDependOnNeitherBatchNorThreads() throws {
    let policy = ["--kv", "bf16:0,int8:64,int4", "--kv-evict", "rkv:128,buffer=16,prompt=16"]
    let journals = try [(1, 1), (7, 2)].map { batch, threads in
      let name = "\(batch)-\(threads).jsonl"
      let outcome = try folder.run(
        .evaluate,
        [
          "--model", Nano.model, "--limit", "3", "--samples", "3", "--max-tokens", "240",
          "--think-budget", "160", "--force", "--batch", "\(batch)", "--threads", "\(threads)",
          "--journal", folder.path(name),
        ] + policy)
      #expect(outcome.isSuccess, "\(outcome.errors)")
      return try Journal(folder.text(name))
    }
    #expect(journals[0].samples.count == 9)
    #expect(journals[0] == journals[1])
    #expect(
      journals[0].header.contains("+bf16:0,int8:64,int4") && journals[0].header.contains("rkv:128"))
  }

  @Test func aPlanKnowsTiersAndItsCommandsToo() throws {
    let outcome = try folder.run(
      .plan, ["--memory", "8GiB", "--kv", "rkv:2048+tiered", "--json"])
    #expect(outcome.isSuccess, "\(outcome.errors)")
    #expect(outcome.output.contains("--kv bf16:128,int8:1024,int4 --kv-evict rkv:2048"))
  }

  @Test(arguments: [("rkv:8", "window of 8"), ("bf16:100,int8", "multiple of")])
  func aPlanIsOnlyForWhatCanBe(policy: String, word: String) throws {
    let outcome = try folder.run(.plan, ["--memory", "8GiB", "--kv", policy])
    expectRefusal(outcome, code: 2, naming: [word])
  }

  @Test(arguments: [
    (["--kv", "int8:64,int4"], "most recent"), (["--kv", "bf16:100,int8"], "multiple of"),
    (["--kv", "bf16:64,int4:64,int8"], "lower precision"),
    (["--kv", "bf16:64,int8:64"], "last tier"),
    (["--kv", "bf16:64,int3"], "int3"),
    (["--kv", "tiered", "--kv-residual", "64"], "--kv-residual"),
    (["--kv", "tiered", "--kv-k", "int8"], "--kv-k"),
  ]) func whatCannotBeIsRefused(flags: [String], word: String) throws {
    let outcome = try folder.run(
      .generate, ["--model", Nano.model, "--prompt", "hi"] + flags)
    expectRefusal(outcome, code: 2, naming: [word])
  }
}
