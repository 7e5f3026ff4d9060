import AppSupport
import ArgumentParser
import Compression
import DecoderModels
import Evaluation
import Foundation
import SystemCalls
import Tensors

/// `study run`: generates what is missing, run by run, and writes the results.
struct RunStudy: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Runs or continues a study.")

  @OptionGroup var study: StudyFolder
  @Option(
    name: .shortAndLong,
    help: "Threads to compute with (default: the job's processors under Slurm, else all).")
  var threads: Int?
  @Option(help: "A folder that holds the benchmarks' data.")
  var data: String?
  @OptionGroup(title: "Hub") var hub: HubFlags
  @Option(
    help:
      "Do the models of one of several parts, i/n, such as 2/4 (default: the task of a job array, or all).",
    transform: { try Shard($0) })
  var shard: Shard?

  func run() throws {
    let definition = try study.definition()
    try checkPrecision(of: definition)
    let part = try shard ?? JobArray(ProcessInfo.processInfo.environment)?.shard ?? .whole
    let runs = runs(of: part, definition)
    let (quantize, evaluate) = (try Sibling("quantize"), try Sibling("evaluate"))
    let journals = study.journals(of: definition)
    try makeFolder(journals.folder)
    let pace = StudyPace(runs)
    var progress = try runs.map { run in try journals.progress(of: run) }
    let left = zip(runs, progress).filter { !$0.1.isComplete }.map(\.0)
    try StudyNeeds(left, data: data, hub.use) { study.model($0, of: definition) }.check()
    for (index, run) in runs.enumerated() where !progress[index].isComplete {
      let left = pace.secondsLeft(progress, concurrency: definition.concurrency)
      let eta = left.map { "  ETA \(Text.duration($0))" } ?? ""
      Console.note("run \(index + 1) of \(runs.count): \(run.name)\(eta)")
      let model = try prepared(run.source, definition, quantize)
      try evaluate.run(arguments(run, definition, model: model, journals: journals))
      progress[index] = try journals.progress(of: run)
    }
    guard part == .whole else {
      Console.note("part \(part) is done")
      return
    }
    let results = try study.results(of: definition)
    let file = study.url(of: definition).appendingPathComponent("results.json")
    try results.write(to: file)
    Console.note(
      "\(results.points.count) of \(results.scenarios) scenarios measured: \(file.relativePath)")
  }

  /// Refuses a way of computing that `evaluate` does not know, before any work.
  private func checkPrecision(of definition: StudyDefinition) throws {
    func check(_ key: String, _ value: String?, _ isKnown: (String) -> Bool, _ known: [String])
      throws
    {
      guard let value, !isKnown(value) else { return }
      throw UserError(
        "\(study.file): '\(key)' is '\(value)'; expected one of \(known.joined(separator: ", "))")
    }
    try check(
      "numerics", definition.numerics, { NumericsChoice(argument: $0) != nil },
      NumericsChoice.allValueStrings)
    try check(
      "head-bits", definition.headBits, { Automatic<HeadBits>(argument: $0) != nil },
      Automatic<HeadBits>.allValueStrings)
  }

  /// The runs of a part. All runs of one model at one precision fall into the same, which alone
  /// quantizes it.
  private func runs(of part: Shard, _ definition: StudyDefinition) -> [StudyRun] {
    var weights: [String] = []
    return definition.runs.filter { run in
      let name = "\(run.source.model) \(run.source.weights)"
      if !weights.contains(name) { weights.append(name) }
      return part.contains(item: weights.firstIndex(of: name) ?? 0, sample: 0, of: 1)
    }
  }

  private func makeFolder(_ url: URL) throws {
    do throws(FileError) { try FileCalls.makeFolder(url.path) } catch {
      throw UserError("\(error.path): cannot be made: \(error.reason)")
    }
  }

  /// The model of a run, quantized first where it has to be.
  private func prepared(
    _ source: StudyRun.Source, _ definition: StudyDefinition, _ quantize: Sibling
  ) throws -> String {
    if source.bits == 16 { return source.model }
    let folder = study.model(source, of: definition)
    if !FileManager.default.fileExists(atPath: folder.path) {
      try quantize.run(
        [
          "--model", source.model, "--output", folder.path,
        ]
          + (source.scheme.map { ["--scheme", $0.rawValue] } ?? [
            "--bits", "\(source.bits)", "--method", definition.method, "--group-size",
            "\(definition.groupSize)",
          ]) + threadFlags)
    }
    return folder.path
  }

  private var threadFlags: [String] { threads.map { ["--threads", "\($0)"] } ?? [] }

  private func arguments(
    _ run: StudyRun, _ definition: StudyDefinition, model: String, journals: StudyJournals
  ) -> [String] {
    let source = run.source
    var words = [
      "run", "--bench", source.benchmark, "--model", model, "--samples", "\(run.replies)",
      "--think-budgets", run.budgets.map(String.init).joined(separator: ","), "--force",
      "--seed", "\(definition.seed)", "--batch", "\(definition.concurrency)", "--shard", "1/1",
      "--journal", journals.base(of: run).path,
    ]
    if let limit = definition.limit { words += ["--limit", "\(limit)"] }
    if let temperature = definition.temperature { words += ["--temperature", "\(temperature)"] }
    if let numerics = definition.numerics { words += ["--numerics", numerics] }
    if let headBits = definition.headBits { words += ["--head-bits", headBits] }
    if let data { words += ["--data", data] }
    // Said even where it is the default, which a policy file beside the model would change.
    let cache = CacheFlags.words(source.kv)
    return words + (cache.isEmpty ? ["--kv", "\(source.kv)"] : cache) + threadFlags
  }
}
