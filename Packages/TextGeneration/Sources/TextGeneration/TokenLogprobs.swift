import DecoderModels
import Foundation
import KVCaches

/// How likely a token was where it stands, by the model itself: before temperature and filters.
public struct TokenLogprob: Sendable, Hashable {
  /// A token and the natural logarithm of its probability.
  public struct Choice: Sendable, Hashable {
    /// The token's id.
    public let id: Int32
    /// The natural logarithm of its probability.
    public let logprob: Double
  }

  /// The token that stands there.
  public let chosen: Choice
  /// The likeliest tokens, the likeliest first; of equals the lowest id.
  public let top: [Choice]
}

extension ForwardPass {
  /// The log-probabilities of `tokens` after `prompt`, with the `top` likeliest at each place.
  ///
  /// The tokens pass through the model once more; a decoder's logits do not depend on how its tokens
  /// are cut into runs, so these are the ones that they were drawn from, as long as no eviction is at work.
  ///
  /// - Throws: `GenerationError.nonFiniteLogits`; what the pass throws.
  public func logprobs(
    of tokens: [Int32], after prompt: [Int32], top: Int, kv: KVPolicy = .full
  ) throws -> [TokenLogprob] {
    guard let last = prompt.last, !tokens.isEmpty else { return [] }
    var caches = [try makeCache(kv, meter: KVMeter())]
    if prompt.count > 1 {
      try run(
        [TokenRun(cache: 0, tokens: prompt.dropLast(), endsPrompt: false)], caches: &caches,
        rows: .none
      ) { _, _, _ in }
    }
    var found: [TokenLogprob] = []
    try run(
      [TokenRun(cache: 0, tokens: [last] + tokens.dropLast())], caches: &caches, rows: .all
    ) { _, place, logits in
      guard logits.allSatisfy(\.isFinite), logits.indices.contains(Int(tokens[place])) else {
        throw GenerationError.nonFiniteLogits(step: place)
      }
      let most = Double(logits.max() ?? 0)
      let sum = logits.reduce(0) { $0 + exp(Double($1) - most) }
      func choice(_ id: Int) -> TokenLogprob.Choice {
        TokenLogprob.Choice(id: Int32(id), logprob: Double(logits[id]) - most - log(sum))
      }
      let order = logits.indices.sorted { (logits[$0], $1) > (logits[$1], $0) }
      found.append(
        TokenLogprob(
          chosen: choice(Int(tokens[place])), top: order.prefix(max(top, 0)).map(choice)))
    }
    return found
  }
}
