import KVCaches

/// One text to generate.
public struct GenerationRequest: Sendable {
  /// The prompt's token ids.
  public var prompt: [Int32]
  /// How tokens are drawn.
  public var sampling: SamplingOptions
  /// The sample's random numbers.
  public var random: RandomStream
  /// Most tokens to generate; fewer where the context ends.
  public var maxTokens: Int
  /// Tokens that end the text.
  public var stopTokens: Set<Int32>
  /// The model's thinking tags; nil for models without.
  public var tags: ThinkingTags?
  /// How long the model thinks; nil leaves it to the model.
  public var budget: ThinkingBudget?
  /// Smaller budgets whose answers are wanted too. The thought is generated once; each answer
  /// branches off where its budget is used up, and is the one that a request with that budget would
  /// give.
  public var branches: [Int]
  /// The grammar that the text keeps to, in its state before the text; nil for any text.
  public var constraint: (any TokenConstraint)?
  /// How likely each drawn token was is wanted too, with this many of the likeliest in its place;
  /// nil for not.
  public var logprobs: Int?
  /// Tokens in a row over which `GenerationResult.lowestLogprob` is taken; nil for not.
  public var confidenceWindow: Int?
  /// What its cache keeps, and how; nil for what the batch's caches keep.
  public var kv: KVPolicy?
  /// Whether `logprobs` are wanted for the prompt's tokens as well. Such a prompt is always run, and never
  /// shares what others have run.
  public var scoresPrompt = false

  /// A request.
  public init(
    prompt: [Int32], sampling: SamplingOptions, random: RandomStream, maxTokens: Int,
    stopTokens: Set<Int32>, tags: ThinkingTags? = nil, budget: ThinkingBudget? = nil,
    branches: [Int] = []
  ) {
    self.prompt = prompt
    self.sampling = sampling
    self.random = random
    self.maxTokens = maxTokens
    self.stopTokens = stopTokens
    self.tags = tags
    self.budget = budget
    self.branches = branches
  }

  /// Whether log-probabilities of drawn tokens are taken.
  var scoresDrawnTokens: Bool { logprobs != nil || confidenceWindow != nil }

  /// Tokens after which the text is truncated in a context of `context` tokens.
  func tokenLimit(context: Int) -> Int { min(maxTokens, context - prompt.count) }

  /// The most tokens that the text can have in such a context: a forced budget ends it before its
  /// limit.
  func longestReply(context: Int) -> Int {
    let limit = tokenLimit(context: context)
    guard let budget, budget.lowerBound == .budget else { return limit }
    return min(limit, budget.tokens + budget.cue.count + budget.answerLimit)
  }

  /// Finds what cannot be run on a model whose context holds `context` tokens.
  func check(context: Int) throws(GenerationError) {
    guard !prompt.isEmpty else { throw .emptyPrompt }
    guard prompt.count < context else {
      throw .promptTooLong(tokens: prompt.count, context: context)
    }
    guard maxTokens > 0 else {
      throw .invalidOption(name: "max-tokens", value: "\(maxTokens)", expected: "at least 1")
    }
    if let budget {
      let reply = budget.tokens + budget.cue.count + budget.answerLimit
      let sum =
        "thought \(budget.tokens) + cue \(budget.cue.count) + answer \(budget.answerLimit)"
      guard reply <= maxTokens else {
        throw .budgetTooLong(sum: sum, tokens: reply, place: "token limit", limit: maxTokens)
      }
      guard prompt.count + reply <= context else {
        throw .budgetTooLong(
          sum: "prompt \(prompt.count) + \(sum)", tokens: prompt.count + reply, place: "context",
          limit: context)
      }
    }
    for branch in branches where branch < 1 || branch >= budget?.tokens ?? 0 {
      throw .invalidOption(
        name: "branch", value: "\(branch)", expected: "at least 1, below the thinking budget")
    }
  }
}

/// Why a text ended.
public enum FinishReason: String, Sendable, Hashable, Codable, CaseIterable {
  /// The model ended it.
  case stop
  /// The thinking budget was used up, and the answer that was demanded is complete.
  case budget
  /// The token limit, the answer's limit or the context was reached.
  case length
  /// The caller ended it.
  case cancelled
  /// No text could be had, for example from an endpoint; never of a text generated here.
  case failed
}

