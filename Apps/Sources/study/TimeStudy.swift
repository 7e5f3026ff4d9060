import AppSupport
import ArgumentParser
import Evaluation
import Foundation

/// `study time`: measures the seconds of replies by themselves, several times over.
struct TimeStudy: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "time",
    abstract:
      "Measures the seconds of a study's replies by themselves, on a machine that does nothing else.",
    discussion: """
      Every budget of every model with its whole cache is run alone on a few problems, once in each repetition, and \
      'study report' takes the median of the repetitions in the place of the seconds that came along with the replies. \
      It goes on where it was stopped; --again starts anew.
      """)

  @OptionGroup var study: StudyFolder
  @Option(help: "Times to measure everything.")
  var repetitions = 3
  @Flag(help: "Drop what was measured before.")
  var again = false
  @OptionGroup var work: StudyWorkFlags

  func validate() throws {
    guard (1...StudyTimes.mostRepetitions).contains(repetitions) else {
      throw ValidationError(
        "--repetitions \(repetitions): expected 1 to \(StudyTimes.mostRepetitions)")
    }
  }

  func run() throws {
    let definition = try study.definition()
    let commands = try StudyCommands(study, definition, work)
    let times = study.times(of: definition)
    if again { try removeAll(times.folder) }
    try OutputFolder.make(times.folder)
    try StudyNeeds(times.runs, data: work.data, work.hub.use) { study.model($0, of: definition) }
      .check()
    for repetition in 1...repetitions {
      for (index, run) in times.runs.enumerated() {
        Console.note(
          "take \(repetition) of \(repetitions), run \(index + 1) of \(times.runs.count): \(run.name)"
        )
        for budget in run.budgets {
          // A journal that is complete is left as it is.
          try commands.run(
            run.source, budgets: [budget], replies: 1, limit: times.problems,
            journal: times.base(of: run, repetition: repetition))
        }
      }
    }
    let count = times.runs.reduce(0) { $0 + $1.budgets.count }
    Console.note("\(count) times measured, \(repetitions) takes each; 'study report' uses them")
  }

  private func removeAll(_ folder: URL) throws {
    guard FileManager.default.fileExists(atPath: folder.path) else { return }
    do { try FileManager.default.removeItem(at: folder) } catch {
      throw UserError("\(folder.path): cannot be removed: \(error.localizedDescription)")
    }
  }
}
