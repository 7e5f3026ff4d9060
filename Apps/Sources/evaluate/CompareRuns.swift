import AppSupport
import ArgumentParser
import Evaluation
import Foundation

/// `evaluate compare RUN RUN`: the difference of two runs, paired problem by problem.
struct CompareRuns: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Compares two runs on the same problems: paired difference with its standard error.")

  @Argument(help: "The journal of the first run.")
  var first: String
  @Argument(help: "The journal of the second run.")
  var second: String

  func run() throws {
    let (one, two) = (URL(fileURLWithPath: first), URL(fileURLWithPath: second))
    let comparison = try RunComparison(first: one, second: two)
    let difference = comparison.difference
    print(
      Text.table([
        ["", "accuracy", "SE", "95 % interval"],
        row(one.runName, comparison.first, comparison.first.shareInterval),
        row(two.runName, comparison.second, comparison.second.shareInterval),
        row("difference", difference, difference.differenceInterval, signed: true),
      ]))
    print(
      "better on \(comparison.better) of \(difference.items) problems, worse on \(comparison.worse)"
    )
    if !comparison.settings.isEmpty {
      print("\(two.runName) has other settings than \(one.runName):")
      for setting in comparison.settings { print("  \(setting)") }
    }
  }

  private func row(
    _ name: String, _ estimate: Estimate, _ interval: ClosedRange<Double>?, signed: Bool = false
  ) -> [String] {
    func text(_ value: Double) -> String { String(format: signed ? "%+.4f" : "%.4f", value) }
    return [
      name, text(estimate.value), estimate.standardError.map { String(format: "%.4f", $0) } ?? "-",
      interval.map { "\(text($0.lowerBound)) to \(text($0.upperBound))" } ?? "-",
    ]
  }
}
