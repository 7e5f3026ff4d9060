import AppSupport
import ArgumentParser
import DecoderModels
import Evaluation
import Foundation
import TextGeneration
import ModelLoader

extension PromptForm: ExpressibleByArgument {}

/// `evaluate --bench NAME`: runs or continues a benchmark.
struct RunBenchmark: CommandOfOtherWork {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Runs or continues a benchmark (the default).")

  static let otherWork = [
    OtherWork("list", "lists the benchmarks", with: ["data"]),
    OtherWork(
      "compare", "compares two models",
      with: CacheFlags.names.union([
        "text", "window", "format", "threads", "numerics", "head-bits", "pull", "offline",
      ])),
    OtherWork("endpoint", "asks a server", without: ["threads"]),
  ]

  @OptionGroup(title: "Model") var model: ModelFlags
  @OptionGroup(title: "Memory") var memory: MemoryFlags
  @OptionGroup(title: "Sampling") var sampling: SamplingFlags
  @OptionGroup(title: "Endpoint") var endpoint: EndpointFlags

  @Option(
    help:
      "Benchmark or leaderboard to run, or a definition file (.yaml), or several separated by commas; see 'evaluate list'."
  )
  var bench = "nano-math"
  @Option(help: "Ask only the first so many problems.")
  var limit: Int?
  @Option(help: "Answered examples before each problem (default: the benchmark's).")
  var shots: Int?
  @Option(help: "Replies to each problem (default: the benchmark's).")
  var samples: Int?
  @Option(help: "Most tokens of a reply (default: the benchmark's).")
  var maxTokens: Int?
  @Option(help: "Tokens of thought after which the answer is demanded (default: the benchmark's).")
  var thinkBudget: Int?
  @Option(
    help: ArgumentHelp(
      "Several thinking budgets, such as 32,64,128: a run each, with every thought generated once.",
      valueName: "budgets"),
    transform: { try ThinkBudgets(parsing: $0) })
  var thinkBudgets: ThinkBudgets?
  @Option(
    help:
      "Ask as a conversation in the model's chat template (chat) or as a text to go on with (text) (default: the benchmark's)."
  )
  var form: PromptForm?
  @Flag(help: "Let no thought end before its budget: put 'Wait' in the place of its end.")
  var force = false
  @Option(
    help: "Replies generated together, or asked of an endpoint; changes the speed, never a reply.")
  var batch = 16
  @Option(help: "A folder that holds the benchmark's data.")
  var data: String?
  @Option(
    help: """
      The journal to write or continue (default: runs/BENCH-MODEL-FINGERPRINT.jsonl); of several budgets \
      each gets its own, FILE-BUDGET.jsonl.
      """)
  var journal: String?
  @Flag(help: "Leave damaged lines of the journal out and generate their replies again.")
  var dropDamaged = false
  @Flag(help: "Ask again for replies of the journal that an endpoint did not give.")
  var retryFailed = false
  @Option(
    help:
      "Compute one of several parts, i/n, such as 2/4 (default: the task of a job array, or all).",
    transform: { try Shard($0) })
  var shard: Shard?
  @Flag(help: "Run generated programs on this host itself where no sandbox can be had.")
  var unsafeCode = false
  @Option(
    help: ArgumentHelp(
      "Record with each reply the lowest mean log-probability of so many tokens in a row, by which 'evaluate rules' weighs votes.",
      valueName: "tokens"))
  var confidence: Int?
  @OptionGroup(title: "Speculation") var speculation: SpeculationFlags
  @OptionGroup var table: TableFlags
  @OptionGroup(title: "Comparison of two models") var comparison: ComparisonFlags
  @Flag(help: "List the benchmarks instead.")
  var list = false

  func validate() throws {
    guard (1...4096).contains(batch) else {
      throw ValidationError("--batch \(batch): expected 1 to 4096")
    }
    for (name, value) in [
      ("limit", limit), ("samples", samples), ("max-tokens", maxTokens),
      ("think-budget", thinkBudget), ("confidence", confidence),
    ] {
      if let value, value < 1 { throw ValidationError("--\(name) \(value): expected at least 1") }
    }
    if let shots, shots < 0 { throw ValidationError("--shots \(shots): expected at least 0") }
    if thinkBudget != nil && thinkBudgets != nil {
      throw ValidationError("--think-budget and --think-budgets exclude each other")
    }
    if names.contains("") {
      throw ValidationError("--bench \(bench): expected names separated by commas")
    }
    if journal != nil && names.count > 1 {
      throw ValidationError("--journal is one file; it excludes several benchmarks")
    }
    if dropDamaged && retryFailed {
      throw ValidationError("--drop-damaged and --retry-failed exclude each other")
    }
    if endpoint.isGiven, let flag = flagsOfTheEngine.first(where: \.isGiven)?.name {
      throw ValidationError("--\(flag) is the server's to know; it excludes --endpoint")
    }
    if force && thinkBudget == nil && thinkBudgets == nil {
      throw ValidationError("--force needs --think-budget or --think-budgets")
    }
  }

