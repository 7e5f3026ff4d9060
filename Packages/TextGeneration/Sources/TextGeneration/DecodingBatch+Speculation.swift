import KVCaches

extension DecodingBatch {
  /// Proposes tokens for those who generate, as far as they can be taken back.
  mutating func propose(
    _ parts: [(sequence: Int, tokens: Int)], _ drawn: inout [Drawn]
  ) throws(GenerationError) {
    guard proposer != nil, sequences.count <= limits.speculatingTexts else { return }
    var asking: [(sequence: Int, request: ProposalRequest)] = []
    for (index, tokens) in parts {
      guard let request = proposalRequest(index, running: tokens, texts: parts.count) else {
        continue
      }
      asking.append((index, request))
    }
    guard !asking.isEmpty else { return }
    let (requests, meter) = (asking.map(\.request), meter)
    let proposed = try proposer?.propose(for: requests, meter: meter) ?? []
    for (asked, proposals) in zip(asking, proposed) {
      drawn[asked.sequence].proposals = Array(proposals.prefix(asked.request.most))
    }
  }

  /// What is asked for a sequence of which `running` tokens are run in this step; nil for nothing.
  private func proposalRequest(
    _ index: Int, running: Int, texts: Int
  ) -> ProposalRequest? {
    let sequence = sequences[index]
    let most = max(0, caches[index].tokensUntilFixed - 1)
    guard sequence.branch == nil, most > 0 else { return nil }
    if sequence.isInPrompt {
      // Who holds caches of its own reads along.
      guard proposer?.cacheForecast != nil, ledger.isSolvent else { return nil }
      let read = sequence.source.prompt.prefix(sequence.promptTokensRun + running)
      return ProposalRequest(tokens: Array(read), most: 0, sequence: sequence)
    }
    let length = min(
      most, sequence.mostProposals(context: admission.context),
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

  /// Takes in what a step took, of it `drafting` seconds to propose.
  mutating func accountSpeculation(
    _ parts: [(sequence: Int, tokens: Int)], _ drawn: [Drawn], drafting: Double, seconds: Double
  ) {
    guard proposer != nil else { return }
    timings.draftSeconds += drafting
    guard !parts.isEmpty, !parts.contains(where: { sequences[$0.sequence].isInPrompt }) else {
      return
    }
    ledger.take(
      texts: parts.count, tokens: parts.reduce(0) { $0 + drawn[$1.sequence].tokens.count },
      proposed: parts.reduce(0) { $0 + drawn[$1.sequence].proposals.count },
      drafting: drafting, seconds: seconds)
  }
}
