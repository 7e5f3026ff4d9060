import Foundation
import MemoryPlanner
import SystemCalls

/// The report of a study: one page that needs nothing else, and the drawings and tables behind it.
public struct StudyReport: Sendable {
  private let results: StudyResults
  /// The paper's six findings on this data.
  public let findings: [StudyFinding]

  /// The report of what was measured, complete or not.
  public init(_ results: StudyResults) {
    self.results = results
    findings = results.findings ?? StudyFindings(StudyView(results.points)).all.map(\.finding)
  }

  /// Writes `index.html`, `points.csv`, `findings.csv`, `rules.csv` where there are any, and an SVG and a CSV file for every panel.
  ///
  /// - Returns: How many files there are.
  /// - Throws: ``EvaluationError/file(path:reason:)``.
  public func write(to folder: URL) throws(EvaluationError) -> Int {
    try EvaluationError.wrapping { () throws(FileError) in try FileCalls.makeFolder(folder.path) }
    let figures = StudyFigures(results).all
    var files = [("points.csv", pointTable), ("findings.csv", findingTable)]
    if results.rules != nil { files.append(("rules.csv", ruleTable)) }
    for panel in figures.flatMap(\.panels) {
      files.append(("\(panel.file).svg", SVGChart(panel).text))
      files.append(("\(panel.file).csv", panel.csv))
    }
    files.append(("index.html", StudyPage(results, findings, figures).text))
    for (name, text) in files {
      try EvaluationError.wrapping { () throws(FileError) in
        try AtomicFile.write(Data(text.utf8), to: folder.appendingPathComponent(name).path)
      }
    }
    return files.count
  }

  private var pointTable: String {
    let header = [
      "benchmark", "task", "model", "parameters", "weight_bits", "scheme", "kv", "think_budget",
      "samples",
      "accuracy", "standard_error", "replies", "weights_bytes", "kv_bytes", "total_bytes",
      "seconds",
      "tokens",
    ]
    let rows = results.points.map { point in
      [
        point.benchmark, point.task.rawValue, point.model, "\(point.parameters)", "\(point.bits)",
        point.scheme ?? "", point.kv, "\(point.thinkBudget)", "\(point.samples)",
        "\(point.accuracy)",
        point.standardError.map { "\($0)" } ?? "", "\(point.replies)", "\(point.weightsBytes)",
        "\(point.kvBytes)", "\(point.totalBytes)", "\(point.seconds)", "\(point.tokens)",
      ]
    }
    return Self.csv([header] + rows)
  }

  private var ruleTable: String {
    let rows = (results.rules ?? []).map { outcome in
      let point = outcome.point
      return [
        point.benchmark, point.model, point.form, point.kv, "\(point.thinkBudget)",
        "\(point.samples)", outcome.rule, "\(point.accuracy)", "\(outcome.difference)",
        outcome.differenceError.map { "\($0)" } ?? "", "\(point.tokens)", "\(outcome.fullTokens)",
      ]
    }
    let header = [
      "benchmark", "model", "format", "kv", "think_budget", "samples", "rule", "accuracy",
      "difference", "difference_error", "tokens", "full_tokens",
    ]
    return Self.csv([header] + rows)
  }

  private var findingTable: String {
    Self.csv(
      [["finding", "claim", "verdict", "support", "evidence"]]
        + findings.map {
          [
            "\($0.number)", $0.claim, $0.verdict.rawValue, $0.support.map { "\($0)" } ?? "",
            $0.evidence,
          ]
        })
  }

  private static func csv(_ rows: [[String]]) -> String {
    rows.map { $0.map(Chart.quoted).joined(separator: ",") + "\r\n" }.joined()
  }
}
