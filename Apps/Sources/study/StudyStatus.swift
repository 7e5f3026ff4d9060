import AppSupport
import ArgumentParser
import Evaluation
import Foundation

/// `study status`: how far a study is, and how long the rest takes.
struct StudyStatus: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Says how far a study is; exit code 1 while runs are missing.")

  @OptionGroup var study: StudyFolder

  func run() throws {
    let definition = try study.definition()
    let (runs, journals) = (definition.runs, study.journals(of: definition))
    var rows = [["run", "budgets", "replies", "done"]]
    let progress = try runs.map { run in try journals.progress(of: run) }
    let complete = progress.count(where: \.isComplete)
    for (run, progress) in zip(runs, progress) {
      rows.append([
        run.name, "\(run.budgets.count)", "\(run.replies)",
        progress.total.map { "\(progress.done) of \($0)" } ?? "-",
      ])
    }
    let tokens = definition.tokensPerProblem
    let saving = Double(tokens.naive) / Double(max(tokens.shared, 1))
    Console.write(Text.table(rows) + "\n\n")
    Console.write(
      "\(definition.scenarioCount) scenarios in \(runs.count) runs, of which \(complete) are complete. "
        + String(format: "Thought tokens: %.1f times fewer than one by one.\n", saving))
    if complete < runs.count {
      let pace = StudyPace(runs)
      if let left = pace.secondsLeft(progress, concurrency: definition.concurrency) {
        Console.write("Left: about \(Text.duration(left)).\n")
      }
      throw UserError("\(runs.count - complete) runs are not complete; 'study run' continues them")
    }
  }
}
