import Foundation
import Testing

/// `--kv-evict` through the built commands.
@Suite struct EvictionTests {
  static let policies = [
    "rkv:24,buffer=8,prompt=16", "rkv:24,buffer=8,prompt=16,order=score,schedule=multiples",
    "streaming:24,buffer=8,prompt=16", "snapkv:24,window=8,buffer=8,prompt=16",
    "h2o:24,buffer=8,prompt=16",
  ]

  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func ids(_ policy: String?, threads: Int = 1, tokens: Int = 60) throws -> [Int] {
    let outcome = try folder.run(
      .generate,
      [
        "--model", Nano.model, "--prompt", Nano.problem, "--greedy", "--ignore-eos", "--print-ids",
        "--max-tokens", "\(tokens)", "--threads", "\(threads)",
      ] + (policy.map { ["--kv-evict", $0] } ?? []))
    #expect(outcome.isSuccess, "\(outcome.errors)")
    return outcome.ids
  }

  @Test(arguments: policies) func aSmallBudgetGivesAnotherTextOnAnyThreads(policy: String) throws {
    let found = try ids(policy)
    #expect(found.count == 60)
    #expect(found == (try ids(policy, threads: 2)))
    #expect(found != (try ids(nil)))
  }

  @Test func aBudgetThatIsNeverReachedChangesNothing() throws {
    let all = try ids(nil)
    for policy in ["rkv:400", "streaming:400", "snapkv:400", "h2o:400"] {
      #expect(try ids(policy) == all, "\(policy)")
    }
  }

  @Test(arguments: policies) func repliesDependOnNeitherBatchNorThreads(policy: String) throws {
    let journals = try [(1, 1), (7, 2)].map { batch, threads in
      let name = "\(batch)-\(threads).jsonl"
      let outcome = try folder.run(
        .evaluate,
        [
          "--model", Nano.model, "--limit", "3", "--samples", "3", "--max-tokens", "40", "--batch",
          "\(batch)", "--threads", "\(threads)", "--journal", folder.path(name), "--kv-evict",
          policy,
        ])
      #expect(outcome.isSuccess, "\(outcome.errors)")
      return try Journal(folder.text(name))
    }
    #expect(journals[0].samples.count == 9)
    #expect(journals[0] == journals[1])
    #expect(journals[0].header.contains(policy))
  }

  @Test func aRunGoesOnOnlyWithTheSameEviction() throws {
    let file = folder.path("run.jsonl")
    let common = ["--model", Nano.model, "--max-tokens", "20", "--journal", file]
    let first = try folder.run(.evaluate, common + ["--limit", "2", "--kv-evict", "rkv:64"])
    #expect(first.isSuccess)
    let other = try folder.run(.evaluate, common + ["--limit", "2", "--kv-evict", "rkv:32"])
    expectRefusal(other, naming: ["rkv:64", "rkv:32"])
  }

  @Test(arguments: [
    ("rkv:8", "window of 8"), ("streaming:4,sinks=4", "4 sinks"), ("rkv", "rkv:2048"),
    ("lru:64", "streaming"), ("rkv:64,buffer=0", "buffer 0"), ("rkv:64,colour=red", "colour"),
    ("rkv:99999999999", "budget 99999999999"),
  ]) func whatCannotBeIsRefused(policy: String, word: String) throws {
    for command in [Command.generate, .evaluate] {
      let prompt = command == .generate ? ["--prompt", "hi"] : []
      let outcome = try folder.run(
        command, ["--model", Nano.model, "--kv-evict", policy] + prompt)
      expectRefusal(outcome, code: 2, naming: ["--kv-evict", policy, word])
    }
  }
}
