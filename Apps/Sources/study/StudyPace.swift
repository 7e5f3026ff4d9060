import AppSupport
import Evaluation
import Foundation

/// How long the rest of a study takes, by what the journals say that the first part took.
struct StudyPace {
  /// By run, the bytes that generating it reads.
  private let works: [Double]

  init(_ runs: [StudyRun]) {
    var parameters: [String: Int] = [:]
    for model in Set(runs.map(\.source.model)) {
      parameters[model] = try? KnownShapes.shape(of: model).parameters
    }
    works = runs.map { Self.work(of: $0, parameters: parameters[$0.source.model] ?? 1) }
  }

  /// Work done and left, in tokens weighted by the size of the model, and the seconds that the
  /// former took.
  private struct Account {
    var done = 0.0
    var left = 0.0
    var seconds = 0.0
  }

  /// Seconds that are left, by the progress of every run; nil before anything is done.
  func secondsLeft(_ progress: [StudyJournals.Progress], concurrency: Int) -> Double? {
    var account = Account()
    for (work, progress) in zip(works, progress) {
      let share = progress.total.map { Double(progress.done) / Double(max($0, 1)) } ?? 0
      account.done += work * share
      account.left += work * (1 - share)
      account.seconds += progress.seconds / Double(concurrency)
    }
    return account.done > 0 ? account.left * account.seconds / account.done : nil
  }

  /// The bytes that generating a run reads: tokens x weights, by the parameters where they are
  /// known.
  private static func work(of run: StudyRun, parameters: Int) -> Double {
    Double(run.tokens.shared * run.replies) * Double(parameters) * Double(run.source.bits)
  }
}
