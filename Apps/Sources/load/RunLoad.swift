import AppSupport
import ArgumentParser
import Evaluation
import Foundation
import ModelLoader
import Serving
import Synchronization
import TextGeneration

extension LoadReport.Mode: ExpressibleByArgument {}

/// `load`: measures use cases.
struct RunLoad: CommandOfOtherWork {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Measures use cases (the default).")

  static let otherWork = [
    OtherWork(
      "endpoint", "asks a server",
      without: ["threads", "numerics", "head-bits", "concurrency", "pull", "offline"])
  ]

  @OptionGroup(title: "Model") var model: ModelFlags
  @OptionGroup(title: "Memory") var memory: MemoryFlags
  @OptionGroup(title: "Endpoint") var endpoint: EndpointPlaceFlags
  @Option(help: "One request at a time (sync), or the highest rate that holds the limits (async).")
  var mode = LoadReport.Mode.latency
  @Option(help: "Requests of each measurement.")
  var requests = 8
  @Option(help: "Rates that async tries for a use case (default: 6).")
  var steps: Int?
  @Option(help: "Requests decoded together by a model in this process.")
  var concurrency = 16
  @Option(help: "Only these use cases, by name, separated by commas.")
  var cases: String?
  @Option(help: ArgumentHelp("A file of other use cases.", valueName: "file.yaml"))
  var useCases: String?
  @Option(help: "Multiply all lengths by it, for models with a short context.")
  var scale = 1.0
  @Option(help: "What an hour of the machine costs, for queries per unit of cost.")
  var pricePerHour: Double?
  @Option(help: "What the report is called beside others (default: the format of the weights).")
  var label: String?
  @Option(help: ArgumentHelp("Store the report for 'load table'.", valueName: "file.json"))
  var output: String?
  @OptionGroup var report: ReportFlags

  func validate() throws {
    for (name, value) in [
      ("requests", requests), ("steps", steps ?? 1), ("concurrency", concurrency),
    ] where !(1...100_000).contains(value) {
      throw ValidationError("--\(name) \(value): expected 1 to 100000")
    }
    if steps != nil, mode != .throughput { throw ValidationError("--steps needs --mode async") }
    guard scale > 0, scale <= 1000 else {
      throw ValidationError("--scale \(scale): expected a number above 0")
    }
    if let pricePerHour, !(pricePerHour > 0 && pricePerHour.isFinite) {
      throw ValidationError("--price-per-hour \(pricePerHour): expected a number above 0")
    }
    let cache = model.cache.isGiven || model.cache.policyFile != nil
    if endpoint.isGiven, model.named != nil || memory.memory != nil || cache {
      throw ValidationError("--endpoint excludes --model, --memory and the flags of a cache")
    }
  }

  mutating func run() throws {
    let chosen = try chosenCases()
    let local = endpoint.isGiven ? nil : try engine()
    defer { local?.engine.stop() }
    let target: any LoadTarget = try local ?? EndpointTarget(endpoint)
    let run = LoadRun(target: target, requests: requests, steps: steps ?? 6)
    var rows: [LoadRow] = []
    for useCase in chosen {
      if let context = target.context, useCase.prompt + useCase.generated > context {
        Console.note(
          "note: \(useCase.name) is left out: \(useCase.prompt + useCase.generated) tokens, the model's context holds \(context); --scale shortens all"
        )
        continue
      }
      Console.note("\(useCase.title): \(useCase.prompt) + \(useCase.generated) tokens")
      let mode = mode
      rows.append(
        try Self.wait {
          switch mode {
          case .latency: try await run.latency(useCase)
          case .throughput: try await run.throughput(useCase)
          }
        })
    }
    guard !rows.isEmpty else { throw UserError("no use case is left to be measured") }
    let made = LoadReport(
      model: target.model, format: label ?? target.format, mode: mode, pricePerHour: pricePerHour,
      rows: rows)
    if let output { try ReportFlags.store(made.json(), in: output) }
    try report.write(LoadComparison([made]))
    for row in rows where row.rate == 0 {
      Console.note("warning: \(row.useCase.name): no rate that was tried holds the limits")
    }
  }

  /// The use cases that are asked for, at the lengths that are asked for.
  private func chosenCases() throws -> [UseCase] {
    let all =
      try useCases.map { try UseCase.read(URL(fileURLWithPath: $0)) }
      ?? BenchmarkCatalog(Resources.search).useCases()
    let names = cases?.split(separator: ",").map(String.init) ?? all.map(\.name)
    let chosen = try names.map { name in
      guard let found = all.first(where: { $0.name == name }) else {
        let known = all.map(\.name).joined(separator: ", ")
        throw UsageError("--cases: there is no use case '\(name)'; there are \(known)")
      }
      return found
    }
    return chosen.map { useCase in
      func scaled(_ length: Int) -> Int { max(1, Int((Double(length) * scale).rounded())) }
      return UseCase(
        name: useCase.name, title: useCase.title, prompt: scaled(useCase.prompt),
        generated: scaled(useCase.generated), limits: useCase.limits)
    }
  }

  /// A model in this process.
  private mutating func engine() throws -> EngineTarget {
    let checkpoint = try Checkpoint(model)
    try model.takePolicyFile(for: checkpoint)
    let loaded = try LoadedModel(model, checkpoint)
    let kv = try model.kvPolicy()
    try kv.check(loaded.decoder.shape.cacheShape)
    let bytes = try memory.kvByteBudget(beside: loaded, kv: kv, sequences: concurrency)
    try memory.checkRoom(kvByteBudget: bytes)
    let engine = try loaded.engine(
      kv: kv,
      limits: DecodingBatch.Limits(concurrency: concurrency, kvByteBudget: bytes),
      queuedTexts: 100_000, proposer: nil)
    return EngineTarget(
      model: loaded.name, format: loaded.decoder.formatName,
      context: loaded.decoder.shape.contextLength, engine: engine,
      tokenizer: try loaded.requireTokenizer())
  }

  /// Waits for asynchronous work, and for what ctrl-C does to it.
  private static func wait<Value: Sendable>(
    _ body: @escaping @Sendable () async throws -> Value
  ) throws -> Value {
    let outcome = Mutex<Result<Value, any Error>?>(nil)
    let done = DispatchSemaphore(value: 0)
    let task = Task {
      let result: Result<Value, any Error>
      do { result = .success(try await body()) } catch { result = .failure(error) }
      outcome.withLock { $0 = result }
      done.signal()
    }
    while done.wait(timeout: .now() + .milliseconds(50)) == .timedOut {
      if Interrupts.isPending { task.cancel() }
    }
    return try outcome.withLock { $0 }?.get() ?? { throw UserError("interrupted") }()
  }
}
