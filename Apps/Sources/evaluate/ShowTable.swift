import ArgumentParser
import Foundation

/// `evaluate table FILE...`: results side by side.
struct ShowTable: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "table", abstract: "Prints stored results side by side.")

  @Argument(help: "Result files, runs/*.result.json.")
  var files: [String]
  @OptionGroup var table: TableFlags

  func run() throws {
    table.write(
      try files.map { file in
        let url = URL(fileURLWithPath: file)
        return try RunResult(contentsOf: url).row(named: url.runName)
      })
  }
}
