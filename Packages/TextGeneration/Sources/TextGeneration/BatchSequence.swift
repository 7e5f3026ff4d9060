import Tensors

/// One sequence of a batch: a request's text, or a branch of it.
struct BatchSequence {
  /// Its request.
  let id: RequestID
  /// What was asked.
  let source: GenerationRequest
  /// What its cache is kept by.
  let terms: CacheTerms
  /// The smaller budget this branch answers; nil for the text itself.
  private(set) var branch: Int?
  /// When its prompt was started.
  let started: Duration
  /// Tokens not yet run through the model: the prompt at first, then what was appended last.
  private(set) var pending: [Int32]
  /// The prompt of another text that it waits for, and the tokens of it that it starts with.
  var awaited: (prefix: PrefixID, tokens: Int)?
  /// Tokens of the prompt that are to be run before any that follow them, since others start with
  /// these.
  var stop: Int?
  /// How often proposals for it are accepted.
  var acceptRate = AcceptRate()
  /// Tokens of the text when proposals for it were last asked for.
  var askedTokens = 0
  /// The text so far.
  private(set) var tokens: [Int32] = []
  /// Tokens of the prompt that others had run.
  private var sharedPromptTokens = 0
  /// How likely the prompt's tokens were, where that is wanted.
  private(set) var promptLogprobs: [TokenLogprob] = []
  /// The token that ended the text, where log-probabilities are wanted.
  private var endToken: GeneratedToken?
  /// How sure the model was, where that is wanted.
  private var confidence: LowestMean?
  /// Smaller budgets still to be answered, ascending.
  private(set) var branches: [Int]

  private let limit: Int
  private var state: BudgetState?
  /// The grammar that the text keeps to, in its state behind `tokens`.
  private(set) var constraint: (any TokenConstraint)?

  /// The start of a request's text.
  init(_ waiting: WaitingRequest, context: Int, started: Duration) {
    let source = waiting.request
    id = waiting.id
    terms = waiting.terms
    self.source = source
    self.started = started
    pending = source.prompt
    branches = Set(source.branches).sorted()
    limit = source.tokenLimit(context: context)
    constraint = source.constraint
    confidence = source.confidenceWindow.map { LowestMean(of: $0) }
    state = source.budget.map {
      BudgetState($0, thinkEnd: source.tags?.close, stopTokens: source.stopTokens)
    }
  }

  /// Whether the prompt is not through the model yet.
  var isInPrompt: Bool { tokens.isEmpty }

  /// Whether it is running a prompt of which every token is to be scored.
  var isScoringPrompt: Bool { isInPrompt && source.scoresPrompt }

  /// Tokens of the prompt that are through the model.
  var promptTokensRun: Int {
    isInPrompt ? source.prompt.count - pending.count : source.prompt.count
  }

  /// Tokens that may be run in the next step.
  var runnable: Int {
    if awaited != nil { return 0 }
    guard let stop, isInPrompt, stop > promptTokensRun else { return pending.count }
    return min(pending.count, stop - promptTokensRun)
  }

  /// Tokens at the front of those pending that were run before, and taken back with what was
  /// proposed behind them.
  private(set) var repeated = 0

  /// The most tokens that may be pending where others are proposed behind them.
  private static let mostPending = 12

  /// The most tokens that may be proposed behind those that are pending, so that it never holds
  /// more than it was charged with.
  func mostProposals(context: Int) -> Int {
    guard !isInPrompt, branch == nil, (1...Self.mostPending).contains(pending.count) else {
      return 0
    }
    return max(0, source.longestReply(context: context) - tokens.count - 1)
  }

  /// The logits that drawing the next token looks at, of those below `limit`; nil for all.
  func likeliest(below limit: Int) -> GreatestOutputs? {
    if constraint != nil || source.scoresDrawnTokens || isScoringPrompt { return nil }
    return source.sampling.likeliest.map { GreatestOutputs(count: $0, below: limit) }
  }

