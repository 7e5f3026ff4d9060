import Evaluation
import TextGeneration
import KVCaches
import Tokenizer

/// Answers benchmark questions with a model in this process.
public final class EngineResponder: Responder {
  let loaded: LoadedModel
  let maker: ReplyMaker
  let kv: KVPolicy
  /// Made for the memory that `batch` replies at a time leave for their caches.
  private var generator: BatchGenerator
  private let memory: MemoryFlags
  private let proposer: LoadedProposer?
  private(set) var kvByteBudget: Int
  private(set) var batch: Int
  private let force: Bool
  /// What scoring candidates took, where some were scored.
  var scoring = LikelihoodTimings()

  /// A responder.
  ///
  /// - Parameters:
  ///   - loaded: the model.
  ///   - kv: what its caches keep, and how.
  ///   - sampling: how tokens are drawn where a request does not say.
  ///   - memory: what all of it may take; fewer than `batch` are generated together where it does
  ///     not hold more. Replies are never cut for it: one that does not fit alone is refused.
  ///   - batch: most replies generated together; branches come on top.
  ///   - force: whether every reply thinks for exactly its thinking budget.
  ///   - proposer: what proposes tokens, which changes no reply; nil for nothing.
  ///   - confidenceWindow: tokens in a row by which it is told how sure the model was; nil for not.
  /// - Throws: `UserError` for a model without tokenizer; what is wrong with its files;
  ///   `KVPolicyError` where its heads cannot be kept as `kv` says.
  public init(
    _ loaded: LoadedModel, kv: KVPolicy, sampling: SamplingOptions,
    memory: MemoryFlags, batch: Int, force: Bool = false,
    proposer: LoadedProposer? = nil, confidenceWindow: Int? = nil
  ) throws {
    try kv.check(loaded.pass.decoder.shape.cacheShape)
    self.loaded = loaded
    self.kv = kv
    self.force = force
    self.batch = batch
    maker = try ReplyMaker(loaded, sampling: sampling, confidenceWindow: confidenceWindow)
    self.memory = memory
    self.proposer = proposer
    (kvByteBudget, generator) = try Self.generator(
      loaded, maker.tokenizer, kv, memory, proposer, batch: batch)
  }

  /// A generator of `batch` replies at a time, and the bytes that these leave for caches.
  private static func generator(
    _ loaded: LoadedModel, _ tokenizer: TextTokenizer, _ kv: KVPolicy, _ memory: MemoryFlags,
    _ proposer: LoadedProposer?, batch: Int
  ) throws -> (Int, BatchGenerator) {
    let bytes = try memory.kvByteBudget(
      beside: loaded, kv: kv, sequences: batch, proposer: proposer)
    let generator = BatchGenerator(
      loaded.pass, kv: kv, kvByteBudget: bytes, proposer: proposer?.proposer,
      tokenLimit: loaded.tokenLimit
    ) { tokenizer.decode([$0]) }
    return (bytes, generator)
  }

  /// Generates fewer replies at a time where the working memory of `batch` of them leaves too
  /// little for one.
  private func makeRoom(for requests: [GenerationRequest]) throws {
    func fits(_ request: GenerationRequest) -> Bool {
      if case .failure(.memoryExceeded) = Result(catching: { () throws(GenerationError) in
        try generator.fitting([request])
      }) {
        return false
      }
      return true
    }
    while batch > 1, !requests.allSatisfy(fits) {
      batch /= 2
      (kvByteBudget, generator) = try Self.generator(
        loaded, maker.tokenizer, kv, memory, proposer, batch: batch)
    }
  }

  /// Tokens generated a second over everything answered, or read where candidates were scored; nil
  /// when nothing was.
  public var rate: Double? {
    if let rate = scoring.rate { return rate }
    let timings = generator.timings
    return timings.generatedTokens > 0 ? timings.generationRate : nil
  }

  /// What was proposed and accepted in the replies generated last; nil where nothing was to be.
  public var speculation: String? {
    proposer.map { _ in LoadedProposer.text(generator.timings) }
  }

  /// Answers the requests and their smaller budgets, each thought generated once.
  ///
  /// - Throws: `GenerationError`, `ModelError` or `TensorError`; `UserError` when interrupted; what
  ///   `each` throws.
  public func respond(
    to requests: [SampleRequest], each: (SampleRequest, SampleResponse) throws -> Void
  ) throws {
    if let first = requests.first, first.question.isScored {
      return try score(requests, each: each)
    }
    let generation = try requests.map { try maker.generation($0, forced: force) }
    try makeRoom(for: generation)
    for request in generation {
      _ = try memory.fitting([request], wanted: 1, kvByteBudget: kvByteBudget, generator: generator)
    }
    var watches = requests.map { request in
      (
        maker.tokenizer.streamingDetokenizer(skipSpecialTokens: true),
        StopStrings(request.question.stops)
      )
    }
    var run = try generator.start(generation, concurrency: batch)
    while let event = try run.next() {
      try Interrupts.check()
      switch event {
      case .token(let index, let token):
        if watches[index].1.strings.isEmpty { break }
        _ = watches[index].1.push(watches[index].0.push(token.id))
        if watches[index].1.isHit { run.end(index) }
      case .branched(let index, let budget, let result):
        try each(requests[index].shortened(to: budget), maker.response(result, watches[index].1))
      case .finished(let index, let result):
        try each(requests[index], maker.response(result, watches[index].1))
      }
    }
  }

  /// Tokens of a question as the model reads it.
  ///
  /// - Throws: `TokenizerError` where the chat template refuses the conversation.
  public func promptTokens(_ question: SampleQuestion) throws -> Int {
    try maker.ids(question).count
  }

  /// The tokens of a question and a reply to it, as the model reads them.
  ///
  /// - Returns: All tokens, and how many of them are the question's.
  /// - Throws: `TokenizerError` where the chat template refuses the conversation.
  public func tokens(
    of question: SampleQuestion, _ reply: SampleResponse
  ) throws -> (tokens: [Int32], prompt: Int) {
    let prompt = try maker.ids(question)
    let text = reply.thought + reply.answer
    return (prompt + maker.tokenizer.encode(text, addSpecialTokens: false), prompt.count)
  }
}
