import DecoderModels
import KVCaches

/// Decides when requests may start, so that whatever starts can finish in the memory there is.
///
/// A text is charged with the most bytes that it and its branches may ever hold. Pages that it
/// shares are charged once, to the prefix that they belong to.
struct Admission {
  /// What texts are kept by whose requests do not say.
  let usual: CacheTerms
  private let shape: DecoderShape
  /// What a proposer holds for each text; nil for nothing.
  private let proposals: KVForecast?
  private let proposes: Bool
  /// Most bytes of all caches together.
  private let kvByteBudget: Int
  private var texts: [RequestID: Int] = [:]
  /// Bytes that are promised to what runs and to prefixes.
  private(set) var reserved = 0
  /// Bytes of slabs that caches under other policies than the usual one take.
  var slack = 0

  init(
    _ policy: KVPolicy, _ shape: DecoderShape, proposer: (any Proposer)?, kvByteBudget: Int
  ) {
    usual = CacheTerms(policy, shape)
    self.shape = shape
    proposals = proposer?.cacheForecast
    proposes = proposer != nil
    self.kvByteBudget = kvByteBudget
  }

  /// Tokens of the model's context.
  var context: Int { shape.contextLength }

  /// What the cache of a request is kept by.
  func terms(of request: GenerationRequest) -> CacheTerms {
    request.kv.map { $0 == usual.policy ? usual : CacheTerms($0, shape) } ?? usual
  }

  /// Checks that a request can be run at all.
  ///
  /// - Throws: `GenerationError`; `memoryExceeded` where it does not fit alone.
  func check(_ request: GenerationRequest, _ terms: CacheTerms) throws(GenerationError) {
    try request.check(context: context)
    let bytes = bytesAlone(request, terms)
    guard bytes > kvByteBudget else { return }
    throw .memoryExceeded(
      bytes: bytes, kvByteBudget: kvByteBudget, prompt: request.prompt.count,
      reply: request.longestReply(context: context), fits: longestFit(request, terms))
  }

  /// What a request is charged with; `isShared` as `KVForecast.charge` has it.
  func charge(
    _ request: GenerationRequest, _ terms: CacheTerms, isShared: Bool
  ) -> KVForecast.Charge {
    Self.charge(request, isShared: isShared, forecast: terms.forecast, context: context)
  }

  /// What a request is charged with that starts with `shared` tokens of pages that others hold.
  func bytes(of request: GenerationRequest, _ terms: CacheTerms, sharing shared: Int) -> Int {
    charge(request, terms, isShared: false).own - terms.forecast.fullPageBytes(entries: shared)
  }

  /// Bytes of the slabs that caches kept by these take beside the usual ones.
  func slack(of terms: [CacheTerms]) -> Int {
    let others = terms.filter { $0.policy != usual.policy }
    return others.isEmpty ? 0 : usual.forecast.slackBytes(of: others.map(\.forecast))
  }

  /// Reserves bytes for a request, and for what is held to propose its tokens, if it and all that
  /// runs can finish.
  mutating func start(_ waiting: WaitingRequest, bytes: Int, prefix: Int) -> Bool {
    let bytes = Saturating.sum(bytes, proposalBytes(waiting.request, waiting.terms))
    guard reserve(Saturating.sum(bytes, prefix)) else { return false }
    texts[waiting.id] = bytes
    return true
  }

  /// Says that a text and all its branches have ended.
  mutating func end(_ text: RequestID) { reserved -= texts.removeValue(forKey: text) ?? 0 }

  /// Reserves bytes if they are there.
  mutating func reserve(_ bytes: Int) -> Bool {
    guard Saturating.sum(reserved, bytes, slack) <= kvByteBudget else { return false }
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
  private func proposalBytes(_ request: GenerationRequest, _ terms: CacheTerms) -> Int {
    let (prompt, reply) = (request.prompt.count, request.longestReply(context: context))
    return Saturating.sum(
      proposals?.charge(prompt: prompt, reply: reply, isShared: false).own ?? 0,
      proposes && terms.needsCopies
        ? Saturating.product(
          terms.forecast.copyBytes(tokens: prompt + reply), 1 + request.branches.count) : 0)
  }

  /// What a request takes that shares nothing.
  private func bytesAlone(_ request: GenerationRequest, _ terms: CacheTerms) -> Int {
    Saturating.sum(
      charge(request, terms, isShared: false).own, proposalBytes(request, terms),
      slack(of: [terms]))
  }

  /// The longest reply to the request's prompt that fits alone, in tokens; 0 for none.
  private func longestFit(_ request: GenerationRequest, _ terms: CacheTerms) -> Int {
    var plain = request
    plain.budget = nil
    plain.branches = []
    var (fits, beyond) = (0, request.tokenLimit(context: context) + 1)
    while fits + 1 < beyond {
      plain.maxTokens = (fits + beyond) / 2
      if bytesAlone(plain, terms) <= kvByteBudget {
        fits = plain.maxTokens
      } else {
        beyond = plain.maxTokens
      }
    }
    return fits
  }
}
