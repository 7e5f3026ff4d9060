import Evaluation
import TextGeneration
import Tokenizer

/// A generated text as people read it.
public struct Reply: Sendable {
  private static let extractor = AnswerExtractor(steps: [.box, .openBox], grading: .text)

  /// Whether a stop string ended it.
  public let isStopped: Bool
  /// As it was generated.
  public let result: GenerationResult
  /// The whole text, put-in words included.
  public let text: String
  /// What its last box holds, outside the thought where the model marks one; nil for no answer.
  public let answer: String?

  /// What the last box of a text holds; nil for no answer.
  public static func answer(in text: String) -> String? { extractor.extract(from: text)?.answer }

  /// Why it ended; a stop string counts as an end that the model made.
  public var finishReason: FinishReason { isStopped ? .stop : result.finishReason }

  /// A reply, cut where one of `stops` comes up first.
  public init(
    _ result: GenerationResult, tokenizer: TextTokenizer, tags: ThinkingTags?, stops: [String] = []
  ) {
    self.result = result
    let stops = StopStrings(stops)
    let whole = tokenizer.decode(result.tokens, skipSpecialTokens: true)
    let cut = stops.cut(whole)
    isStopped = cut != nil
    text = cut ?? whole
    let start = tags == nil ? 0 : result.counts.thought
    let rest = tokenizer.decode(Array(result.tokens.dropFirst(start)), skipSpecialTokens: true)
    answer = Self.answer(in: stops.cut(rest) ?? rest)
  }
}

/// The vote of several texts on one answer.
public struct AnswerVote: Sendable {
  /// The votes.
  public let tally: VoteTally
  /// The index of the first text whose answer won, or simply of the first.
  public let shown: Int

  /// Counts the answers of texts; nil for a text without.
  public init(_ answers: [String?], weights: [Double]? = nil) {
    let tally = VoteTally(boxed: answers, weights: weights)
    self.tally = tally
    shown =
      answers.firstIndex { answer in
        guard let winner = tally.winner, let answer else { return false }
        return VoteTally(boxed: [winner, answer]).ranking.count == 1
      } ?? 0
  }
}

/// What the samples of one prompt gave together, at one thinking budget.
public struct ReplyGroup: Sendable {
  /// The replies, by sample.
  public let replies: [Reply]
  /// Their votes.
  public let votes: VoteTally
  /// The first whose answer won the vote, or simply the first.
  public let shown: Reply

  /// Nil for no replies; `weights` says what their votes weigh.
  public init?(_ replies: [Reply], _ weights: VoteWeights = .equal) {
    let vote = AnswerVote(
      replies.map(\.answer), weights: replies.map { weights.weight($0.result.lowestLogprob) })
    guard replies.indices.contains(vote.shown) else { return nil }
    self.replies = replies
    votes = vote.tally
    shown = replies[vote.shown]
  }

  /// The answer, or of several the vote's; nil in a tie and without answers.
  public var answer: String? { votes.winner }

  /// A count over all replies.
  public func sum(_ count: (TokenCounts) -> Int) -> Int {
    replies.reduce(0) { $0 + count($1.result.counts) }
  }
}
