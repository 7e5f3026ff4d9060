import Foundation

/// The results of a run, computed from its journal and nothing else.
///
/// The order of the records does not matter.
public struct Summary: Sendable, Hashable, Codable {
  /// The run.
  public let scenario: Scenario
  /// Its fingerprint.
  public let fingerprint: String
  /// The part of the run the journal holds.
  public let shard: Shard
  /// Items with at least one reply.
  public let items: Int
  /// Replies that were had, which the scores are of.
  public let replies: Int
  /// Replies that a complete journal has.
  public let expectedReplies: Int
  /// Right replies.
  public let correct: Int
  /// The mean share of right replies per item ("mean@n"); nil for an empty journal.
  public let accuracy: Estimate?
  /// Scores of groups of replies, for growing sizes; the first is that of single replies.
  public let groups: [GroupScore]
  /// Scores by name, over all items and for each group of them; nil where there are none.
  public let scores: [MetricScore]?
  /// Replies that are worth a look.
  public let flags: ReplyFlags
  /// How many replies each extraction step decided, by its name; "none" where no step did.
  public let steps: [String: Int]
  /// Tokens of all replies.
  public let tokens: TokenTotals
  /// Time and memory.
  public let cost: CostTotals

  /// Reads a journal.
  ///
  /// - Throws: ``EvaluationError`` for a damaged journal, or one without header.
  public init(journal: URL, damage: DamagePolicy = .refuse) throws(EvaluationError) {
    try self.init(journal: journal, damage: damage, allowsEdits: false)
  }

  /// As above; `allowsEdits` counts records too that were edited since they were written.
  init(
    journal: URL, damage: DamagePolicy = .refuse, allowsEdits: Bool
  ) throws(EvaluationError) {
    let (header, tally) = try Self.read(journal, damage: damage, allowsEdits: allowsEdits)
    scenario = header.scenario
    fingerprint = header.fingerprint
    shard = header.shard
    let outcomes = tally.outcomes
    items = outcomes.count
    replies = outcomes.reduce(0) { $0 + $1.count }
    expectedReplies = header.expectedCount
    correct = outcomes.reduce(0) { $0 + $1.correctCount }
    let main = scenario.grading.mainScore
    let scores = tally.scores.scores(main: main)
    self.scores = scores.isEmpty ? nil : scores
    accuracy =
      scenario.grading.hasRightReplies ? Estimate(itemMeans: tally.orderedMeans(main)) : nil
    groups = GroupScore.all(outcomes, grading: header.scenario.grading)
    flags = tally.flags
    steps = tally.steps
    tokens = tally.tokens
    cost = tally.cost
  }

  /// Reads a journal and counts its records.
  static func read(
    _ journal: URL, damage: DamagePolicy = .refuse, allowsEdits: Bool = false
  ) throws(EvaluationError) -> (header: JournalHeader, tally: Tally) {
    var tally = Tally()
    let index = try JournalIndex.read(journal, damage: damage, allowsEdits: allowsEdits) {
      tally.add($0)
    }
    return (try index.header(of: journal), tally)
  }

  /// Whether everything can be true, so that nothing computed from a stored summary can overflow.
  public var isPlausible: Bool {
    var counts = [
      items, replies, expectedReplies, correct, flags.truncated, flags.budget, flags.unparsed,
      flags.unanswered, flags.failed, flags.looping ?? 0, tokens.prompt, tokens.thought,
      tokens.injected, tokens.answer,
    ]
    counts += steps.values
    let bytes = [cost.weightsBytes, cost.kvBytes, cost.peakBytes].compactMap(\.self)
    return JournalHeader.canHold(scenario)
      && counts.allSatisfy { (0...1 << 60).contains($0) } && bytes.allSatisfy { $0 >= 0 }
      && [cost.seconds, cost.longestSeconds].allSatisfy { $0 >= 0 && $0.isFinite }
      && groups.allSatisfy { $0.size > 0 }
  }

  /// The largest share of replies without answer that needs no warning.
  private static let harmlessShare = 0.01

  /// What a reader of the score has to know, in sentences.
  public var warnings: [String] {
    var warnings: [String] = []
    if scenario.grading == .judged {
      warnings.append(
        "without a judge nothing is scored: 'evaluate judge JOURNAL --baseline ANSWERS --endpoint URL' asks one"
      )
    }
    let recorded = replies + flags.failed
    if recorded < expectedReplies {
      warnings.append("only \(recorded) of \(expectedReplies) replies are there")
    }
    if flags.failed > 0 {
      warnings.append(
        "\(flags.failed) of \(expectedReplies) replies could not be had and are in no score; "
          + "--retry-failed asks for them again")
    }
    let reasons = [
      (flags.truncated, "were cut off by the token limit; raise it"),
      (flags.looping ?? 0, "end in a loop, the same words again and again"),
      (flags.unanswered, "have no text in the answer part"),
      (flags.unparsed, "hold no answer that the rules accept; look at some of them"),
    ]
    for (count, reason) in reasons
    where Double(count) > Self.harmlessShare * Double(max(replies, 1)) {
      let percent = (1000 * Double(count) / Double(replies)).rounded() / 10
      warnings.append(
        "\(count) of \(replies) replies (\(percent) %) \(reason): the score may be too low")
    }
    return warnings
  }
}