  mutating func run() throws {
    if list { return try ListBenchmarks.list(data: data) }
    if let text = comparison.text {
      let models = try CompareModels(comparison.compare, model)
      let results = try models.table(URL(fileURLWithPath: text), window: comparison.tokens)
      return Console.write(results.text(table.format))
    }
    try checkJournal()
    let shard = try shard ?? jobShard()
    let finder = try BenchmarkFinder(data: data, model.hub.use)
    // All of them are looked for before the first is run.
    let boards = try names.compactMap { try finder.catalog.leaderboard(named: $0) }
    let found = try benchmarkNames(boards).map { try finder.find($0, shots: shots, form: form) }
    if journal != nil && found.count > 1 {
      throw UserError("--journal is one file; it excludes a leaderboard of several benchmarks")
    }
    try found.forEach { try checkFlags(for: $0.definition) }
    for note in found.compactMap(\.note) { Console.note("note: \(note)") }
    if !endpoint.isGiven {
      try chooseByMemory(
        tokens: maxTokens ?? found.map(\.definition.limits.tokens).min() ?? .max)
    }
    let sandbox = try Sandbox.made(for: found.compactMap(\.items), isOpen: unsafeCode)
    let subjects = try subjects(of: found.map(\.definition))
    let benchmarks = try zip(found, subjects).map { try $1.benchmark($0) }
    var rows: [SummaryTable.Run] = []
    var journals: [URL] = []
    for (benchmark, subject) in zip(benchmarks, subjects) {
      let (row, files) = try run(benchmark, shard, subject, sandbox)
      rows += row
      journals += files
    }
    table.write(rows)
    for board in boards {
      let runs = zip(rows, journals).map { LeaderboardRun(summary: $0.summary, journal: $1) }
      print(try LeaderboardTable(board, finder.catalog).text(of: runs))
    }
    for journal in journals { Console.note("journal: \(journal.relativePath)") }
  }

  /// Flags that say how a reply is generated have no effect where candidates are scored.
  private func checkFlags(for definition: BenchmarkDefinition) throws {
    guard definition.grading.isOfLikelihoods else { return }
    if endpoint.isGiven, definition.grading.isOfText {
      throw UserError(
        "--endpoint: \(definition.name) scores a text in windows of tokens, which a model in this process reads"
      )
    }
    let given = [
      ("think-budget", thinkBudget != nil), ("think-budgets", thinkBudgets != nil),
      ("samples", samples != nil), ("max-tokens", maxTokens != nil),
      ("speculate", speculation.speculate), ("draft", speculation.draft != nil),
      ("confidence", confidence != nil),
    ]
    if let flag = sampling.given {
      Console.note("warning: \(definition.name) scores likelihoods: --\(flag) had no effect")
    }
    if let flag = given.first(where: \.1)?.0 {
      throw UserError("--\(flag): \(definition.name) scores likelihoods and generates nothing")
    }
  }

  /// The benchmarks asked for, each once.
  private var names: [String] {
    var names: [String] = []
    for name in bench.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    where !names.contains(name) {
      names.append(name)
    }
    return names
  }

  /// The benchmarks asked for, those of leaderboards in the place of their names, each once.
  private func benchmarkNames(_ boards: [Leaderboard]) -> [String] {
    var all: [String] = []
    for name in names {
      let members = boards.first { $0.name == name }?.benchmarks ?? [name]
      all += members.filter { !all.contains($0) }
    }
    return all
  }

  /// What the benchmarks are run on: each asks an endpoint in its own form.
  private mutating func subjects(
    of definitions: [BenchmarkDefinition]
  ) throws -> [any BenchmarkSubject] {
    guard endpoint.isGiven else {
      let checkpoint = try Checkpoint(model)
      try model.takePolicyFile(for: checkpoint)
      speculation.noteBatch(batch)
      let subject = ModelSubject(
        checkpoint: checkpoint, model: model, memory: memory, batch: batch, force: force,
        speculation: speculation, confidenceWindow: confidence)
      return definitions.map { _ in subject }
    }
    return try definitions.map { definition in
      let thinks = thinkBudget != nil || thinkBudgets != nil || definition.limits.thinking != nil
      let found = try EndpointModel(
        endpoint, form: definition.form ?? .chat, kv: model.cache.isGiven ? model.kvPolicy() : nil,
        thinking: thinks, forced: force, scores: definition.grading.isOfLikelihoods)
      return EndpointSubject(endpoint: found, concurrency: batch, flags: endpoint)
    }
  }

  /// Flags of a model in this process.
  private var flagsOfTheEngine: [(name: String, isGiven: Bool)] {
    let isAutomatic = if case .auto = model.numerics { true } else { false }
    return [
      ("model", model.named != nil), ("memory", memory.memory != nil),
      ("numerics", !isAutomatic), ("head-bits", model.headBits.value != nil),
      ("kv-policy", model.cache.policyFile != nil), ("speculate", speculation.speculate),
      ("draft", speculation.draft != nil), ("confidence", confidence != nil),
    ]
  }

