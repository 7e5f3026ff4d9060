import AppSupport
import ArgumentParser
import Evaluation
import Foundation

/// `evaluate leaderboard NAME RESULT...`: scores of a group of benchmarks, and what is left of
/// another model's.
struct ShowLeaderboard: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "leaderboard",
    abstract:
      "Prints the scores of a leaderboard's benchmarks from stored results, and their recovery against another model's.",
    discussion: """
      Normalised scores count from what guessing gives. Recovery is the share of the other model's score that is kept.
      """)

  @Argument(help: "The leaderboard, such as leaderboard-v1.")
  var name: String
  @Argument(help: "Result files, runs/*.result.json.")
  var files: [String]
  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("Result files of the model to compare with.", valueName: "file"))
  var against: [String] = []

  func run() throws {
    let finder = try BenchmarkFinder(data: nil)
    guard let board = try finder.catalog.leaderboard(named: name) else {
      throw UserError(
        "no leaderboard is called '\(name)'; known are "
          + finder.catalog.leaderboards.joined(separator: ", "))
    }
    let table = LeaderboardTable(board, finder.catalog)
    print(try table.text(of: Self.summaries(files), against: Self.summaries(against)))
  }

  private static func summaries(_ files: [String]) throws -> [Summary] {
    try files.map { try RunResult(contentsOf: URL(fileURLWithPath: $0)).summary }
  }
}

/// A leaderboard's scores as a table.
struct LeaderboardTable {
  private let board: Leaderboard
  private let catalog: BenchmarkCatalog

  init(_ board: Leaderboard, _ catalog: BenchmarkCatalog) {
    self.board = board
    self.catalog = catalog
  }

  /// The table of runs, with the recovery against others where there are some.
  ///
  /// - Throws: `UserError` where no run is of the board; `EvaluationError` for a run that lacks a
  ///   score.
  func text(of runs: [Summary], against others: [Summary] = []) throws -> String {
    let scores = try board.scores(of: runs, catalog)
    guard !scores.isEmpty else { throw UserError("none of the results is of \(board.name)") }
    let baseline = try board.scores(of: others, catalog)
    var rows = [
      [board.name, "score", "normalised"] + (baseline.isEmpty ? [] : ["against", "recovery"])
    ]
    for score in scores {
      let other = baseline.first { $0.bench == score.bench }
      rows.append(
        row(
          score.bench, score.raw, score.normalized,
          baseline.isEmpty ? nil : .some(other?.normalized)))
    }
    let common = scores.filter { score in
      baseline.isEmpty || baseline.contains { $0.bench == score.bench }
    }
    if common.count == board.benchmarks.count {
      let all = baseline.isEmpty ? nil : Self.mean(baseline.map(\.normalized))
      rows.append(
        row(
          "mean", Self.mean(common.map(\.raw)), Self.mean(common.map(\.normalized)),
          baseline.isEmpty ? nil : .some(all)))
    } else {
      rows.append(["mean", "-", "-"] + (baseline.isEmpty ? [] : ["-", "-"]))
    }
    return Text.table(rows)
  }

  private func row(
    _ name: String, _ raw: Double, _ normalized: Double, _ other: Double??
  ) -> [String] {
    func percent(_ share: Double) -> String { String(format: "%.2f", 100 * share) }
    let row = [name, percent(raw), percent(normalized)]
    guard let other else { return row }
    guard let other else { return row + ["-", "-"] }
    return row + [percent(other), other > 0 ? percent(normalized / other) + " %" : "-"]
  }

  private static func mean(_ values: [Double]) -> Double {
    values.reduce(0, +) / Double(max(values.count, 1))
  }
}
