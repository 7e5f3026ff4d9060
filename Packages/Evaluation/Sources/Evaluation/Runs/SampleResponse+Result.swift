import TextGeneration

extension SampleResponse {
  /// A generated text as a reply: the thought, closing tag included, and the answer, which begins
  /// with the cue where one was injected.
  ///
  /// - Parameters:
  ///   - result: The text.
  ///   - stops: What was looked for in it; nothing from one of them on is part of the reply.
  ///   - cost: Time and memory.
  ///   - decode: The text of tokens, special ones left out.
  public init(
    _ result: GenerationResult, _ stops: StopStrings, cost: SampleCost, decode: ([Int32]) -> String
  ) {
    let counts = result.counts
    func text(_ tokens: ArraySlice<Int32>) -> String {
      let text = decode(Array(tokens))
      return stops.cut(text) ?? text
    }
    let ended: FinishReason = stops.isHit ? .stop : .length
    self.init(
      thought: text(result.tokens.prefix(counts.thought)),
      answer: text(result.tokens.dropFirst(counts.thought)), promptTokens: counts.prompt,
      thoughtTokens: counts.thought - counts.waits, injectedTokens: counts.injected,
      answerTokens: counts.answer,
      finish: result.finishReason == .cancelled ? ended : result.finishReason, cost: cost)
  }
}
