import AppSupport
import ArgumentParser
import Evaluation
import Foundation

/// `evaluate regrade RUN --output OUT`: grades stored texts again.
struct RegradeRun: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "regrade",
    abstract:
      "Grades the stored replies of a run again, without generating; prints before and after.")

  @Argument(help: "The journal of the run.")
  var journal: String
  @Option(help: "The journal to write; it must not exist yet.")
  var output: String
  @Option(
    help: "Definition file (.yaml) to grade by (default: the shipped one of the run's benchmark).")
  var bench: String?
  @OptionGroup var table: TableFlags

  func run() throws {
    let (old, new) = (URL(fileURLWithPath: journal), URL(fileURLWithPath: output))
    guard !FileManager.default.fileExists(atPath: new.path) else {
      throw UserError("\(new.path): exists")
    }
    let name = try bench ?? EvaluationRun.benchmarkName(of: old)
    let definition = try BenchmarkFinder(data: nil).definition(name)
    let (before, after) = try EvaluationRun.regrade(old, with: definition, into: new) {
      Console.note("warning: \($0)")
    }
    var result = RunResult(summary: after)
    try result.save(beside: new)
    table.write([
      SummaryTable.Run(name: old.runName, summary: before), result.row(named: new.runName),
    ])
  }
}
