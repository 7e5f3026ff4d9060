import AppSupport
import ArgumentParser
import Evaluation
import Foundation

/// `study run`: generates what is missing, run by run, and writes the results.
struct RunStudy: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Runs or continues a study.")

  @OptionGroup var study: StudyFolder
  @OptionGroup var work: StudyWorkFlags
  @Option(
    help:
      "Do the models of one of several parts, i/n, such as 2/4 (default: the task of a job array, or all).",
    transform: { try Shard($0) })
  var shard: Shard?

  func run() throws {
    let definition = try study.definition()
    let commands = try StudyCommands(study, definition, work)
    let part = try shard ?? JobArray(ProcessInfo.processInfo.environment)?.shard ?? .whole
    let runs = runs(of: part, definition)
    let journals = study.journals(of: definition)
    try OutputFolder.make(journals.folder)
    let pace = StudyPace(runs)
    var progress = try runs.map { run in try journals.progress(of: run) }
    let left = zip(runs, progress).filter { !$0.1.isFinished }.map(\.0)
    try StudyNeeds(left, data: work.data, work.hub.use) { study.model($0, of: definition) }.check()
    for (index, run) in runs.enumerated() where !progress[index].isFinished {
      let left = pace.secondsLeft(progress, concurrency: definition.concurrency)
      let eta = left.map { "  ETA \(Text.duration($0))" } ?? ""
      Console.note("run \(index + 1) of \(runs.count): \(run.name)\(eta)")
      try commands.run(
        run.source, budgets: run.budgets, replies: run.replies, limit: definition.limit,
        journal: journals.base(of: run))
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
}
