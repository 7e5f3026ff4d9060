import Evaluation
import TextGeneration

extension EngineResponder {
  /// Scores candidates, several questions together; what prompts share is run once.
  func score(
    _ requests: [SampleRequest], each: (SampleRequest, SampleResponse) throws -> Void
  ) throws {
    // Plans count one row of logits for each text of the batch; what is more comes off the caches.
    let rows = max(0, LikelihoodScorer.rows - batch)
    let logits = rows * loaded.decoder.shape.vocabularySize * MemoryLayout<Float>.size
    var scorer = try LikelihoodScorer(
      loaded.pass, kv: kv, kvByteBudget: max(0, kvByteBudget) - min(logits, max(0, kvByteBudget)))
    var shortened = 0
    var next = 0
    while next < requests.count {
      try Interrupts.check()
      let whole = try nextTexts(requests[next...])
      let groups = whole.map { $0.map { $0.fitting(loaded.decoder.shape.contextLength) } }
      let count = try scorer.fitting(groups, wanted: groups.count)
      let before = scorer.timings.seconds
      let scores = try scorer.score(Array(groups.prefix(count)))
      let seconds = (scorer.timings.seconds - before) / Double(count)
      shortened += zip(whole.joined(), groups.prefix(count).joined()).count { $0 != $1 }
      for (request, (texts, scores)) in zip(requests[next...], zip(groups, scores)) {
        try each(request, response(request.question, texts, scores, seconds: seconds))
      }
      scoring = scorer.timings
      next += count
    }
    if shortened > 0 {
      Console.note(
        "note: \(shortened) texts are longer than the model's context; their beginnings were left out"
      )
    }
  }

  /// Tokens after which a batch is full: signals are looked for between batches.
  private static let batchTokens = 4096

  /// The texts of the next questions, as many as make a batch.
  private func nextTexts(_ requests: ArraySlice<SampleRequest>) throws -> [[ScoredText]] {
    var groups: [[ScoredText]] = []
    var tokens = 0
    for request in requests.prefix(batch) where tokens < Self.batchTokens {
      let group = try texts(request.question)
      // What the texts of a question share is run once.
      tokens += group.reduce(group.map(\.start).max() ?? 0) { $0 + $1.tokens.count - $1.start }
      groups.append(group)
    }
    return groups
  }

  /// The texts of a question's candidates, or the window of text that it is.
  private func texts(_ question: SampleQuestion) throws -> [ScoredText] {
    guard question.tokens.isEmpty else { return [ScoredText(tokens: question.tokens, start: 1)] }
    var contexts: [String?: [Int32]] = [:]
    return try question.candidates.map { candidate in
      // White space at the end of a text belongs to what follows it, as tokens are learnt.
      let (prompt, moved) =
        question.form == .text
        ? (candidate.prompt ?? question.prompt).withoutTrailingBlanks : (candidate.prompt, "")
      let context = try contexts[prompt] ?? maker.ids(question, prompt: prompt)
      contexts[prompt] = context
      let whole = try maker.ids(
        question, prompt: prompt, continuation: moved + candidate.continuation)
      guard whole.count > context.count, !context.isEmpty else {
        throw UserError(
          "the candidate '\(candidate.continuation)' has no token of its own behind its prompt")
      }
      return ScoredText(tokens: context + whole[context.count...], start: context.count)
    }
  }

  private func response(
    _ question: SampleQuestion, _ texts: [ScoredText], _ scores: [TextLikelihood], seconds: Double
  ) -> SampleResponse {
    let counts = zip(texts, scores).map { text, score in
      CandidateScore(
        logprob: score.logprob, tokens: score.tokens, characters: 0, isGreedy: score.isGreedy)
    }
    let candidates = counts.enumerated().map { place, score in
      var score = score
      score.characters =
        question.candidates.indices.contains(place) ? question.candidates[place].characters : 0
      return score
    }
    let context = texts.map(\.start).min() ?? 0
    return SampleResponse(
      thought: "", answer: "",
      promptTokens: context + texts.reduce(0) { $0 + $1.tokens.count - context },
      thoughtTokens: 0, injectedTokens: 0, answerTokens: 0, finish: .stop, candidates: candidates,
      cost: SampleCost(
        seconds: seconds, weightsBytes: Int64(loaded.decoder.weightBytes),
        peakBytes: Int64(ProcessMemory.peakBytes)))
  }
}

extension ScoredText {
  /// The text without what does not fit before its scored end: the last token is never run.
  fileprivate func fitting(_ context: Int) -> ScoredText {
    let excess = max(0, tokens.count - context - 1)
    guard excess > 0 else { return self }
    return ScoredText(tokens: Array(tokens[excess...]), start: max(1, start - excess))
  }
}

extension String {
  /// The text up to the white space at its end, and that white space.
  fileprivate var withoutTrailingBlanks: (String, String) {
    let kept = String(self[..<(lastIndex { !$0.isWhitespace }.map(index(after:)) ?? startIndex)])
    return (kept, String(dropFirst(kept.count)))
  }
}
