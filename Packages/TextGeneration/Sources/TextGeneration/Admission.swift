import KVCaches

/// Decides when requests may start, so that whatever starts can finish in the memory there is.
///
/// A text is charged with the most bytes that it and its branches may ever hold. Pages that it
/// shares are charged once, to the prefix that they belong to.
struct Admission {
  let forecast: KVForecast
  /// What a proposer holds for each text; nil for nothing.
  let proposals: KVForecast?
  /// Whether a copy is kept of each text's cache while proposals are verified.
  let keepsCopies: Bool
  let context: Int
  /// Most bytes of all caches together.
  let kvByteBudget: Int
  private var texts: [RequestID: Int] = [:]
  /// Bytes that are promised to what runs and to prefixes.
  private(set) var reserved = 0

  init(
    forecast: KVForecast, proposals: KVForecast?, keepsCopies: Bool, context: Int,
    kvByteBudget: Int
  ) {
    self.keepsCopies = keepsCopies
    self.forecast = forecast
    self.proposals = proposals
    self.context = context
    self.kvByteBudget = kvByteBudget
  }

  /// Checks that a request can be run at all.
  ///
  /// - Throws: `GenerationError`; `memoryExceeded` where it does not fit alone.
  func check(_ request: GenerationRequest) throws(GenerationError) {
    try request.check(context: context)
    let bytes = bytesAlone(request)
    guard bytes > kvByteBudget else { return }
    throw .memoryExceeded(
      bytes: bytes, kvByteBudget: kvByteBudget, prompt: request.prompt.count,
      reply: request.longestReply(context: context), fits: longestFit(request))
  }

  /// What a request is charged with, which starts with `shared` tokens of pages that others hold.
  func bytes(of request: GenerationRequest, sharing shared: Int) -> Int {
    Self.charge(request, isShared: false, forecast: forecast, context: context).own
      - forecast.fullPageBytes(entries: shared)
  }

  /// Reserves bytes for a request, and for what is held to propose its tokens, if it and all that
  /// runs can finish.
  mutating func start(
    _ text: RequestID, _ request: GenerationRequest, bytes: Int, prefix: Int
  ) -> Bool {
    let bytes = Saturating.sum(bytes, proposalBytes(request))
    guard reserve(Saturating.sum(bytes, prefix)) else { return false }
    texts[text] = bytes
    return true
  }

  /// Says that a text and all its branches have ended.
  mutating func end(_ text: RequestID) { reserved -= texts.removeValue(forKey: text) ?? 0 }

  /// Reserves bytes if they are there.
  mutating func reserve(_ bytes: Int) -> Bool {
    guard Saturating.sum(reserved, bytes) <= kvByteBudget else { return false }
    reserved += bytes
    return true
  }

  /// Gives bytes back.
  mutating func release(_ bytes: Int) { reserved -= bytes }

  /// What a request, with its branches, is charged with.
  static func charge(
    _ request: GenerationRequest, isShared: Bool, forecast: KVForecast, context: Int
  ) -> KVForecast.Charge {
    let prompt = request.prompt.count
    var charge = forecast.charge(
      prompt: prompt, reply: request.longestReply(context: context), isShared: isShared)
    if let budget = request.budget {
      for branch in request.branches {
        let end =
          prompt
          + min(
            branch + budget.cue.count + budget.answerLimit, request.tokenLimit(context: context))
        // It shares the pages that are full where it branches off, before the drawn token or the
        // words in its place.
        let start = prompt + max(0, branch - max(budget.wait.count, 1))
        charge.own += forecast.branchBytes(start: start, end: end, prompt: prompt)
      }
    }
    return charge
  }

  /// The most bytes that are held to propose a request's tokens and to take them back; a branch
  /// that begins behind such tokens shares as much less.
  private func proposalBytes(_ request: GenerationRequest) -> Int {
    let (prompt, reply) = (request.prompt.count, request.longestReply(context: context))
    return Saturating.sum(
      proposals?.charge(prompt: prompt, reply: reply, isShared: false).total ?? 0,
      keepsCopies
        ? Saturating.product(
          forecast.copyBytes(tokens: prompt + reply), 1 + request.branches.count) : 0)
  }

  /// What a request takes that shares nothing.
  private func bytesAlone(_ request: GenerationRequest) -> Int {
    let charge = Self.charge(request, isShared: false, forecast: forecast, context: context)
    return Saturating.sum(charge.total, proposalBytes(request))
  }

  /// The longest reply to the request's prompt that fits alone, in tokens; 0 for none.
  private func longestFit(_ request: GenerationRequest) -> Int {
    var plain = request
    plain.budget = nil
    plain.branches = []
    var (fits, beyond) = (0, request.tokenLimit(context: context) + 1)
    while fits + 1 < beyond {
      plain.maxTokens = (fits + beyond) / 2
      if bytesAlone(plain) <= kvByteBudget {
        fits = plain.maxTokens
      } else {
        beyond = plain.maxTokens
      }
    }
    return fits
  }
}
