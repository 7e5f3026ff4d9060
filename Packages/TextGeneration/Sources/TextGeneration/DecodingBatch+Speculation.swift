import KVCaches

extension DecodingBatch {
  /// Proposes tokens for those who generate, as far as they can be taken back.
  ///
  /// - Returns: how many tokens the texts got since proposals were asked for before; nil where none
  ///   were asked for.
  mutating func propose(
    _ parts: [(sequence: Int, tokens: Int)], _ drawn: inout [Drawn]
  ) throws(GenerationError) -> Int? {
    guard proposer != nil, sequences.count <= limits.speculatingTexts else { return nil }
    var asking: [(sequence: Int, request: ProposalRequest)] = []
    for (index, tokens) in parts {
      guard let request = proposalRequest(index, running: tokens, texts: parts.count) else {
        continue
      }
      asking.append((index, request))
    }
    guard !asking.isEmpty else { return nil }
    let (requests, meter) = (asking.map(\.request), meter)
    let proposed = try proposer?.propose(for: requests, meter: meter) ?? []
    var lag = 0
    for (asked, proposals) in zip(asking, proposed) {
      lag += sequences[asked.sequence].tokens.count - sequences[asked.sequence].askedTokens
      sequences[asked.sequence].askedTokens = sequences[asked.sequence].tokens.count
      drawn[asked.sequence].proposals = Array(proposals.prefix(asked.request.most))
      if !proposals.isEmpty, !caches[asked.sequence].isTruncatable {
        drawn[asked.sequence].before = (
          caches[asked.sequence], sequences[asked.sequence].pending
        )
      }
    }
    return lag
  }

  /// The cache of a sequence as it was behind the first `accepted` proposals of a step, and the
  /// tokens that have yet to be run in it; nil where there is none.
  func state(
    of index: Int, behind accepted: Int, _ drawn: Drawn
  ) -> (cache: KVCache, again: [Int32])? {
    var cache = caches[index]
    let wrong = drawn.proposals.count - accepted
    if wrong == 0 { return (cache, []) }
    if let before = drawn.before {
      return (before.cache, before.tokens + drawn.proposals.prefix(accepted))
    }
    return cache.truncate(to: cache.position - wrong) ? (cache, []) : nil
  }

  /// What is asked for a sequence of which `running` tokens are run in this step; nil for nothing.
  private func proposalRequest(
    _ index: Int, running: Int, texts: Int
  ) -> ProposalRequest? {
    let sequence = sequences[index]
    guard sequence.branch == nil else { return nil }
    if sequence.isInPrompt {
      // Who holds caches of its own reads along.
      guard proposer?.cacheForecast != nil, ledger.isSolvent else { return nil }
      let read = sequence.source.prompt.prefix(sequence.promptTokensRun + running)
      return ProposalRequest(tokens: Array(read), most: 0, sequence: sequence)
    }
    let cache = caches[index]
    // An eviction, or telling thoughts apart, waits until all tokens are verified.
    let free = cache.isTruncatable ? cache.tokensUntilFixed : cache.tokensUntilCompaction - 1
    let length = min(
      max(0, free - sequence.pending.count), sequence.mostProposals(context: admission.context),
      ledger.length(sequence.acceptRate, texts: texts))
    guard length > 0 else { return nil }
    return ProposalRequest(
      tokens: sequence.source.prompt + sequence.tokens, most: length, sequence: sequence)
  }

  /// Takes in how many of the proposals for a sequence were drawn.
  mutating func take(accepted: Int, of proposed: Int, for index: Int) {
    guard proposed > 0 else { return }
    sequences[index].acceptRate.take(accepted: accepted, of: proposed)
    acceptRate = sequences[index].acceptRate
    timings.proposedTokens += proposed
    timings.acceptedTokens += accepted
  }

  /// Takes in what a step took, of it `drafting` seconds to propose; `lag` as `propose` returns it.
  mutating func accountSpeculation(
    _ parts: [(sequence: Int, tokens: Int)], _ drawn: [Drawn], lag: Int?, drafting: Double,
    seconds: Double
  ) {
    guard proposer != nil else { return }
    let drafting = lag == nil ? 0 : drafting
    timings.draftSeconds += drafting
    guard !parts.isEmpty, !parts.contains(where: { sequences[$0.sequence].isInPrompt }) else {
      return
    }
    if !parts.allSatisfy({ $0.tokens == 1 }) {
      let isRepeating = parts.contains { sequences[$0.sequence].repeated > 0 }
      // Words that were put in are nobody's loss.
      guard isRepeating || parts.contains(where: { !drawn[$0.sequence].proposals.isEmpty }) else {
        return
      }
    }
    ledger.take(
      isPlain: parts.allSatisfy { $0.tokens == 1 }, texts: parts.count,
      tokens: parts.reduce(0) { $0 + drawn[$1.sequence].tokens.count },
      proposed: parts.reduce(0) { $0 + drawn[$1.sequence].proposals.count },
      lag: lag ?? 0, drafting: drafting, seconds: seconds)
  }
}
