import AppSupport
import ArgumentParser
import Evaluation
import Foundation
import SystemCalls

/// The flags that say where reports go; the same for one and for several side by side.
struct ReportFlags: ParsableArguments {
  @Option(help: ArgumentHelp("Draw what requests are worth into this file.", valueName: "file.svg"))
  var svg: String?

  /// Prints reports as a table and stores the drawing.
  func write(_ comparison: LoadComparison) throws {
    Console.write(Text.table(comparison.cells) + "\n")
    if let svg { try Self.store(Data(comparison.svg.utf8), in: svg) }
  }

  /// Stores a file whole.
  static func store(_ data: Data, in path: String) throws {
    do throws(FileError) { try AtomicFile.write(data, to: path) } catch {
      throw UserError("\(path): cannot be written: \(error.reason)")
    }
  }
}

/// `load table`: stored reports side by side.
struct ShowLoad: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "table",
    abstract: "Compares stored reports; the first is what the others are measured against.")

  @Argument(help: ArgumentHelp("Files that 'load --output' made.", valueName: "report.json"))
  var reports: [String]
  @OptionGroup var report: ReportFlags

  func run() throws {
    let read = try reports.map { try LoadReport(contentsOf: URL(fileURLWithPath: $0)) }
    try report.write(LoadComparison(read))
  }
}
