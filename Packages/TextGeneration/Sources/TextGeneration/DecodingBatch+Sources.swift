import KVCaches
import Tensors

/// What of what is held a text can begin with.
extension DecodingBatch {
  /// What a text can start with.
  struct Source {
    let prefix: PrefixID
    /// Tokens of it, and all of the prompt where `isWhole`.
    let tokens: Int
    let isWhole: Bool
    /// Bytes that are to be reserved for what others then hold for it.
    let bytes: Int
  }

  /// Has the slabs reserved that caches under other policies than the batch's own take, those of a
  /// text included that is about to start; what such caches have left behind goes back.
  mutating func reserveSlabs(with terms: CacheTerms) {
    let held = prefixes.prefixes.values.filter { $0.cache != nil }.map(\.terms)
    let slack = admission.slack(of: sequences.map(\.terms) + held + [terms])
    if slack < admission.slack { meter.releaseUnused() }
    admission.slack = slack
  }

  /// While nothing runs: gives back the working memory of many texts, and memory of which what is kept
  /// for requests to come uses little, since others whose pages lay beside it have ended. Pages move
  /// where that is worth so many bytes.
  public mutating func rest(worth bytes: Int = 4 << 20) {
    guard isIdle else { return }
    pass.rest()
    guard var moves = PageMoves(meter, worth: bytes) else { return }
    for id in prefixes.prefixes.keys {
      guard var cache = prefixes[id]?.cache else { continue }
      // What finds no place stays where it is.
      do throws(TensorError) { try moves.move(&cache) } catch {}
      prefixes[id]?.cache = cache
    }
  }

  /// What of the prompts at hand a request can best start with.
  func source(for waiting: WaitingRequest) -> Source? {
    if waiting.request.scoresPrompt { return nil }
    let (prompt, terms) = (waiting.request.prompt, waiting.terms)
    for id in prefixes.equal(to: prompt, terms) {
      guard let prefix = prefixes[id] else { continue }
      let isHeld = prefix.logits != nil
      let isAhead = leaderIndex(prefix).map { sequences[$0].isInPrompt } ?? false
      if isHeld || isAhead {
        let charge = terms.forecast.charge(prompt: prompt.count, reply: 1, isShared: true)
        return Source(
          prefix: id, tokens: prompt.count, isWhole: true,
          bytes: max(0, (isHeld ? charge.shared : charge.prompt) - prefix.bytes))
      }
    }
    guard terms.forecast.sharesPrompts else { return nil }
    var best: (prefix: PrefixID, tokens: Int, held: Int)?
    for match in prefixes.matches(prompt, terms) {
      if let best, best.tokens >= match.tokens { break }
      guard let prefix = prefixes[match.id] else { continue }
      // The last token is always run, for its logits.
      let tokens = shareable(prefix, min(match.tokens, prompt.count - 1))
      if tokens > best?.tokens ?? 0 { best = (match.id, tokens, prefix.bytes) }
    }
    return best.map {
      Source(
        prefix: $0.prefix, tokens: $0.tokens, isWhole: false,
        bytes: max(0, terms.forecast.pageBytes(entries: $0.tokens) - $0.held))
    }
  }

  func leaderIndex(_ prefix: SharedPrefix) -> Int? {
    prefix.leader.flatMap { id in
      sequences.indices.first { sequences[$0].id == id && sequences[$0].branch == nil }
    }
  }

  /// How many tokens of a prompt, at most `most`, are held, or will be; 0 for none.
  private func shareable(_ prefix: SharedPrefix, _ most: Int) -> Int {
    if prefix.terms.sharesExactly {
      let tokens = prefix.terms.held(most)
      return canShareExactly(prefix, tokens) ? tokens : 0
    }
    let held = prefix.cache?.position ?? 0
    let coming = leaderIndex(prefix).map { leader in
      let sequence = sequences[leader]
      return sequence.isInPrompt ? sequence.source.prompt.count : caches[leader].position
    }
    return min(most, max(held, coming ?? 0))
  }

  /// Whether the first `tokens` tokens of a prompt are held, or will be, as they are right behind
  /// them.
  private func canShareExactly(_ prefix: SharedPrefix, _ tokens: Int) -> Bool {
    if let cache = prefix.cache, cache.position >= tokens, cache.canTruncate(to: tokens) {
      return true
    }
    guard let leader = leaderIndex(prefix) else { return false }
    if caches[leader].position >= tokens { return caches[leader].canTruncate(to: tokens) }
    let sequence = sequences[leader]
    guard sequence.isInPrompt, sequence.source.prompt.count > tokens else { return false }
    // One that waits begins behind what it waits for.
    if let awaited = sequence.awaited, awaited.tokens > tokens { return false }
    return sequence.stop == nil || sequence.stop == tokens
  }
}