/// Replies that ended badly. Each counts as wrong unless an answer was found all the same; those
/// that could not be had count in no score.
public struct ReplyFlags: Sendable, Hashable, Codable {
  /// Cut off by the token limit.
  public var truncated = 0
  /// Ended by the thinking budget, which is no fault.
  public var budget = 0
  /// With text in the answer part, but no answer that the rules accept.
  public var unparsed = 0
  /// Without any text in the answer part.
  public var unanswered = 0
  /// That could not be had at all.
  public var failed = 0
  /// Cut off by the token limit while they went round in circles; nil in results from before this
  /// was counted.
  public var looping: Int?
}

/// Sums of tokens over all replies.
public struct TokenTotals: Sendable, Hashable, Codable {
  /// Tokens of the prompts, counted once per reply.
  public var prompt = 0
  /// Generated tokens of thought.
  public var thought = 0
  /// Tokens injected by force.
  public var injected = 0
  /// Generated tokens of answers.
  public var answer = 0

  /// Tokens the model generated.
  public var generated: Int { thought + answer }
}

/// Time and memory over all replies.
public struct CostTotals: Sendable, Hashable, Codable {
  /// The sum of the replies' times; more than the time of the run where replies run side by side.
  public var seconds = 0.0
  /// The longest reply.
  public var longestSeconds = 0.0
  /// Bytes of the weights; nil where nobody measured.
  public var weightsBytes: Int64?
  /// The largest KV cache of one reply, in bytes.
  public var kvBytes: Int64?
  /// The largest peak of the process, in bytes.
  public var peakBytes: Int64?
}

/// Collects records of a journal.
struct Tally {
  private var samples: [Int: [(sample: Int, answer: String?, correct: Bool)]] = [:]
  private(set) var flags = ReplyFlags()
  private(set) var steps: [String: Int] = [:]
  private(set) var tokens = TokenTotals()
  private(set) var cost = CostTotals()
  private(set) var scores = ScoreTally()

  /// The items in order, with their replies in order.
  var outcomes: [ItemOutcomes] {
    samples.sorted { $0.key < $1.key }.map { _, replies in
      let sorted = replies.sorted { $0.sample < $1.sample }
      return ItemOutcomes(answers: sorted.map(\.answer), correct: sorted.map(\.correct))
    }
  }

  /// By position of the item the mean of a score, or the share of right replies where it is nil.
  func means(_ score: String?) -> [Int: Double] {
    if let score { return scores.means(score) }
    return samples.mapValues { replies in
      Double(replies.count { $0.correct }) / Double(replies.count)
    }
  }

  /// The same in the order of the items.
  func orderedMeans(_ score: String?) -> [Double] {
    means(score).sorted { $0.key < $1.key }.map(\.value)
  }

  /// Counts one reply.
  mutating func add(_ record: SampleRecord) {
    guard record.response.finish != .failed else {
      flags.failed += 1
      return
    }
    samples[record.index, default: []].append((record.sample, record.extracted, record.correct))
    scores.add(record.scores ?? [:], of: record.index, group: record.group)
    steps[record.step?.rawValue ?? "none", default: 0] += 1
    add(flagsOf: record)
    let response = record.response
    tokens.prompt += response.promptTokens
    tokens.thought += response.thoughtTokens
    tokens.injected += response.injectedTokens
    tokens.answer += response.answerTokens
    cost.seconds += response.cost.seconds
    cost.longestSeconds = max(cost.longestSeconds, response.cost.seconds)
    cost.weightsBytes = Self.larger(cost.weightsBytes, response.cost.weightsBytes)
    cost.kvBytes = Self.larger(cost.kvBytes, response.cost.kvBytes)
    cost.peakBytes = Self.larger(cost.peakBytes, response.cost.peakBytes)
  }

  private mutating func add(flagsOf record: SampleRecord) {
    switch record.response.finish {
    case .stop, .cancelled: break
    case .budget: flags.budget += 1
    case .length:
      flags.truncated += 1
      let text = record.response.thought + record.response.answer
      flags.looping = (flags.looping ?? 0) + (RepetitionLoop(endOf: text) == nil ? 0 : 1)
    case .failed: return
    }
    guard record.extracted == nil else { return }
    if record.response.answer.allSatisfy(\.isWhitespace) {
      flags.unanswered += 1
    } else {
      flags.unparsed += 1
    }
  }

  private static func larger(_ left: Int64?, _ right: Int64?) -> Int64? {
    [left, right].compactMap(\.self).max()
  }
}
