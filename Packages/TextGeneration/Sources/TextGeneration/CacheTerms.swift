import DecoderModels
import KVCaches

/// What the policy of a text's cache means to a batch: the bytes that the text may come to hold,
/// and how its prompt can be shared.
struct CacheTerms {
  let policy: KVPolicy
  let forecast: KVForecast
  /// Whether a prompt can be shared only as it was after exactly so many tokens, since what they
  /// are stored as changes as others follow.
  let sharesExactly: Bool
  /// Whether proposed tokens are taken back by a copy of the cache that is kept meanwhile.
  let needsCopies: Bool

  /// What a policy means where the model has these sizes.
  init(_ policy: KVPolicy, _ shape: DecoderShape) {
    let cache = shape.cacheShape
    self.policy = policy
    forecast = KVForecast(shape: cache, policy: policy, heads: shape.heads.queries)
    sharesExactly =
      forecast.sharesPrompts && (policy.isQuantized || cache.fullLayers < cache.layers)
    needsCopies = policy.watchesAttention || cache.hasFixedStates
  }

  /// The most of the first `tokens` tokens that are worth holding for others; 0 for less than the page
  /// by which they are found.
  func held(_ tokens: Int) -> Int {
    if tokens < PageLayout.tokens { return 0 }
    return sharesExactly ? tokens / PageLayout.tokens * PageLayout.tokens : tokens
  }
}

/// A request that waits.
struct WaitingRequest {
  let id: RequestID
  let request: GenerationRequest
  let terms: CacheTerms

  /// Its prompt where its cache is kept as others are: only those can share it.
  func prompt(like others: CacheTerms) -> [Int32]? {
    terms.policy == others.policy ? request.prompt : nil
  }
}