  /// Runs or continues one benchmark.
  private func run(
    _ benchmark: Benchmark, _ shard: Shard, _ subject: any BenchmarkSubject, _ sandbox: Sandbox?
  ) throws -> (rows: [SummaryTable.Run], journals: [URL]) {
    let (source, runs) = try runs(of: benchmark, shard, subject, sandbox)
    let sweep = try BudgetSweep(runs)
    let results = try source.results(
      of: sweep, "\(benchmark.definition.name)  \(subject.name)",
      damage: dropDamaged ? .drop : retryFailed ? .dropFailed : .refuse)
    return (
      zip(sweep.runs, results).map { $1.row(named: $0.journal.runName) }, sweep.runs.map(\.journal)
    )
  }

  /// A run for each thinking budget, and who answers in them: as the flags say; else as journals
  /// that were begun in another way, where there is one.
  private func runs(
    of benchmark: Benchmark, _ shard: Shard, _ subject: any BenchmarkSubject, _ sandbox: Sandbox?
  ) throws -> (ReplySource, [EvaluationRun]) {
    let budgets = thinkBudgets?.values.map { $0 as Int? } ?? [thinkBudget]
    let drawn = try subject.sampling(sampling.filled(by: benchmark.definition))
    func runs(_ source: ReplySource) throws -> (ReplySource, [EvaluationRun]) {
      let runs = try budgets.map { budget in
        let scenario = try scenario(benchmark, drawn, engine: source.facts, thinking: budget)
        return try EvaluationRun(
          benchmark: benchmark, scenario: scenario, shard: shard,
          journal: journalFile(scenario, shard), sandbox: sandbox)
      }
      return (source, runs)
    }
    let standard = try runs(try subject.source())
    guard !standard.1.contains(where: \.isBegun), let earlier = try subject.earlierSource() else {
      return standard
    }
    let earlierRuns = try runs(earlier)
    guard earlierRuns.1.contains(where: \.isBegun) else { return standard }
    Console.note("note: going on with \(earlier.name), as the journal was begun")
    return earlierRuns
  }

  /// With a memory and nothing that says what to run in it, the planner chooses, for replies of so
  /// many tokens.
  private mutating func chooseByMemory(tokens: Int) throws {
    guard let given = memory.memory, model.named == nil, thinkBudget == nil, thinkBudgets == nil,
      samples == nil
    else { return }
    let planned = try PlannedRun(memory: given, tokens: tokens)
    planned.apply(to: &model)
    let load = planned.advice.configuration.load
    thinkBudget = load.thinkBudget
    samples = load.samples
  }

  /// The part that the place of this process in a job array stands for; all outside of job arrays.
  private func jobShard() throws -> Shard {
    guard let job = try JobArray(ProcessInfo.processInfo.environment) else { return .whole }
    Console.note("note: computing part \(job.shard), by \(job.source)")
    return job.shard
  }

  /// Everything that decides the replies; threads and batch do not.
  private func scenario(
    _ benchmark: Benchmark, _ drawn: Sampling, engine: [String: String], thinking: Int?
  ) throws -> Scenario {
    let limits = benchmark.definition.limits
    let isScored = benchmark.definition.grading.isOfLikelihoods
    return try Scenario(
      benchmark, limit: limit, samples: isScored ? nil : samples, seed: sampling.seed,
      sampling: drawn,
      limits: TokenLimits(
        tokens: maxTokens ?? limits.tokens,
        thinking: isScored ? nil : thinking ?? limits.thinking),
      engine: engine)
  }

  /// Makes sure, before anything is loaded, that the journal that was asked for can be written.
  private func checkJournal() throws {
    guard let journal else { return }
    let file = URL(fileURLWithPath: journal)
    let folder = file.deletingLastPathComponent()
    try makeFolder(folder)
    let place = FileManager.default.fileExists(atPath: file.path) ? file : folder
    guard access(place.path, W_OK) == 0 else {
      throw UserError(
        "--journal \(journal): \(place.path) cannot be written: \(String(cString: strerror(errno)))"
      )
    }
  }

  /// Makes the folder that the journal is to lie in.
  private func makeFolder(_ url: URL) throws {
    try OutputFolder.make(url, advice: "--journal FILE names another")
  }

  private func journalFile(_ scenario: Scenario, _ shard: Shard) throws -> URL {
    if let journal {
      let file = URL(fileURLWithPath: journal)
      try makeFolder(file.deletingLastPathComponent())
      guard thinkBudgets != nil, let budget = scenario.limits.thinking else { return file }
      let name = "\(file.deletingPathExtension().lastPathComponent)-\(budget)"
      return file.deletingLastPathComponent().appendingPathComponent(name)
        .appendingPathExtension(file.pathExtension)
    }
    let folder = URL(fileURLWithPath: "runs")
    try makeFolder(folder)
    let name = [
      scenario.benchmark, scenario.engine["model"], String(scenario.fingerprint.prefix(8)),
    ]
    let part = shard == .whole ? nil : "\(shard.index)of\(shard.count)"
    return folder.appendingPathComponent(
      (name + [part]).compactMap(\.self).joined(separator: "-") + ".jsonl")
  }
}
