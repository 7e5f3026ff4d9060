import AppSupport
import ArgumentParser
import Evaluation
import Foundation

extension SummaryTable.Format: ExpressibleByArgument {}

/// How results are printed; the same in every command that prints some.
struct TableFlags: ParsableArguments {
  @Option(
    help:
      "brief prints the figures people look at first; all fields: table or markdown for readers, json or csv for programs."
  )
  var format = SummaryTable.Format.brief

  /// Prints results on standard output, and what their reader has to know on standard error.
  func write(_ runs: [SummaryTable.Run]) {
    Console.write(SummaryTable(runs).text(format, width: Console.outputWidth ?? .max))
    for run in runs {
      for warning in run.summary.warnings {
        Console.note("warning: \(runs.count > 1 ? run.name + ": " : "")\(warning)")
      }
    }
  }
}
