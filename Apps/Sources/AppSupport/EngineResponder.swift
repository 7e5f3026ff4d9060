import Evaluation
import TextGeneration
import KVCaches
import Tokenizer

/// Answers benchmark questions with a model in this process.
public final class EngineResponder: Responder {
  private let loaded: LoadedModel
  private let tokenizer: TextTokenizer
  private let prompts: PromptBuilder
  private let generator: BatchGenerator
  private let sampling: SamplingOptions
  private let stopTokens: Set<Int32>
  private let memory: MemoryFlags
  private let kvByteBudget: Int
  private let batch: Int
  private let force: Bool

  /// A responder.
  ///
  /// - Parameters:
  ///   - loaded: the model.
  ///   - kv: what its caches keep, and how.
  ///   - sampling: how tokens are drawn where a request does not say.
  ///   - memory: what all of it may take; fewer than `batch` are generated together where it does
  ///     not hold more.
  ///   - batch: most replies generated together; branches come on top.
  ///   - force: whether every reply thinks for exactly its thinking budget.
  /// - Throws: `UserError` for a model without tokenizer; what is wrong with its files;
  ///   `KVPolicyError` where its heads cannot be kept as `kv` says.
  public init(
    _ loaded: LoadedModel, kv: KVPolicy, sampling: SamplingOptions,
    memory: MemoryFlags = MemoryFlags(), batch: Int, force: Bool = false
  ) throws {
    try kv.check(loaded.pass.decoder.shape.cacheShape)
    self.loaded = loaded
    self.force = force
    self.sampling = sampling
    self.batch = batch
    let tokenizer = try loaded.requireTokenizer()
    self.tokenizer = tokenizer
    prompts = PromptBuilder(
      files: loaded.checkpoint.modelFiles, tokenizer: tokenizer, thinks: true)
    self.memory = memory
    kvByteBudget = try memory.kvByteBudget(beside: loaded, kv: kv, sequences: batch)
    generator = BatchGenerator(
      loaded.pass, kv: kv, kvByteBudget: kvByteBudget, tokenLimit: loaded.tokenLimit
    ) { tokenizer.decode([$0]) }
    stopTokens = try loaded.stopTokens()
  }

  /// Tokens generated a second over everything answered, or nil when nothing was.
  public var rate: Double? {
    let timings = generator.timings
    return timings.generatedTokens > 0 ? timings.generationRate : nil
  }

  /// Answers the requests and their smaller budgets, each thought generated once.
  ///
  /// - Throws: `GenerationError`, `ModelError` or `TensorError`; `UserError` when interrupted; what
  ///   `each` throws.
  public func respond(
    to requests: [SampleRequest], each: (SampleRequest, SampleResponse) throws -> Void
  ) throws {
    let generation = try requests.map(generation)
    for request in generation {
      _ = try memory.fitting([request], wanted: 1, kvByteBudget: kvByteBudget, generator: generator)
    }
    try generator.run(generation, concurrency: batch) { event in
      try Interrupts.check()
      switch event {
      case .token: break
      case .branched(let index, let budget, let result):
        try each(requests[index].shortened(to: budget), response(result))
      case .finished(let index, let result):
        try each(requests[index], response(result))
      }
      return .goOn
    }
  }

  private func generation(_ request: SampleRequest) throws -> GenerationRequest {
    GenerationRequest(
      prompt: try prompts.ids([ChatMessage(role: "user", content: request.prompt)]),
      sampling: try sampling.overridden(by: request.sampling),
      random: RandomStream(seed: request.seed, sample: UInt64(request.sample)),
      maxTokens: request.limits.tokens, stopTokens: stopTokens, tags: loaded.thinkingTags,
      budget: try budget(request.limits), branches: request.budgets)
  }

  private func budget(_ limits: TokenLimits) throws -> ThinkingBudget? {
    guard let thinking = limits.thinking else {
      if force { throw UsageError("forcing needs a thinking budget") }
      return nil
    }
    return try ThinkingBudget(tokens: thinking, lowerBound: force ? .budget : .none) {
      tokenizer.encode($0, addSpecialTokens: false)
    }
  }

  /// Splits a text into thought, closing tag included, and answer, which begins with the cue where
  /// one was injected.
  private func response(_ result: GenerationResult) -> SampleResponse {
    let counts = result.counts
    func text(_ tokens: ArraySlice<Int32>) -> String {
      tokenizer.decode(Array(tokens), skipSpecialTokens: true)
    }
    return SampleResponse(
      thought: text(result.tokens.prefix(counts.thought)),
      answer: text(result.tokens.dropFirst(counts.thought)), promptTokens: counts.prompt,
      thoughtTokens: counts.thought - counts.waits, injectedTokens: counts.injected,
      answerTokens: counts.answer,
      finish: result.finishReason == .cancelled ? .length : result.finishReason,
      cost: SampleCost(
        seconds: result.seconds, weightsBytes: Int64(loaded.decoder.weightBytes),
        kvBytes: Int64(result.kvBytes), peakBytes: Int64(ProcessMemory.peakBytes)))
  }
}
