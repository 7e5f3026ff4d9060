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
    print(
      try table.text(of: files.map(LeaderboardRun.init), against: against.map(LeaderboardRun.init)))
  }
}

/// A run whose scores a leaderboard shows.
struct LeaderboardRun {
  let summary: Summary
  /// Its journal, with which it can be compared item by item.
  let journal: URL

  init(summary: Summary, journal: URL) {
    self.summary = summary
    self.journal = journal
  }

  /// A stored result, which lies beside its journal.
  init(_ file: String) throws {
    let url = URL(fileURLWithPath: file)
    self.init(
      summary: try RunResult(contentsOf: url).summary, journal: RunResult.journal(of: url))
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
  func text(of runs: [LeaderboardRun], against others: [LeaderboardRun] = []) throws -> String {
    let scores = try board.scores(of: runs.map(\.summary), catalog)
    guard !scores.isEmpty else { throw UserError("none of the results is of \(board.name)") }
    let baseline = try board.scores(of: others.map(\.summary), catalog)
    let pairs = scores.map { score in
      let other = baseline.first { $0.bench == score.bench }
      return (score: score, other: other, difference: difference(score.bench, runs, others))
    }
    let isCompared = !others.isEmpty
    var rows = [
      [board.name, "score", "normalised"] + (isCompared ? ["against", "recovery"] : [])
    ]
    for pair in pairs {
      let own = [
        pair.score.bench, Self.percent(pair.score.raw, pair.score.errors.raw),
        Self.percent(pair.score.normalized, pair.score.errors.normalized),
      ]
      guard isCompared else {
        rows.append(own)
        continue
      }
      rows.append(
        own + [
          pair.other.map { Self.percent($0.normalized, $0.errors.normalized) } ?? "-",
          Self.text(
            pair.other.flatMap { Recovery(pair.score, of: $0, difference: pair.difference) }),
        ])
    }
    rows.append(mean(pairs, isCompared))
    return Text.table(rows)
  }

  private typealias Pair = (
    score: Leaderboard.Score, other: Leaderboard.Score?, difference: Estimate?
  )

  /// The last row: means, where all benchmarks are there.
  private func mean(_ pairs: [Pair], _ isCompared: Bool) -> [String] {
    let known = pairs.compactMap { pair in
      pair.other.map { (score: pair.score, other: $0, difference: pair.difference) }
    }
    let count = board.benchmarks.count
    guard pairs.count == count, !isCompared || known.count == count else {
      return ["mean", "-", "-"] + (isCompared ? ["-", "-"] : [])
    }
    let own = [
      "mean", Self.mean(pairs.map { ($0.score.raw, $0.score.errors.raw) }),
      Self.mean(pairs.map { ($0.score.normalized, $0.score.errors.normalized) }),
    ]
    guard isCompared else { return own }
    return own + [
      Self.mean(known.map { ($0.other.normalized, $0.other.errors.normalized) }),
      Self.text(Recovery(meanOf: known)),
    ]
  }

  /// The difference of two runs of a benchmark, where their journals are of the same items.
  private func difference(
    _ bench: String, _ runs: [LeaderboardRun], _ others: [LeaderboardRun]
  ) -> Estimate? {
    guard let run = runs.last(where: { $0.summary.scenario.benchmark == bench }),
      let other = others.last(where: { $0.summary.scenario.benchmark == bench })
    else { return nil }
    // Results whose journals are gone, or of other items, are compared without.
    return try? RunComparison(first: other.journal, second: run.journal).difference
  }

  /// The mean of shares of different items.
  private static func mean(_ values: [(value: Double, error: Double?)]) -> String {
    let count = Double(max(values.count, 1))
    let errors = values.compactMap(\.error)
    return percent(
      values.reduce(0) { $0 + $1.value } / count,
      errors.count == values.count
        ? errors.reduce(0) { $0 + $1 * $1 }.squareRoot() / count : nil)
  }

  private static func text(_ recovery: Recovery?) -> String {
    recovery.map { percent($0.share, $0.error) + " %" } ?? "-"
  }

  private static func percent(_ share: Double, _ error: Double?) -> String {
    String(format: "%.2f", 100 * share)
      + (error.map { String(format: " ± %.2f", 100 * $0) } ?? "")
  }
}
