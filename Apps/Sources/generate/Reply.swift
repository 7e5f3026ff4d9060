import AppSupport
import Evaluation
import TextGeneration
import Tokenizer

/// A generated text as people read it.
struct Reply {
  private static let extractor = AnswerExtractor(steps: [.box, .openBox], grading: .text)

  /// Whether a stop string ended it.
  let isStopped: Bool
  /// As it was generated.
  let result: GenerationResult
  /// The whole text, put-in words included.
  let text: String
  /// What its last box holds, outside the thought where the model marks one; nil for no answer.
  let answer: String?

  /// Why it ended; a stop string counts as an end that the model made.
  var finishReason: TextGeneration.FinishReason { isStopped ? .stop : result.finishReason }

  init(
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
    answer = Self.extractor.extract(from: stops.cut(rest) ?? rest)?.answer
  }
}

/// What the samples of one prompt gave together, at one thinking budget.
struct ReplyGroup {
  /// The replies, by sample.
  let replies: [Reply]
  /// Their votes.
  let votes: VoteTally
  /// The first whose answer won the vote, or simply the first.
  let shown: Reply

  /// Nil for no replies.
  init?(_ replies: [Reply]) {
    guard let first = replies.first else { return nil }
    let votes = VoteTally(boxed: replies.map(\.answer))
    self.replies = replies
    self.votes = votes
    let won = replies.first { reply in
      guard let winner = votes.winner, let answer = reply.answer else { return false }
      return VoteTally(boxed: [winner, answer]).ranking.count == 1
    }
    shown = won ?? first
  }

  /// The answer, or of several the vote's; nil in a tie and without answers.
  var answer: String? { votes.winner }

  /// A count over all replies.
  func sum(_ count: (TokenCounts) -> Int) -> Int {
    replies.reduce(0) { $0 + count($1.result.counts) }
  }
}
