import Foundation
import Testing

/// What `--memory` lets start.
@Suite struct MemoryTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func generate(_ arguments: [String]) throws -> Outcome {
    try folder.run(.generate, ["--model", Nano.model, "--prompt", Nano.problem] + arguments)
  }

  /// Adds to a memory that just holds the model, in KiB.
  private func leastMemory() throws -> Int {
    var (low, high) = (1024, 1 << 20)
    while high - low > 64 {
      let middle = (low + high) / 2
      let fits = try generate(["--memory", "\(middle)KiB", "--max-tokens", "8", "--samples", "2"])
      if fits.isSuccess { high = middle } else { low = middle }
    }
    return high
  }

  @Test func whatCannotFinishIsRefusedNamingWhatCan() throws {
    let least = try leastMemory()
    // Each sample may take up to 1024 tokens, 0.8 MiB.
    let flags = ["--memory", "\(least + 3 << 10)KiB", "--samples", "16"]
    let refused = try generate(flags)
    expectRefusal(refused, naming: ["--memory", "16 samples", "--samples ", "--batch "])
    let words = refused.errors.split(whereSeparator: { " ;,".contains($0) })
    let place = try #require(words.firstIndex(of: "--batch"))
    let fits = String(words[place + 1])
    let texts = try generate(Array(flags.prefix(2)) + ["--samples", "5", "--batch", fits])
    #expect(texts.isSuccess, "\(texts.errors)")
    let free = try generate(["--samples", "5"])
    #expect(texts.output == free.output)
  }

  @Test func aTextThatDoesNotFitIsRefusedWithTheSum() throws {
    let small = try generate(["--memory", "2MiB"])
    expectRefusal(small, naming: ["--memory 2.00 MiB", "weights and working memory", "reply"])
    // Room for a part of the 1024 tokens that a reply may have.
    let least = try leastMemory() + 500
    let tight = try generate(["--memory", "\(least)KiB"])
    expectRefusal(tight, naming: ["--max-tokens ", "--memory "])
    // What it says would do, does.
    let words = tight.errors.split(whereSeparator: { " ;,\n".contains($0) }).map(String.init)
    let (tokens, memory) = (
      try #require(words.lastIndex(of: "--max-tokens")),
      try #require(words.lastIndex(of: "--memory"))
    )
    for flags in [
      ["--memory", words[memory + 1]], ["--memory", "\(least)KiB"] + words[tokens...tokens + 1],
    ] {
      let fits = try generate(flags)
      #expect(fits.isSuccess, "\(flags): \(fits.errors)")
    }
    expectRefusal(try generate(["--memory", "12"]), code: 2, naming: ["8GiB"])
    expectRefusal(try generate(["--memory", "-1GiB"]), code: 2, naming: ["memory"])
    let run = try folder.run(
      .evaluate, ["--model", Nano.model, "--memory", "2MiB", "--journal", folder.path("a.jsonl")])
    expectRefusal(run, naming: ["--memory 2.00 MiB"])
  }

  /// What the report says of the process, in MiB.
  private func peak(_ outcome: Outcome) throws -> Double {
    let line = try #require(
      outcome.errors.split(separator: "\n").first { $0.hasPrefix("peak") }, "\(outcome.errors)")
    return try #require(line.split(separator: " ").dropFirst().first.flatMap { Double($0) })
  }

  /// In the least memory that is accepted the process really stays within it, and the plan says no
  /// less.
  @Test(arguments: [
    "--samples 1", "--samples 6 --batch 6", "--samples 4 --batch 4 --kv int8",
    "--samples 4 --batch 4 --kv int4+group=32 --kv-residual 32",
    "--samples 4 --batch 4 --kv-evict rkv:64,buffer=32",
  ]) func thePeakStaysWithinTheMemory(flags: String) throws {
    let flags =
      flags.split(separator: " ").map(String.init) + ["--max-tokens", "500", "--ignore-eos"]
    func run(_ kibibytes: Int) throws -> Outcome {
      try generate(["--memory", "\(kibibytes)KiB"] + flags)
    }
    var (low, high) = (8 << 10, 96 << 10)
    while high - low > 256 {
      let middle = (low + high) / 2
      if try run(middle).isSuccess { high = middle } else { low = middle }
    }
    // What the process holds before it begins differs by some pages from run to run.
    let given = high + 256
    let peak = try peak(run(given))
    #expect(peak <= Double(given) / 1024, "\(peak) MiB of \(given) KiB")
  }

  /// What a plan calls fitting can be run, where its replies are as long as the plan counts.
  @Test func whatThePlanCallsFittingRuns() throws {
    let plan = try folder.run(
      .plan,
      [
        "--fits", "--model", Nano.model, "--bits", "16", "--budget", "200", "--memory", "1GiB",
        "--json",
      ])
    let record = try #require(
      try JSONSerialization.jsonObject(with: Data(plan.output.utf8)) as? [String: Any])
    let total = try #require((record["total_bytes"] as? [String: Int])?["actual"])
    let reply = try generate(["--memory", "\(total)b", "--think-budget", "200"])
    #expect(reply.isSuccess, "\(reply.errors)")
    #expect(try peak(reply) <= Double(total) / 1_048_576)
  }

  @Test func fewerBitsFitWhereMoreDoNot() throws {
    // Texts of 1024 tokens take 0.75 MiB each in 16 bits.
    let memory = [
      "--memory", "\(try leastMemory() + 10 << 10)KiB", "--samples", "16", "--batch", "16",
    ]
    expectRefusal(try generate(memory), naming: ["16 samples"])
    let four = try generate(memory + ["--kv", "int4", "--kv-residual", "0"])
    #expect(four.isSuccess, "\(four.errors)")
  }

  /// Without a model the planner chooses one, and thoughts that fit a reply.
  @Test func theChoiceIsSaidAndCanRun() throws {
    let reply = try folder.run(
      .generate, ["--memory", "48MiB", "--prompt", Nano.problem, "--max-tokens", "300"])
    #expect(reply.isSuccess && reply.errors.contains("chosen: nano-"), "\(reply.errors)")
    let run = try folder.run(
      .evaluate, ["--memory", "48MiB", "--bench", "nano-math", "--limit", "2"])
    #expect(run.isSuccess && run.errors.contains("chosen: nano-"), "\(run.errors)")
    let short = try folder.run(.evaluate, ["--memory", "48MiB", "--max-tokens", "100"])
    expectRefusal(short, naming: ["100", "--model"])
  }
}
