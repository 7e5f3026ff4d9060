import AppSupport
import ArgumentParser
import Evaluation
import Foundation

/// Which study, and where its things lie; the same in every subcommand.
struct StudyFolder: ParsableArguments {
  @Argument(help: "The study's file, such as studies/nano.yaml.")
  var file: String
  @Option(help: "The folder of the study (default: out/study-NAME).")
  var folder: String?

  func validate() throws {
    if folder == "" { throw ValidationError("--folder is empty; expected the name of a folder") }
  }

  /// The study as read.
  ///
  /// - Throws: `EvaluationError` naming file and key.
  func definition() throws -> StudyDefinition {
    try StudyDefinition(
      contentsOf: URL(fileURLWithPath: file), evictions: Known.evictions)
  }

  /// The folder of a study.
  func url(of definition: StudyDefinition) -> URL {
    URL(fileURLWithPath: folder ?? "out/study-\(definition.name)")
  }

  /// Its journals.
  func journals(of definition: StudyDefinition) -> StudyJournals {
    StudyJournals(definition, in: url(of: definition).appendingPathComponent("journals"))
  }

  /// Its times, measured by themselves.
  func times(of definition: StudyDefinition) -> StudyTimes {
    StudyTimes(definition, in: url(of: definition).appendingPathComponent("times"))
  }

  /// What its journals say so far.
  ///
  /// - Throws: `EvaluationError` for a journal; what is wrong with a model.
  func results(of definition: StudyDefinition) throws -> StudyResults {
    let models = Set(definition.runs.map(\.source.model))
    let shapes = try models.map { ($0, try KnownShapes.shape(of: $0).parameters) }
    return try journals(of: definition)
      .results(parameters: Dictionary(uniqueKeysWithValues: shapes), times: times(of: definition))
  }

  /// Where a quantized model lies.
  func model(_ source: StudyRun.Source, of definition: StudyDefinition) -> URL {
    let name = source.model.split(separator: "/").last.map(String.init) ?? source.model
    return url(of: definition).appendingPathComponent("models")
      .appendingPathComponent(
        "\(name)-\(source.scheme?.rawValue ?? "\(definition.method)-\(source.bits)bit")")
  }
}
