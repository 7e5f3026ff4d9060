import AppSupport
import Evaluation
import Foundation
import KVLayout
import TextGeneration

/// How a model does a task under KV policies: replies are generated in parts, each with a journal of
/// its own, so that what was generated is never generated again.
struct TaskAccuracy {
  /// Problems of a part, at least.
  private static let partSize = 24

  private let benchmark: Benchmark
  private let loaded: LoadedModel
  private let flags: Tune
  private let folder: URL
  private let parts: Int
  /// Problems whose replies may be compared.
  let comparable: Int
  private let options: SamplingOptions
  private let sandbox: Sandbox?
  /// Tokens of the longest prompt among the texts that were read.
  private let longestPrompt: Int

  init(_ benchmark: Benchmark, _ loaded: LoadedModel, flags: Tune, folder: URL) throws {
    self.benchmark = benchmark
    self.loaded = loaded
    self.flags = flags
    self.folder = folder
    options = try flags.sampling.filled(by: benchmark.definition)
      .optionsInForce(for: loaded.checkpoint)
    sandbox = try Sandbox.made(for: [benchmark])
    let items = min(flags.limit ?? .max, benchmark.items.count)
    let most = items / max(flags.texts, Self.partSize)
    // Parts take every n-th problem, and data often goes round in cycles of difficulty: with a prime
    // number of parts each has all of them.
    guard let parts = (2...max(most, 2)).last(where: Self.isPrime), parts <= most else {
      throw UserError(
        "\(items) problems; tune needs \(2 * max(flags.texts, Self.partSize)): some to measure divergences along, others to compare the accuracy on"
      )
    }
    self.parts = parts
    comparable = items - (items + parts - 1) / parts
    let probe = try EngineResponder(
      loaded, kv: .full, sampling: options, memory: flags.memory, batch: 1)
    let run = try EvaluationRun(
      benchmark: benchmark, scenario: Self.scenario(.full, benchmark, loaded, flags, options),
      journal: folder)
    let prompts = try benchmark.items.indices.prefix(items).map { index in
      try probe.promptTokens(run.question(index))
    }
    longestPrompt = prompts.max() ?? 0
  }

  private static func isPrime(_ number: Int) -> Bool {
    !(2..<number).contains { number % $0 == 0 }
  }

  /// Everything that decides the replies under a policy.
  func scenario(_ kv: KVPolicy) throws -> Scenario {
    try Self.scenario(kv, benchmark, loaded, flags, options)
  }

  private static func scenario(
    _ kv: KVPolicy, _ benchmark: Benchmark, _ loaded: LoadedModel, _ flags: Tune,
    _ options: SamplingOptions
  ) throws -> Scenario {
    let limits = benchmark.definition.limits
    return try Scenario(
      benchmark, limit: flags.limit, samples: 1, seed: flags.sampling.seed,
      sampling: Sampling(options),
      limits: TokenLimits(
        tokens: flags.maxTokens ?? limits.tokens, thinking: flags.thinkBudget ?? limits.thinking),
      engine: EngineFacts.of(loaded.checkpoint, loaded.precision, kv: kv))
  }

  /// The journal of one part under a policy, whose missing replies are generated, and the seconds
  /// that one of them took; nil where none was missing.
  private func journal(
    _ kv: KVPolicy, part: Int, step: () throws -> Void
  ) throws -> (url: URL, secondsOfReply: Double?) {
    let name = "\(Scenario.digest(of: "\(kv)").prefix(8))-\(part).jsonl"
    let run = try EvaluationRun(
      benchmark: benchmark, scenario: try scenario(kv), shard: Shard(index: part, count: parts),
      journal: folder.appendingPathComponent(name), sandbox: sandbox)
    guard try BudgetSweep([run]).finished() == nil else { return (run.journal, nil) }
    let responder = try EngineResponder(
      loaded, kv: kv, sampling: options, memory: flags.memory, batch: flags.batch)
    var last: RunProgress?
    _ = try run.run(with: responder) {
      last = $0
      try step()
    }
    return (run.journal, last.flatMap { $0.fresh > 0 ? $0.seconds / Double($0.fresh) : nil })
  }

  /// The first replies that the model gives with everything in BF16, as it reads them: the texts
  /// along which divergences are measured. They are of the first part, on which nothing else is
  /// decided.
  ///
  /// - Returns: the texts, each with the number of tokens that are prompt, and the seconds that a
  ///   reply took where some were generated now.
  func texts(
    _ count: Int
  ) throws -> (texts: [(tokens: [Int32], prompt: Int)], secondsOfReply: Double?) {
    Console.note("texts: \(count) replies of \(loaded.name) with a BF16 cache")
    let (journal, seconds) = try journal(.full, part: 1) { try Interrupts.check() }
    let responder = try EngineResponder(
      loaded, kv: .full, sampling: options, memory: flags.memory, batch: 1)
    let replies = try EvaluationRun(
      benchmark: benchmark, scenario: try scenario(.full), journal: journal
    ).replies(from: journal)
    let texts = try replies.prefix(count).map { try responder.tokens(of: $0.question, $0.reply) }
    return (texts, seconds)
  }

  /// Whether the memory holds one text of the task under a policy, however long it becomes.
  func fits(_ kv: KVPolicy) throws -> Bool {
    let shape = loaded.decoder.shape
    let reply = flags.maxTokens ?? benchmark.definition.limits.tokens
    let charge = KVForecast(shape: shape.cacheShape, policy: kv, heads: shape.heads.queries)
      .charge(prompt: longestPrompt, reply: reply, isShared: false)
    return try charge.own <= flags.memory.kvByteBudget(beside: loaded, kv: kv, sequences: 1)
  }

  /// Compares the accuracy under policies with that of a BF16 cache, one after the other and part
  /// by part until it is decided; ends behind the first policy that is not shown to keep it.
  func confirm(_ points: [KVPolicySearch.Point]) throws -> [TuningReport.Confirmed] {
    var confirmed: [TuningReport.Confirmed] = []
    for (number, point) in points.enumerated() {
      var test = try PairedTest(margin: flags.margin)
      let line = ProgressLine("comparing policy \(number + 1) of \(points.count), part")
      for part in 2...parts where test.verdict == .undecided {
        func show() throws {
          try Interrupts.check()
          line.show(part - 2, of: parts - 1, detail: "\(point.policy)")
        }
        let reference = try journal(.full, part: part, step: show).url
        let candidate = try journal(point.policy, part: part, step: show).url
        try test.add(first: reference, second: candidate)
      }
      confirmed.append(TuningReport.Confirmed(point: point, test: test))
      if test.verdict != .kept { break }
    }
    return confirmed
  }
}
