import Foundation
import MemoryPlanner

/// What a rule that ends votes or thoughts early would have cost and scored in one configuration of
/// a study, worked out from the replies that it has anyway.
public struct StudyRuleOutcome: Sendable, Hashable, Codable {
  /// The configuration, its accuracy with the rule and the tokens of a question.
  public let point: StudyPoint
  /// The rule: `decided`, `beta:0.95`, `stable:4`.
  public let rule: String
  /// What it changes of the accuracy, paired by question.
  public let difference: Double
  /// The standard error of that; nil for a single question.
  public let differenceError: Double?
  /// Tokens of a question without the rule.
  public let fullTokens: Double

  enum CodingKeys: String, CodingKey {
    case point, rule, difference
    case differenceError = "difference_error"
    case fullTokens = "full_tokens"
  }

  /// The part of the tokens that it saves.
  public var saved: Double { fullTokens > 0 ? 1 - point.tokens / fullTokens : 0 }

  /// A rule's outcome beside that of doing everything; nil for the latter.
  init?(_ outcome: RuleOutcome, beside full: RuleOutcome, of whole: StudyPoint) {
    guard let difference = outcome.difference else { return nil }
    point = StudyPoint(
      benchmark: whole.benchmark, task: whole.task, model: whole.model,
      parameters: whole.parameters, bits: whole.bits, kv: whole.kv,
      thinkBudget: whole.thinkBudget, samples: whole.samples, accuracy: outcome.accuracy.value,
      standardError: outcome.accuracy.standardError, replies: whole.replies,
      weightsBytes: whole.weightsBytes, kvBytes: whole.kvBytes, seconds: whole.seconds,
      tokens: outcome.tokens.value, numerics: whole.numerics, scheme: whole.scheme,
      headBits: whole.headBits)
    rule = outcome.rule
    self.difference = difference.value
    differenceError = difference.standardError
    fullTokens = full.tokens.value
  }

  /// The rule as something measured, for the planner.
  func measurement(of study: String) -> MeasuredAccuracy {
    point.measurement(of: study, rule: rule, saved: saved)
  }
}

extension StudyJournals {
  /// What the study's rules would have saved at the points that were measured.
  ///
  /// - Parameter points: Of complete journals.
  /// - Returns: In the order of the runs.
  /// - Throws: ``EvaluationError`` for a damaged journal.
  func ruleOutcomes(
    _ points: [StudyScenario: StudyPoint]
  ) throws(EvaluationError) -> [StudyRuleOutcome] {
    var found: [StudyRuleOutcome] = []
    for run in definition.runs {
      let own = definition.scenarios.filter { $0.source == run.source }
      if !definition.voteRules.isEmpty {
        for scenario in own where scenario.samples > 2 {
          guard let point = points[scenario] else { continue }
          let pool = try VotePool(journal: journal(of: run, budget: scenario.budget))
          found += Self.beside(
            pool.outcomes(of: definition.voteRules, samples: scenario.samples), of: point)
        }
      }
      // Thoughts stop at the budgets that the sweep has; differences are from its longest.
      let longest = own.first { $0.samples == 1 && $0.budget == run.budgets.last }
      guard !definition.thoughtRules.isEmpty, run.budgets.count > 1,
        let point = longest.flatMap({ points[$0] })
      else { continue }
      let pool = try ThoughtPool(journals: run.budgets.map { journal(of: run, budget: $0) })
      let outcomes = pool.outcomes(of: definition.thoughtRules)
      found += Self.beside(
        outcomes.filter { !$0.rule.hasSuffix("tokens") || $0.difference == nil }, of: point)
    }
    return found
  }

  private static func beside(_ outcomes: [RuleOutcome], of point: StudyPoint) -> [StudyRuleOutcome]
  {
    guard let full = outcomes.last(where: { $0.difference == nil }) else { return [] }
    return outcomes.compactMap { StudyRuleOutcome($0, beside: full, of: point) }
  }
}
