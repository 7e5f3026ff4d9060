import AppSupport
import ArgumentParser
import Evaluation
import Foundation

extension SummaryTable.Format: ExpressibleByArgument {}

/// How results are printed; the same in every command that prints some.
struct TableFlags: ParsableArguments {
  @Option(help: "How to print: table or markdown for readers, json or csv with every field.")
  var format = SummaryTable.Format.table

  /// Prints results on standard output, and what their reader has to know on standard error.
  func write(_ runs: [SummaryTable.Run]) {
    Console.write(SummaryTable(runs).text(format))
    for run in runs {
      for warning in run.summary.warnings {
        Console.note("warning: \(runs.count > 1 ? run.name + ": " : "")\(warning)")
      }
    }
  }
}
