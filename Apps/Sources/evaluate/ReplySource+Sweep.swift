import AppSupport
import Evaluation
import Foundation

extension ReplySource {
  /// Runs or continues a sweep, and stores the results beside its journals; who answers is made only
  /// where a reply lacks a record.
  ///
  /// - Returns: the result of each run.
  func results(
    of sweep: BudgetSweep, _ title: String, damage: DamagePolicy
  ) throws -> [RunResult] {
    let (results, rate) = try results(of: sweep, title, damage)
    for note in results.flatMap(\.notes) { Console.note("note: \(note)") }
    return try zip(sweep.runs, results).map { run, result in
      var stored = RunResult(summary: result.summary, tokensPerSecond: rate)
      try stored.save(beside: run.journal)
      return stored
    }
  }

  private func results(
    of sweep: BudgetSweep, _ title: String, _ damage: DamagePolicy
  ) throws -> (results: [(summary: Summary, notes: [String])], rate: Double?) {
    if let results = try sweep.finished(damage: damage) { return (results, nil) }
    let responder = try responder()
    let line = ProgressLine(title)
    let hasRightReplies = sweep.runs[0].scenario.grading.hasRightReplies
    let results = try sweep.run(with: responder, damage: damage) { progress in
      let share = 100 * Double(progress.correct) / Double(max(progress.done, 1))
      line.show(
        progress.done, of: progress.total,
        detail: progress.done > 0 && hasRightReplies ? String(format: "%.1f %% right", share) : "")
    }
    if let text = responder.speculation { Console.note("speculation: \(text)") }
    return (results, responder.rate)
  }
}
