import AppSupport
import ArgumentParser
import Foundation

/// `evaluate table FILE...`: results side by side.
struct ShowTable: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "table", abstract: "Prints stored results side by side.")

  @Argument(help: "Result files, runs/*.result.json.")
  var files: [String]

  func run() throws {
    var rows = [
      ["benchmark", "model", "weights", "weights MiB", "KV MiB", "accuracy", "tokens/s"]
    ]
    for file in files {
      let result = try RunResult(contentsOf: URL(fileURLWithPath: file))
      let cost = result.summary.cost
      rows.append([
        result.summary.scenario.benchmark, result.model, result.weights,
        mebibytes(cost.weightsBytes), mebibytes(cost.kvBytes), result.accuracy,
        result.rate.map { String(format: "%.0f", $0) } ?? "-",
      ])
    }
    print(Text.table(rows))
  }

  private func mebibytes(_ bytes: Int64?) -> String {
    bytes.map { String(format: "%.2f", Double($0) / 1_048_576) } ?? "-"
  }
}
