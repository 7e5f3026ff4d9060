import AppSupport
import ArgumentParser
import Evaluation
import Foundation
import Generation
import Models

/// `evaluate --bench NAME`: runs or continues a benchmark.
struct RunBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Runs or continues a benchmark (the default).")

  @OptionGroup(title: "Model") var model: ModelFlags
  @OptionGroup(title: "Sampling") var sampling: SamplingFlags

  @Option(help: "Benchmark to run, or a definition file (.yaml); see 'evaluate list'.")
  var bench = "nano-math"
  @Option(help: "Ask only the first so many problems.")
  var limit: Int?
  @Option(help: "Replies to each problem (default: the benchmark's).")
  var samples: Int?
  @Option(help: "Most tokens of a reply (default: the benchmark's).")
  var maxTokens: Int?
  @Option(help: "Replies generated together; changes the speed, never a reply.")
  var batch = 16
  @Option(help: "A folder that holds the benchmark's data.")
  var data: String?
  @Option(help: "The journal to write or continue (default: runs/BENCH-MODEL-FINGERPRINT.jsonl).")
  var journal: String?
  @Flag(help: "Print the result as JSON.")
  var json = false

  func validate() throws {
    guard (1...4096).contains(batch) else {
      throw ValidationError("--batch \(batch): expected 1 to 4096")
    }
    for (name, value) in [("limit", limit), ("samples", samples), ("max-tokens", maxTokens)] {
      if let value, value < 1 { throw ValidationError("--\(name) \(value): expected at least 1") }
    }
  }

  func run() throws {
    let benchmark = try BenchmarkFinder(data: data).benchmark(bench)
    let loaded = try LoadedModel(model)
    let scenario = try scenario(benchmark, loaded)
    let file = try journalFile(scenario, loaded)
    let run = try EvaluationRun(benchmark: benchmark, scenario: scenario, journal: file)
    let responder = try EngineResponder(
      loaded, format: model.kv ?? .bf16, sampling: options(benchmark, loaded), batch: batch)
    let line = ProgressLine("\(benchmark.definition.name)  \(loaded.name)")
    let (summary, notes) = try run.run(with: responder) { progress in
      let accuracy =
        progress.done > 0
        ? String(format: "%.1f %% right", 100 * Double(progress.correct) / Double(progress.done))
        : ""
      line.show(progress.done, of: progress.total, detail: accuracy)
    }
    for note in notes { Console.note("note: \(note)") }
    let result = RunResult(
      model: loaded.name, weights: loaded.decoder.formatName, summary: summary,
      rate: responder.rate)
    let resultFile = file.deletingPathExtension().appendingPathExtension("result.json")
    try result.keepingRate(of: resultFile).write(to: resultFile)
    print(json ? try result.json() : result.text(journal: file.relativePath))
  }

  private func options(_ benchmark: Benchmark, _ loaded: LoadedModel) throws -> SamplingOptions {
    let own = benchmark.definition.sampling
    var flags = sampling
    if !flags.greedy {
      flags.temperature = flags.temperature ?? own.temperature.map { Float($0) }
      flags.topP = flags.topP ?? own.topP.map { Float($0) }
      flags.topK = flags.topK ?? own.topK
      flags.minP = flags.minP ?? own.minP.map { Float($0) }
    }
    return try flags.options(generationConfig: loaded.checkpoint.generationConfig)
  }

  /// Everything that decides the replies; threads and batch do not.
  private func scenario(_ benchmark: Benchmark, _ loaded: LoadedModel) throws -> Scenario {
    let options = try options(benchmark, loaded)
    let limits = benchmark.definition.limits
    return try Scenario(
      benchmark, limit: limit, samples: samples, seed: sampling.seed,
      sampling: Sampling(
        temperature: Double(options.temperature), topP: Double(options.topP), topK: options.topK,
        minP: Double(options.minP)),
      limits: TokenLimits(tokens: maxTokens ?? limits.tokens, thinking: limits.thinking),
      engine: [
        "model": loaded.name, "weights": try loaded.checkpoint.digest(),
        "kv": (model.kv ?? .bf16).rawValue,
      ])
  }

  private func journalFile(_ scenario: Scenario, _ loaded: LoadedModel) throws -> URL {
    if let journal { return URL(fileURLWithPath: journal) }
    let folder = URL(fileURLWithPath: "runs")
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch {
      throw UserError("\(folder.path): cannot be made; give --journal FILE")
    }
    return folder.appendingPathComponent(
      "\(scenario.benchmark)-\(loaded.name)-\(scenario.fingerprint.prefix(8)).jsonl")
  }
}