  /// The next token, behind those of this step, drawn with the random number of its position.
  func draw(
    _ logits: UnsafeBufferPointer<Float>, behind tokens: [Int32], _ sampler: Sampler
  ) throws(GenerationError) -> Int32 {
    let position = self.tokens.count + tokens.count
    func sample(_ logits: UnsafeBufferPointer<Float>) throws(GenerationError) -> Int32 {
      try sampler.sample(
        logits, source.sampling,
        history: TokenHistory(prompt: source.prompt, tokens: self.tokens + tokens),
        uniform: source.random.uniform(at: position), step: position)
    }
    var constraint = constraint
    for id in tokens { constraint?.take(id) }
    guard let allowed = constraint?.allowed() else { return try sample(logits) }
    return try allowed.masked(logits).withUnsafeBufferPointer {
      (masked) throws(GenerationError) in try sample(masked)
    }
  }

  /// Says that the first `count` pending tokens were run.
  mutating func advance(_ count: Int) {
    pending.removeFirst(count)
    repeated = max(0, repeated - count)
  }

  /// Puts tokens that were taken back with the cache before those that are pending.
  mutating func runAgain(_ tokens: [Int32]) {
    pending = tokens + pending
    repeated = tokens.count
  }

  /// Begins behind the first `tokens` tokens of the prompt, which others have run.
  mutating func begin(after tokens: Int) {
    awaited = nil
    sharedPromptTokens = tokens
    pending = Array(source.prompt[tokens...])
  }

  /// Takes how likely the next tokens of the prompt were.
  mutating func score(_ logprobs: [TokenLogprob]) { promptLogprobs += logprobs }

  /// Branches off every smaller budget that `token`, drawn next, uses up; to be asked before it is
  /// taken.
  mutating func branchesOff(by token: Int32, text: (Int32) -> String) -> [BatchSequence] {
    var result: [BatchSequence] = []
    while let budget = branches.first, let state = state?.shortened(to: budget) {
      var probe = state
      _ = probe.take(token, text: text)
      guard probe.isConcluding else { break }
      branches.removeFirst()
      var sequence = self
      sequence.state = state
      sequence.branch = budget
      sequence.branches = []
      result.append(sequence)
    }
    return result
  }

  /// Takes the token drawn next: appends what it brings and returns why the text ended, or nil.
  mutating func take(
    _ token: Int32, logprob: TokenLogprob? = nil, text: (Int32) -> String
  ) -> (appended: [GeneratedToken], end: FinishReason?) {
    let isStop = source.stopTokens.contains(token)
    let actions =
      state?.take(token, text: text) ?? [isStop ? .finish(.stop) : .emit(token)]
    var appended: [GeneratedToken] = []
    var end: FinishReason?
    for action in actions {
      switch action {
      case .emit(let id):
        if let logprob { confidence?.take(logprob.chosen.logprob) }
        let told = source.logprobs == nil ? nil : logprob
        appended.append(.init(id: id, origin: .drawn, logprob: told))
      case .wait(let ids): appended += ids.map { .init(id: $0, origin: .wait) }
      case .cue(let ids): appended += ids.map { .init(id: $0, origin: .cue) }
      case .finish(let reason):
        end = reason
        if isStop, source.logprobs != nil {
          endToken = GeneratedToken(id: token, origin: .drawn, logprob: logprob)
        }
      }
    }
    pending = appended.map(\.id)
    tokens += pending
    for id in pending { constraint?.take(id) }
    return (appended, end ?? (tokens.count >= limit ? .length : nil))
  }

  /// What became of it.
  func result(_ reason: FinishReason, kvBytes: Int, now: Duration) -> GenerationResult {
    let seconds = (now - started) / .seconds(1)
    var result = GenerationResult(
      tokens: tokens, counts: counts, finishReason: reason, kvBytes: kvBytes, seconds: seconds,
      sharedPromptTokens: sharedPromptTokens, promptLogprobs: promptLogprobs,
      lowestLogprob: confidence?.value)
    result.endToken = endToken
    return result
  }

  /// What the tokens are.
  private var counts: TokenCounts {
    let thought =
      state?.thoughtTokens ?? source.tags?.thoughtLength(of: tokens, after: source.prompt) ?? 0
    let cue = state?.cueTokens ?? 0
    return TokenCounts(
      prompt: source.prompt.count, thought: thought, waits: state?.waitTokens ?? 0, cue: cue,
      answer: tokens.count - thought - cue)
  }
}
