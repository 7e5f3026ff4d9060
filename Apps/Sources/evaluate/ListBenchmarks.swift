import AppSupport
import ArgumentParser

/// `evaluate list`, also `evaluate --list`: the benchmarks and whether their data is here.
struct ListBenchmarks: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Lists the benchmarks.")

  @Option(help: "A folder that holds benchmark data.")
  var data: String?

  func run() throws { try Self.list(data: data) }

  /// Prints the shipped benchmarks.
  ///
  /// - Parameter data: A folder that may hold their data.
  /// - Throws: `EvaluationError` for definitions that are missing or wrong.
  static func list(data: String?) throws {
    let finder = try BenchmarkFinder(data: data)
    var rows = [["name", "problems", "data", "title"]]
    for name in finder.names {
      let definition = try finder.definition(name)
      rows.append([
        name, "\(definition.size)", finder.hasData(definition) ? "here" : "to fetch",
        definition.title,
      ])
    }
    for name in finder.catalog.leaderboards {
      guard let board = try finder.catalog.leaderboard(named: name) else { continue }
      rows.append([name, "-", "-", "\(board.title): " + board.benchmarks.joined(separator: ", ")])
    }
    print(Text.table(rows))
  }
}
