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
    let isCompared = !others.isEmpty
    var rows = [
      [board.name, "score", "normalised"] + (isCompared ? ["against", "recovery"] : [])
    ]
    for score in scores {
      let other = baseline.first { $0.bench == score.bench }
      rows.append(
        [score.bench, Self.percent(score.raw, score.errors.raw)]
          + Self.compared(Value(score), isCompared, other.map(Value.init)))
    }
    let common = scores.filter { score in
      !isCompared || baseline.contains { $0.bench == score.bench }
    }
    if common.count == board.benchmarks.count {
      let raw = Value.mean(scores.map { Value(value: $0.raw, error: $0.errors.raw) })
      rows.append(
        ["mean", Self.percent(raw.value, raw.error)]
          + Self.compared(
            Value.mean(scores.map(Value.init)), isCompared, Value.mean(baseline.map(Value.init))))
    } else {
      rows.append(["mean", "-", "-"] + (isCompared ? ["-", "-"] : []))
    }
    return Text.table(rows)
  }

  /// A share with its standard error.
  private struct Value {
    let value: Double
    let error: Double?

    init(value: Double, error: Double?) {
      self.value = value
      self.error = error
    }

    init(_ score: Leaderboard.Score) {
      self.init(value: score.normalized, error: score.errors.normalized)
    }

    /// The mean of shares of different items.
    static func mean(_ values: [Value]) -> Value {
      let count = Double(max(values.count, 1))
      let errors = values.compactMap(\.error)
      return Value(
        value: values.reduce(0) { $0 + $1.value } / count,
        error: errors.count == values.count
          ? errors.reduce(0) { $0 + $1 * $1 }.squareRoot() / count : nil)
    }
  }

  /// A normalised score, and where runs are compared the other's and what is kept of it. The error of
  /// that takes both scores to err independently: runs of the same items err less.
  private static func compared(_ score: Value, _ isCompared: Bool, _ other: Value?) -> [String] {
    let cells = [percent(score.value, score.error)]
    guard isCompared else { return cells }
    guard let other else { return cells + ["-", "-"] }
    let kept = other.value > 0 ? score.value / other.value : nil
    let error: Double? = kept.flatMap { kept in
      guard let own = score.error, let its = other.error else { return nil }
      return (own * own + kept * kept * its * its).squareRoot() / other.value
    }
    return cells + [
      percent(other.value, other.error), kept.map { percent($0, error) + " %" } ?? "-",
    ]
  }

  private static func percent(_ share: Double, _ error: Double?) -> String {
    String(format: "%.2f", 100 * share)
      + (error.map { String(format: " ± %.2f", 100 * $0) } ?? "")
  }
}
