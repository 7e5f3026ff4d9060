import AppSupport
import ArgumentParser
import Evaluation
import Foundation

/// `evaluate rules JOURNAL...`: what votes and thoughts that stop early would have saved.
struct StoppingRules: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rules",
    abstract: "Works out what votes and thoughts that stop early would have saved.",
    discussion: """
      One journal with several replies to each problem: votes that stop when they are decided. The journals of \
      --think-budgets: thoughts that stop when their answer no longer changes. Nothing is generated.
      """)

  @Argument(help: "One journal of several samples, or those of several thinking budgets.")
  var journals: [String]
  @Option(
    help: ArgumentHelp("Replies of a vote (default: all of the journal).", valueName: "count"))
  var samples: Int?

  func validate() throws {
    if let samples, samples < 2 {
      throw ValidationError("--samples \(samples): expected at least 2")
    }
    if samples != nil, journals.count > 1 {
      throw ValidationError("--samples is about votes, which come from one journal")
    }
  }

  func run() throws {
    let files = journals.map { URL(fileURLWithPath: $0) }
    if files.count == 1 {
      let pool = try VotePool(journal: files[0])
      let size = samples ?? pool.size
      guard size <= pool.size else {
        throw UsageError("--samples \(size): the journal holds \(pool.size) replies to a problem")
      }
      let rules: [VoteRule] = [.decided, .beta(0.99), .beta(0.95), .beta(0.9)]
      show(pool.outcomes(of: rules, samples: size), counted: "replies")
    } else {
      let pool = try ThoughtPool(journals: files)
      let rules = [2, 3, 4].compactMap { StableAnswer(agreeing: $0) }
      show(pool.outcomes(of: rules), counted: "probes")
    }
  }

  private func show(_ outcomes: [RuleOutcome], counted: String) {
    let full = outcomes.last { $0.difference == nil }
    let rows = outcomes.map { outcome in
      let saved = full.map { 1 - outcome.tokens.value / max($0.tokens.value, 1) } ?? 0
      return [
        outcome.rule, Self.percent(outcome.accuracy),
        outcome.difference.map { Self.percent($0, signed: true) } ?? "",
        String(format: "%.1f", outcome.count.value), String(format: "%.0f", outcome.tokens.value),
        String(format: "%.0f %%", 100 * saved),
      ]
    }
    print(Text.table([["rule", "accuracy", "difference", counted, "tokens", "saved"]] + rows))
  }

  private static func percent(_ estimate: Estimate, signed: Bool = false) -> String {
    String(format: signed ? "%+.1f" : "%.1f", 100 * estimate.value)
      + (estimate.standardError.map { String(format: " ± %.1f %%", 100 * $0) } ?? " %")
  }
}
