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
      // The last token is never run.
      let groups = whole.map { $0.map { $0.fitting(loaded.decoder.shape.contextLength + 1) } }
      let count = try scorer.fitting(groups, wanted: groups.count)
      let before = scorer.timings.seconds
      let scores = try scorer.score(Array(groups.prefix(count)))
      let seconds = (scorer.timings.seconds - before) / Double(count)
      shortened += zip(whole.joined(), groups.prefix(count).joined()).count { $0 != $1 }
      for (request, (texts, scores)) in zip(requests[next...], zip(groups, scores)) {
        let cost = SampleCost(
          seconds: seconds, weightsBytes: Int64(loaded.decoder.weightBytes),
          peakBytes: Int64(ProcessMemory.peakBytes))
        try each(request, request.question.response(texts, scores, cost: cost))
      }
      scoring = scorer.timings
      next += count
    }
    Console.noteShortened(shortened)
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
    let texts = try question.scoredTexts { prompt, continuation in
      try maker.ids(question, prompt: prompt, continuation: continuation)
    }
    if let fault = question.fault(of: texts) { throw UserError(fault) }
    return texts
  }
}
