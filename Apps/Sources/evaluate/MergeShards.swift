import ArgumentParser
import Evaluation
import Foundation

/// `evaluate merge OUT SHARD...`: the journals of all shards as that of the undivided run.
struct MergeShards: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "merge",
    abstract:
      "Joins the journals of all shards of a run; says what is missing when some are not complete.")

  @Argument(help: "The journal to write; it must not exist yet.")
  var output: String
  @Argument(help: "The journals of all shards, in any order.")
  var shards: [String]
  @OptionGroup var table: TableFlags

  func run() throws {
    let journal = URL(fileURLWithPath: output)
    var result = RunResult(
      summary: try EvaluationRun.merge(shards.map { URL(fileURLWithPath: $0) }, into: journal))
    try result.save(beside: journal)
    table.write([result.row(named: journal.runName)])
  }
}
