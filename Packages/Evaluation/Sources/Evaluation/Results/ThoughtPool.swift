import Foundation

/// The answers of the same thoughts at several budgets, as a sweep stores them, from which thoughts
/// that stop early are worked out.
public struct ThoughtPool: Sendable {
  /// One thought at one budget.
  struct Probe: Sendable {
    let answer: String?
    let isRight: Bool
    let thoughtTokens: Int
    let answerTokens: Int
  }

  /// Thinking budgets in tokens, ascending.
  public let budgets: [Int]
  /// By question, sample and budget.
  let questions: [[[Probe]]]
  private let grading: GradingRule

  /// Reads the journals of a sweep, one for each budget.
  ///
  /// - Throws: ``EvaluationError`` for a damaged journal, for fewer than two budgets, and for runs
  ///   that differ in more than the budget or do not hold the same replies.
  public init(journals: [URL]) throws(EvaluationError) {
    var runs: [(budget: Int, scenario: Scenario, probes: [SampleID: Probe])] = []
    for journal in journals { runs.append(try Self.read(journal)) }
    runs.sort { $0.budget < $1.budget }
    guard let longest = runs.last, runs.count > 1,
      Set(runs.map(\.budget)).count == runs.count
    else { throw .notComparable(reason: "thoughts that stop need journals of several budgets") }
    for run in runs {
      let differences = run.scenario.withoutBudget.differences(from: longest.scenario.withoutBudget)
      guard differences.isEmpty, Set(run.probes.keys) == Set(longest.probes.keys) else {
        throw .notComparable(
          reason: "runs of one sweep differ in their thinking budget only: "
            + (differences.isEmpty
              ? "they hold other replies" : differences.joined(separator: "; "))
        )
      }
    }
    budgets = runs.map(\.budget)
    grading = longest.scenario.grading
    let byQuestion = Dictionary(grouping: longest.probes.keys.sorted(), by: \.index)
    questions = byQuestion.sorted { $0.key < $1.key }.map { _, ids in
      ids.map { id in runs.compactMap { $0.probes[id] } }
    }
  }

  private static func read(
    _ journal: URL
  ) throws(EvaluationError) -> (budget: Int, scenario: Scenario, probes: [SampleID: Probe]) {
    var probes: [SampleID: Probe] = [:]
    let index = try JournalIndex.read(journal) { record in
      guard record.response.finish != .failed else { return }
      probes[record.id] = Probe(
        answer: record.extracted, isRight: record.correct,
        thoughtTokens: record.response.thoughtTokens, answerTokens: record.response.answerTokens)
    }
    let scenario = try index.header(of: journal).scenario
    guard let budget = scenario.limits.thinking else {
      throw .notComparable(reason: "\(journal.path) was made without a thinking budget")
    }
    return (budget, scenario, probes)
  }

  /// What thinking to the end of each budget costs and scores, then what stopping as soon as k
  /// probes agree does, for each rule; differences are from the longest budget.
  public func outcomes(of rules: [StableAnswer]) -> [RuleOutcome] {
    let plain = budgets.indices.map { place in
      questions.map { samples in
        RuleOutcome.Cost.mean(samples.map { Self.cost(ofProbe: $0[place]) })
      }
    }
    let fixed = budgets.indices.compactMap { place in
      RuleOutcome(
        rule: "\(budgets[place]) tokens", plain[place],
        beside: place == budgets.count - 1 ? nil : plain.last)
    }
    return fixed
      + rules.compactMap { rule in
        let costs = questions.map { samples in
          RuleOutcome.Cost.mean(samples.map { cost(of: $0, rule) })
        }
        return RuleOutcome(rule: "\(rule)", costs, beside: plain.last)
      }
  }

  private static func cost(ofProbe probe: Probe) -> RuleOutcome.Cost {
    RuleOutcome.Cost(
      credit: probe.isRight ? 1 : 0, count: 1,
      tokens: Double(probe.thoughtTokens + probe.answerTokens))
  }

  /// The answers of all probes up to the last count as tokens, its thought once.
  private func cost(of probes: [Probe], _ rule: StableAnswer) -> RuleOutcome.Cost {
    let last =
      rule.stop(probes.map(\.answer)) { grading.areEqual($0, $1) } ?? probes.count - 1
    return RuleOutcome.Cost(
      credit: probes[last].isRight ? 1 : 0, count: Double(last + 1),
      tokens: Double(probes[last].thoughtTokens)
        + Double(probes[...last].reduce(0) { $0 + $1.answerTokens }))
  }
}
