import Foundation

/// Many replies to each question, from which votes of fewer are drawn.
public struct VotePool: Sendable {
  /// A reply as votes see it.
  struct Vote: Sendable {
    /// Which answer of the question it gives; nil for none.
    let answer: Int?
    /// Generated tokens.
    let tokens: Int
    /// What it weighs where votes are weighted.
    var weight = 1.0
  }

  /// The replies to one question.
  struct Question: Sendable {
    let votes: [Vote]
    /// Which answers are right.
    let isRight: [Bool]
  }

  let questions: [Question]
  /// The fewest replies that a question has.
  public let size: Int
  /// How votes can be weighted; `equal` where the journal does not say how sure the model was.
  public let weights: VoteWeights

  /// Orders of the replies that a mean is taken over.
  private static let orders = 20

  /// Reads the replies of a run.
  ///
  /// - Throws: ``EvaluationError`` for a damaged journal, and for one without several replies to
  ///   each question.
  public init(journal: URL) throws(EvaluationError) {
    var records: [Int: [SampleRecord]] = [:]
    let index = try JournalIndex.read(journal) { record in
      if record.response.finish != .failed { records[record.index, default: []].append(record) }
    }
    let grading = try index.header(of: journal).scenario.grading
    let windows = Set(records.values.joined().compactMap { $0.response.confidence?.window })
    let weights = windows.first.map { VoteWeights.confidence(window: $0) } ?? .equal
    self.weights = weights
    questions = records.sorted { $0.key < $1.key }.map { _, replies in
      Self.question(
        replies.sorted { $0.sample < $1.sample }, grading: grading, weights)
    }
    size = questions.map(\.votes.count).min() ?? 0
    guard size > 1 else {
      throw .notComparable(reason: "\(journal.path) holds no two replies to each question to vote")
    }
  }

  private static func question(
    _ replies: [SampleRecord], grading: GradingRule, _ weights: VoteWeights
  ) -> Question {
    var answers: [String] = []
    var isRight: [Bool] = []
    let votes = replies.map { reply in
      let tokens = reply.response.thoughtTokens + reply.response.answerTokens
      let weight = weights.weight(reply.response.confidence?.lowestLogprob)
      guard let given = reply.extracted else { return Vote(answer: nil, tokens: tokens) }
      // Right answers are one, however they are written.
      let known = answers.indices.first {
        reply.correct ? isRight[$0] : !isRight[$0] && grading.areEqual(given, answers[$0])
      }
      if let known { return Vote(answer: known, tokens: tokens, weight: weight) }
      answers.append(given)
      isRight.append(reply.correct)
      return Vote(answer: answers.count - 1, tokens: tokens, weight: weight)
    }
    return Question(votes: votes, isRight: isRight)
  }

  /// What votes of up to `samples` replies cost and score under each rule, all replies first; then
  /// the same with weighted votes, where the journal has weights and the rule takes them.
  ///
  /// Means over 20 random orders of the replies, the same for every rule; ties at the end are drawn
  /// by lot.
  public func outcomes(of rules: [VoteRule], samples: Int) -> [RuleOutcome] {
    let all = [.all] + rules.filter { $0 != .all }
    let full = costs(.all, samples: samples, isWeighted: false)
    let plain = all.compactMap { rule in
      rule == .all
        ? RuleOutcome(rule: "\(rule)", full, beside: nil)
        : RuleOutcome(
          rule: "\(rule)", costs(rule, samples: samples, isWeighted: false), beside: full)
    }
    if weights == .equal { return plain }
    return plain
      + all.filter(\.takesWeights).compactMap { rule in
        RuleOutcome(
          rule: "\(rule), \(weights)", costs(rule, samples: samples, isWeighted: true),
          beside: full)
      }
  }

  private func costs(_ rule: VoteRule, samples: Int, isWeighted: Bool) -> [RuleOutcome.Cost] {
    questions.map { question in
      let costs = (0..<Self.orders).map { seed in
        let order = SampleSeed.permutation(of: question.votes.count, seed: UInt64(seed))
        let votes = order.prefix(min(samples, size)).map { place in
          var vote = question.votes[place]
          if !isWeighted { vote.weight = 1 }
          return vote
        }
        return Self.cost(rule, votes, question.isRight)
      }
      return .mean(costs)
    }
  }

  /// One vote in one order.
  static func cost(_ rule: VoteRule, _ votes: [Vote], _ isRight: [Bool]) -> RuleOutcome.Cost {
    var counts = [Double](repeating: 0, count: isRight.count)
    var cost = RuleOutcome.Cost()
    for (place, vote) in votes.enumerated() {
      if let answer = vote.answer { counts[answer] += vote.weight }
      cost.count += 1
      cost.tokens += Double(vote.tokens)
      let top = counts.sorted(by: >).prefix(2) + [0, 0]
      let missing = votes.count - place - 1
      if rule.isOver(leader: top[top.startIndex], second: top[top.startIndex + 1], missing: missing)
      {
        break
      }
    }
    let most = counts.max() ?? 0
    let leaders = counts.indices.filter { most > 0 && counts[$0] == most }
    if !leaders.isEmpty {
      cost.credit = Double(leaders.count { isRight[$0] }) / Double(leaders.count)
    }
    return cost
  }
}
