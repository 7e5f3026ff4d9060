import Foundation

/// Seconds of a study's replies, measured by themselves on a quiet machine: each budget without the
/// others, several times over. They take the place of those that came along with the replies.
public struct StudyTimes: Sendable {
  /// The study.
  public let definition: StudyDefinition
  /// The folder that holds the journals.
  public let folder: URL
  /// More repetitions are a mistake.
  public static let mostRepetitions = 100

  /// The times of a study in a folder, which need not exist yet.
  public init(_ definition: StudyDefinition, in folder: URL) {
    self.definition = definition
    self.folder = folder
  }

  /// The runs whose time the paper's figures show: the whole cache.
  public var runs: [StudyRun] {
    definition.runs.filter { $0.source.kv == .full && $0.source.scheme == nil }
  }

  /// Problems that are timed: two for each reply that is generated at a time, so that most of them
  /// run with the others beside them.
  public var problems: Int { min(2 * definition.concurrency, definition.limit ?? .max) }

  /// What `evaluate` is told as the journal; it adds the budget to the name.
  public func base(of run: StudyRun, repetition: Int) -> URL {
    folder.appendingPathComponent("\(run.name)-take\(repetition)").appendingPathExtension("jsonl")
  }

  /// The journal of a run at one budget.
  public func journal(of run: StudyRun, budget: Int, repetition: Int) -> URL {
    folder.appendingPathComponent("\(run.name)-take\(repetition)-\(budget)")
      .appendingPathExtension("jsonl")
  }

  /// Seconds of a reply.
  ///
  /// - Parameters:
  ///   - run: of the study.
  ///   - budget: one of its budgets.
  ///   - scenario: what the study's own replies were made with.
  /// - Returns: The median over repetitions of the mean; nil where none is complete.
  /// - Throws: ``EvaluationError`` for a damaged journal, and for one that was made with other
  ///   settings.
  func seconds(
    of run: StudyRun, budget: Int, beside scenario: Scenario
  ) throws(EvaluationError) -> Double? {
    var found: [Double] = []
    for repetition in 1...Self.mostRepetitions {
      let file = journal(of: run, budget: budget, repetition: repetition)
      guard FileManager.default.fileExists(atPath: file.path) else { break }
      let (header, tally) = try Summary.read(file)
      // Fewer problems and replies are timed; everything else has to be the same.
      let differences = header.scenario.differences(from: scenario).filter { difference in
        !["items", "samples", "token limit"].contains { difference.hasPrefix("\($0):") }
      }
      if !differences.isEmpty { throw .otherRun(file: file.path, differences: differences) }
      let replies = tally.outcomes.reduce(0) { $0 + $1.count }
      guard replies == header.expectedCount, replies > 0 else { continue }
      found.append(tally.cost.seconds / Double(replies))
    }
    guard !found.isEmpty else { return nil }
    let sorted = found.sorted()
    return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
  }
}
