import Evaluation
import TextGeneration

extension SampleQuestion {
  /// The texts of the candidates, or the window of text that the question is; a candidate without a
  /// token of its own is a text that nothing is scored of.
  ///
  /// - Parameter ids: The tokens of the question with this last message, and this text behind it.
  /// - Returns: A text for each candidate.
  /// - Throws: What `ids` throws.
  func scoredTexts<Failure: Error>(
    _ ids: (_ prompt: String?, _ continuation: String) throws(Failure) -> [Int32]
  ) throws(Failure) -> [ScoredText] {
    guard tokens.isEmpty else { return [ScoredText(tokens: tokens, start: 1)] }
    var contexts: [String?: [Int32]] = [:]
    var texts: [ScoredText] = []
    for candidate in candidates {
      // White space at the end of a text belongs to what follows it, as tokens are learnt.
      let (prompt, moved) =
        form == .text
        ? (candidate.prompt ?? self.prompt).withoutTrailingBlanks : (candidate.prompt, "")
      let context = if let known = contexts[prompt] { known } else { try ids(prompt, "") }
      contexts[prompt] = context
      let whole = try ids(prompt, moved + candidate.continuation)
      texts.append(
        ScoredText(tokens: context + whole.dropFirst(context.count), start: context.count))
    }
    return texts
  }

  /// Why the texts cannot be scored; nil where they can.
  func fault(of texts: [ScoredText]) -> String? {
    let place = texts.firstIndex { $0.start == 0 || $0.tokens.count == $0.start }
    return place.map {
      let text = candidates.indices.contains($0) ? candidates[$0].continuation : ""
      return "the candidate '\(text)' has no token of its own behind its prompt"
    }
  }

  /// The reply that the scores of the texts are.
  func response(
    _ texts: [ScoredText], _ scores: [TextLikelihood], cost: SampleCost
  ) -> SampleResponse {
    let context = texts.map(\.start).min() ?? 0
    return SampleResponse(
      thought: "", answer: "",
      promptTokens: context + texts.reduce(0) { $0 + $1.tokens.count - context },
      thoughtTokens: 0, injectedTokens: 0, answerTokens: 0, finish: .stop,
      candidates: scores.enumerated().map { place, score in
        CandidateScore(
          logprob: score.logprob, tokens: score.tokens,
          characters: candidates.indices.contains(place) ? candidates[place].characters : 0,
          isGreedy: score.isGreedy)
      }, cost: cost)
  }
}

extension ScoredText {
  /// The text without what does not fit before its end, if it may have so many tokens.
  func fitting(_ most: Int) -> ScoredText {
    let excess = max(0, tokens.count - most)
    guard excess > 0 else { return self }
    return ScoredText(tokens: Array(tokens[excess...]), start: max(1, start - excess))
  }
}

extension String {
  /// The text up to the white space at its end, and that white space.
  fileprivate var withoutTrailingBlanks: (String?, String) {
    let kept = String(self[..<(lastIndex { !$0.isWhitespace }.map(index(after:)) ?? startIndex)])
    return (kept, String(dropFirst(kept.count)))
  }
}

extension Console {
  /// Says how many texts lost their beginnings, where some did.
  static func noteShortened(_ texts: Int) {
    guard texts > 0 else { return }
    note(
      "note: \(texts) texts are longer than the model's context; their beginnings were left out")
  }
}
