import AppSupport
import ArgumentParser
import Evaluation
import Foundation

/// `study report`: the page, the figures and the tables of a study.
struct ReportStudy: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report", abstract: "Draws what a study measured, complete or not.",
    discussion: "In place of a study's file it takes the results.json that it wrote.")

  @OptionGroup var study: StudyFolder
  @Option(help: "The folder to write (default: report in the study's folder).")
  var output: String?

  func run() throws {
    if study.file.hasSuffix(".json") {
      let file = URL(fileURLWithPath: study.file)
      return try draw(
        StudyResults(contentsOf: file),
        to: file.deletingLastPathComponent().appendingPathComponent("report"))
    }
    let definition = try study.definition()
    let results = try study.results(of: definition)
    guard !results.points.isEmpty else {
      throw UserError("nothing of \(definition.name) is measured yet; 'study run' does that")
    }
    try results.write(
      to: study.url(of: definition).appendingPathComponent("results.json"))
    try draw(results, to: study.url(of: definition).appendingPathComponent("report"))
  }

  private func draw(_ results: StudyResults, to usual: URL) throws {
    let folder = output.map { URL(fileURLWithPath: $0) } ?? usual
    let files = try StudyReport(results).write(to: folder)
    if !results.isComplete {
      Console.note(
        "note: \(results.points.count) of \(results.scenarios) scenarios are measured; the report says so"
      )
    }
    Console.note("report: \(files) files in \(folder.relativePath)")
  }
}
