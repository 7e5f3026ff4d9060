import AppSupport
import Evaluation
import Generation
import KVCaches
import Tokenizer

/// Answers benchmark questions with a model in this process.
final class EngineResponder: Responder {
  private let loaded: LoadedModel
  private let tokenizer: TextTokenizer
  private let prompts: PromptBuilder
  private let generator: BatchGenerator
  private let sampling: SamplingOptions
  private let stopTokens: Set<Int32>
  private let batch: Int

  init(_ loaded: LoadedModel, format: KVFormat, sampling: SamplingOptions, batch: Int) throws {
    self.loaded = loaded
    self.sampling = sampling
    self.batch = batch
    tokenizer = try loaded.requireTokenizer()
    prompts = try PromptBuilder(
      folder: loaded.checkpoint.directory, tokenizer: tokenizer, thinks: true)
    generator = BatchGenerator(loaded.pass, format: format, tokenLimit: loaded.tokenLimit)
    stopTokens = try loaded.stopTokens()
  }

  /// Tokens generated a second over everything answered, or nil when nothing was.
  var rate: Double? {
    let timings = generator.timings
    return timings.generatedTokens > 0 ? timings.generationRate : nil
  }

  func respond(
    to requests: [SampleRequest], each: (SampleRequest, SampleResponse) throws -> Void
  ) throws {
    let generation = try requests.map { request in
      GenerationRequest(
        prompt: try prompts.ids([ChatMessage(role: "user", content: request.prompt)]),
        sampling: sampling,
        random: RandomStream(seed: request.seed, sample: UInt64(request.sample)),
        maxTokens: request.limits.tokens, stopTokens: stopTokens)
    }
    try generator.run(generation, concurrency: batch) { event in
      try Interrupts.check()
      if case .finished(let index, let result) = event {
        try each(requests[index], response(to: generation[index], result))
      }
      return .goOn
    }
  }

  /// Splits a text into thought, closing tag included, and answer.
  private func response(
    to request: GenerationRequest, _ result: GenerationResult
  ) -> SampleResponse {
    let tags = loaded.thinkingTags
    var tracker = ThoughtTracker(tags: tags, prompt: request.prompt)
    for id in result.tokens { _ = tracker.take(id) }
    let end = tags.flatMap { tags in result.tokens.lastIndex(of: tags.close) }.map { $0 + 1 } ?? 0
    let isUnfinished = end == 0 && tracker.thoughtTokens > 0
    let split = isUnfinished ? result.tokens.count : end
    func text(_ tokens: ArraySlice<Int32>) -> String {
      tokenizer.decode(Array(tokens), skipSpecialTokens: true)
    }
    return SampleResponse(
      thought: text(result.tokens[..<split]), answer: text(result.tokens[split...]),
      promptTokens: request.prompt.count, thoughtTokens: tracker.thoughtTokens, injectedTokens: 0,
      answerTokens: tracker.answerTokens, finish: result.finishReason == .stop ? .stop : .length,
      cost: SampleCost(
        seconds: result.seconds, weightsBytes: Int64(loaded.decoder.weightBytes),
        kvBytes: Int64(result.kvBytes), peakBytes: Int64(ProcessMemory.peakBytes)))
  }
}
