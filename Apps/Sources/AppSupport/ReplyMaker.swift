import Evaluation
import TextGeneration
import Tokenizer

/// Turns the questions of benchmarks into the engine's requests and its texts into replies: the
/// same for a benchmark in this process and for one that asks a server.
public struct ReplyMaker: Sendable {
  let tokenizer: TextTokenizer
  private let prompts: PromptBuilder
  private let sampling: SamplingOptions
  private let stopTokens: Set<Int32>
  private let tags: ThinkingTags?
  private let weightBytes: Int64
  private let confidenceWindow: Int?

  /// A maker for a model.
  ///
  /// - Parameters:
  ///   - loaded: the model.
  ///   - sampling: how tokens are drawn where a request does not say.
  ///   - confidenceWindow: tokens in a row over which replies say how sure the model was, if they do.
  /// - Throws: `UserError` for a model without tokenizer; what is wrong with its files.
  public init(
    _ loaded: LoadedModel, sampling: SamplingOptions, confidenceWindow: Int? = nil
  ) throws {
    let tokenizer = try loaded.requireTokenizer()
    self.tokenizer = tokenizer
    self.sampling = sampling
    prompts = PromptBuilder(
      files: loaded.checkpoint.modelFiles, tokenizer: tokenizer, thinks: true)
    stopTokens = try loaded.stopTokens()
    tags = loaded.thinkingTags
    weightBytes = Int64(loaded.decoder.weightBytes)
    self.confidenceWindow = confidenceWindow
  }

  /// The prompt's tokens of a question, with the beginning of its reply.
  ///
  /// - Parameters:
  ///   - question: The question.
  ///   - prompt: The last message, where a candidate has its own.
  ///   - continuation: Text that stands behind it.
  /// - Returns: The ids.
  /// - Throws: `TokenizerError` where the chat template refuses the conversation.
  func ids(
    _ question: SampleQuestion, prompt: String? = nil, continuation: String = ""
  ) throws -> [Int32] {
    if question.form == .text {
      return tokenizer.encode(
        question.text(prompt) + continuation, addSpecialTokens: true,
        specialText: .treatSpecialTextAsPlain)
    }
    let messages = question.conversation(prompt).map {
      ChatMessage(role: $0.role, content: $0.text)
    }
    var built = try prompts.prompt(ChatConversation(messages: messages))
    built.append(question.prefill + continuation)
    return prompts.ids(built)
  }

  /// The engine's request for a reply, those at smaller budgets included.
  ///
  /// - Throws: `TokenizerError` where the chat template refuses the question; `GenerationError` for
  ///   sampling out of range; `UsageError` where forcing lacks a thinking budget.
  public func generation(_ request: SampleRequest, forced: Bool) throws -> GenerationRequest {
    var generation = GenerationRequest(
      prompt: try ids(request.question),
      sampling: try sampling.overridden(by: request.sampling),
      random: RandomStream(seed: request.seed, sample: UInt64(request.sample)),
      maxTokens: request.limits.tokens, stopTokens: stopTokens, tags: tags,
      budget: try budget(request.limits, forced: forced), branches: request.budgets)
    generation.confidenceWindow = confidenceWindow
    return generation
  }

  private func budget(_ limits: TokenLimits, forced: Bool) throws -> ThinkingBudget? {
    guard let thinking = limits.thinking else {
      if forced { throw UsageError("forcing needs a thinking budget") }
      return nil
    }
    return try ThinkingBudget(tokens: thinking, lowerBound: forced ? .budget : .none) {
      tokenizer.encode($0, addSpecialTokens: false)
    }
  }

  /// The reply that a text is, in which stop strings were looked for.
  public func response(_ result: GenerationResult, _ stops: StopStrings) -> SampleResponse {
    var response = SampleResponse(
      result, stops,
      cost: SampleCost(
        seconds: result.seconds, weightsBytes: weightBytes, kvBytes: Int64(result.kvBytes),
        peakBytes: Int64(ProcessMemory.peakBytes))
    ) { tokenizer.decode($0, skipSpecialTokens: true) }
    response.confidence = confidenceWindow.flatMap { window in
      result.lowestLogprob.map { ReplyConfidence(window: window, lowestLogprob: $0) }
    }
    return response
  }
}