/// What the tokens of a text are.
public struct TokenCounts: Sendable, Hashable, Codable {
  /// Tokens of the prompt.
  public let prompt: Int
  /// Tokens of the thought: its tags and what was put into it included. Under a budget everything
  /// before the end of the thought or the cue, so all of a text whose model has no tags and ends it
  /// within the budget.
  public let thought: Int
  /// Tokens put into the thought in place of an end; they count in `thought`.
  public let waits: Int
  /// Tokens of the cue injected after the thought.
  public let cue: Int
  /// Tokens of the answer after thought and cue.
  public let answer: Int

  /// Tokens that the model did not draw.
  public var injected: Int { waits + cue }
}

/// A generated text.
public struct GenerationResult: Sendable {
  /// The tokens, put-in ones included, without the one that ended the text: thought, cue, answer.
  public let tokens: [Int32]
  /// What the tokens are.
  public let counts: TokenCounts
  /// Why it ended.
  public let finishReason: FinishReason
  /// Bytes of KV pages the sequence held at its end, those shared with others included.
  public let kvBytes: Int
  /// Seconds from the start of its prompt to its end.
  public let seconds: Double
  /// Tokens of the prompt that were not run, since others had run them.
  public let sharedPromptTokens: Int
  /// How likely the prompt's tokens were, from the second on, where the request asked; see
  /// `GenerationRequest.scoresPrompt`.
  public let promptLogprobs: [TokenLogprob]
  /// The lowest mean log-probability of some tokens in a row that were drawn, of all where they are
  /// fewer; nil where the request did not ask. See `GenerationRequest.confidenceWindow`.
  public let lowestLogprob: Double?
  /// The token that ended the text, where the model drew one and the request asked for
  /// log-probabilities; see `GenerationRequest.logprobs`.
  public internal(set) var endToken: GeneratedToken?

  /// The text as it was after its first tokens, where its caller would have ended it there but for
  /// being told of them late.
  ///
  /// - Parameter count: so many tokens, at least 0.
  /// - Returns: the text, ended by the caller, with the counts that it had then.
  public func prefix(_ count: Int) -> GenerationResult {
    let thought = min(counts.thought, count)
    let cue = min(counts.cue, count - thought)
    return GenerationResult(
      tokens: Array(tokens.prefix(count)),
      counts: TokenCounts(
        prompt: counts.prompt, thought: thought, waits: min(counts.waits, thought), cue: cue,
        answer: min(counts.answer, count - thought - cue)),
      finishReason: .cancelled, kvBytes: kvBytes, seconds: seconds,
      sharedPromptTokens: sharedPromptTokens, promptLogprobs: promptLogprobs,
      lowestLogprob: lowestLogprob)
  }

  /// The same text, ended by the caller.
  var cancelled: GenerationResult {
    GenerationResult(
      tokens: tokens, counts: counts, finishReason: .cancelled, kvBytes: kvBytes, seconds: seconds,
      sharedPromptTokens: sharedPromptTokens, promptLogprobs: promptLogprobs,
      lowestLogprob: lowestLogprob)
  }
}

/// What generating took.
public struct GenerationTimings: Sendable {
  /// Prompt tokens run through the model.
  public var promptTokens = 0
  /// Seconds spent on them.
  public var promptSeconds = 0.0
  /// Tokens drawn after the first of each text.
  public var generatedTokens = 0
  /// Seconds spent on them, and on what was injected.
  public var generationSeconds = 0.0

  /// Prompt tokens a second.
  public var promptRate: Double { promptSeconds > 0 ? Double(promptTokens) / promptSeconds : 0 }
  /// Tokens that were proposed.
  public var proposedTokens = 0
  /// Those of the proposed tokens that were drawn.
  public var acceptedTokens = 0
  /// Seconds that proposing took, which are seconds of prompts and generation too.
  public var draftSeconds = 0.0

  /// Generated tokens a second.
  public var generationRate: Double {
    generationSeconds > 0 ? Double(generatedTokens) / generationSeconds : 0
  }
}
