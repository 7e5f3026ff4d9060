/// One reply to generate.
public struct SampleRequest: Sendable, Hashable, Codable {
  /// The item's identifier.
  public let item: String
  /// The position of the item in the benchmark, from 0.
  public let index: Int
  /// Which reply to the item this is, from 0.
  public let sample: Int
  /// The user's message.
  public var prompt: String { question.prompt }
  /// All that is asked: the message, what stands around it, and what is scored of it.
  public let question: SampleQuestion
  /// The seed of this reply alone; it depends on the run's seed, the item and the sample only.
  public let seed: UInt64
  /// How to sample; a missing value is the model's own default.
  public let sampling: Sampling
  /// How many tokens the reply may take.
  public internal(set) var limits: TokenLimits
  /// The seed of the item's first reply; nil where nobody derived it. Servers that draw several
  /// replies from one seed count on from it.
  public internal(set) var itemSeed: UInt64?
  /// Smaller thinking budgets whose replies are wanted too, ascending; each is the reply to
  /// `shortened(to:)`, for which the thought need not be generated again.
  public internal(set) var budgets: [Int] = []

  /// A request for a reply.
  init(
    id: SampleID, of item: String, question: SampleQuestion, seed: UInt64, sampling: Sampling,
    limits: TokenLimits
  ) {
    self.item = item
    (index, sample) = (id.index, id.sample)
    self.question = question
    self.seed = seed
    self.sampling = sampling
    self.limits = limits
  }

  /// The request for the reply at one smaller thinking budget.
  public func shortened(to budget: Int) -> SampleRequest {
    var request = self
    request.limits = limits.shortened(to: budget)
    request.budgets = []
    return request
  }

  /// The request for another reply to the same question.
  public func sibling(sample: Int, seed: UInt64) -> SampleRequest {
    var sibling = SampleRequest(
      id: SampleID(index: index, sample: sample), of: item, question: question, seed: seed,
      sampling: sampling, limits: limits)
    sibling.itemSeed = itemSeed
    sibling.budgets = budgets
    return sibling
  }

  /// Whether another request is for the next reply to the same question.
  public func isFollowed(by other: SampleRequest) -> Bool {
    other == sibling(sample: sample + 1, seed: other.seed)
  }
}

/// What a reply cost. All of it may differ between two runs that are otherwise equal.
public struct SampleCost: Sendable, Hashable, Codable {
  /// Time from the start of this reply to its end.
  public var seconds: Double
  /// Bytes of the model's weights in memory.
  public var weightsBytes: Int64?
  /// Bytes of this reply's KV cache at its largest.
  public var kvBytes: Int64?
  /// The process's peak memory so far, in bytes.
  public var peakBytes: Int64?

  /// Keeps the figures.
  public init(
    seconds: Double, weightsBytes: Int64? = nil, kvBytes: Int64? = nil, peakBytes: Int64? = nil
  ) {
    self.seconds = seconds
    self.weightsBytes = weightsBytes
    self.kvBytes = kvBytes
    self.peakBytes = peakBytes
  }
}

/// How sure the model was of a reply where it was least sure.
public struct ReplyConfidence: Sendable, Hashable, Codable {
  /// Tokens in a row that a mean is taken over.
  public var window: Int
  /// The lowest mean log-probability of so many drawn tokens, of all where they are fewer.
  public var lowestLogprob: Double

  /// Keeps the figures.
  public init(window: Int, lowestLogprob: Double) {
    self.window = window
    self.lowestLogprob = lowestLogprob
  }
}

/// A generated reply. `thought + answer` is the text the model produced, injected words included.
public struct SampleResponse: Sendable, Hashable, Codable {
  /// Everything up to and including the mark that ends the thought; empty without thought.
  public var thought: String
  /// The rest, which is graded; it begins with the injected cue where the budget ended the thought.
  public var answer: String
  /// Tokens of the prompt.
  public var promptTokens: Int
  /// Generated tokens of the thought, injected ones not counted.
  public var thoughtTokens: Int
  /// Tokens put into the reply by force: "Wait" and the cue for the answer.
  public var injectedTokens: Int
  /// Generated tokens of the answer, injected ones not counted.
  public var answerTokens: Int
  /// Why the reply ended.
  public var finish: FinishReason
  /// How likely each candidate is, where they are scored and nothing is generated.
  public var candidates: [CandidateScore]?
  /// How sure the model was, where that was asked for.
  public var confidence: ReplyConfidence?
  /// Why no reply could be had; absent where there is one.
  public internal(set) var failure: String?
  /// Time and memory.
  public var cost: SampleCost

  /// Keeps the reply.
  public init(
    thought: String, answer: String, promptTokens: Int, thoughtTokens: Int, injectedTokens: Int,
    answerTokens: Int, finish: FinishReason, candidates: [CandidateScore]? = nil,
    confidence: ReplyConfidence? = nil, cost: SampleCost
  ) {
    self.thought = thought
    self.answer = answer
    self.promptTokens = promptTokens
    self.thoughtTokens = thoughtTokens
    self.injectedTokens = injectedTokens
    self.answerTokens = answerTokens
    self.finish = finish
    self.candidates = candidates
    self.confidence = confidence
    self.cost = cost
  }

  /// What is recorded where no reply could be had.
  ///
  /// - Parameters:
  ///   - reason: Why.
  ///   - seconds: How long it was tried.
  /// - Returns: An empty reply that ended as failed.
  public static func failed(_ reason: String, seconds: Double) -> SampleResponse {
    var response = SampleResponse(
      thought: "", answer: "", promptTokens: 0, thoughtTokens: 0, injectedTokens: 0,
      answerTokens: 0, finish: .failed, cost: SampleCost(seconds: seconds))
    response.failure = reason
    return response
  }

  /// Whether all counts and times can be true, so that sums over a journal cannot overflow.
  var isPlausible: Bool {
    let scored = candidates ?? []
    let counts =
      [promptTokens, thoughtTokens, injectedTokens, answerTokens]
      + scored.flatMap { [$0.tokens, $0.characters] }
    let bytes = [cost.weightsBytes, cost.kvBytes, cost.peakBytes].compactMap(\.self)
    return counts.allSatisfy { (0...1 << 40).contains($0) } && bytes.allSatisfy { $0 >= 0 }
      && scored.allSatisfy { $0.logprob.isFinite && $0.logprob <= 1e-3 }
      && confidence.map { $0.window > 0 && $0.lowestLogprob.isFinite && $0.lowestLogprob <= 1e-3 }
        ?? true
      && cost.seconds >= 0 && cost.seconds.isFinite
  }
}

/// Whatever can answer: an engine in this process, or an endpoint.
public protocol Responder {
  /// Answers all requests, in any order and in any batches.
  ///
  /// - Parameters:
  ///   - requests: What to answer; replies to one item stand next to each other.
  ///   - each: To be called once per request, and for each of its `budgets` with the shortened
  ///     request, as soon as the reply is complete and from one thread at a time. When it throws,
  ///     stop and pass the error on.
  /// - Throws: Anything that ends the run, untyped since errors of three parties pass through it:
  ///   the responder's own, the journal's, and those of whoever watches the run. Replies already
  ///   handed over are kept.
  func respond(
    to requests: [SampleRequest], each: (SampleRequest, SampleResponse) throws -> Void
  ) throws
}
