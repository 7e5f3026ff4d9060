import AppSupport
import Evaluation
import Foundation

/// The few figures that people look at first, a column per run.
struct BriefTable {
  private let runs: [SummaryTable.Run]

  init(_ runs: [SummaryTable.Run]) { self.runs = runs }

  /// Aligned columns, fields down.
  var text: String {
    var rows = [["run"] + runs.map(\.name)]
    add("benchmark", to: &rows) { $0.scenario.benchmark }
    add("format", to: &rows) { $0.scenario.engine["weights"] }
    add("weights", to: &rows) { Self.mebibytes($0.cost.weightsBytes) }
    add("KV of a reply", to: &rows) { Self.mebibytes($0.cost.kvBytes) }
    add("peak", to: &rows) { Self.mebibytes($0.cost.peakBytes) }
    add("accuracy", to: &rows) { Self.percent($0.accuracy) }
    let sizes = Set(runs.flatMap { $0.summary.groups.map(\.size) }).filter { $0 > 1 }.sorted()
    for size in sizes {
      add("maj@\(size)", to: &rows) { summary in
        summary.groups.first { $0.size == size }.map { Self.percent($0.majority) }
      }
    }
    add("replies", to: &rows) { "\($0.replies)" }
    add("cut off, unparsed", to: &rows) { "\($0.flags.truncated), \($0.flags.unparsed)" }
    add("tokens a reply", to: &rows) { summary in
      "\((summary.tokens.thought + summary.tokens.answer) / max(summary.replies, 1))"
    }
    rows.append(
      ["tokens/s"]
        + runs.map { run in
          run.tokensPerSecond.map { String(format: "%.0f", $0) } ?? "-"
        })
    return Text.table(rows) + "\n"
  }

  /// Adds a row unless no run has a value.
  private func add(_ field: String, to rows: inout [[String]], _ value: (Summary) -> String?) {
    let values = runs.map { value($0.summary) }
    guard values.contains(where: { $0 != nil }) else { return }
    rows.append([field] + values.map { $0 ?? "-" })
  }

  private static func mebibytes(_ bytes: Int64?) -> String? {
    bytes.map { Text.bytes(Int($0)) }
  }

  private static func percent(_ estimate: Estimate?) -> String {
    guard let estimate else { return "none" }
    let error = estimate.standardError.map { String(format: " ± %.1f", 100 * $0) } ?? ""
    return String(format: "%.1f", 100 * estimate.value) + error + " %"
  }
}
