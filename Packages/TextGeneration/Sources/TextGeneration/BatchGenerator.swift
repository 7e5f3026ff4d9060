import DecoderModels
import KVCaches

/// Generates many texts at once: a loop over a `DecodingBatch` for callers who have all requests at
/// hand.
public final class BatchGenerator {
  /// Something that happened to request `request` (its index).
  public enum Event {
    /// A token was appended.
    case token(request: Int, GeneratedToken)
    /// The answer to a smaller budget is complete, before or after the text; see
    /// `GenerationRequest.branches`.
    case branched(request: Int, budget: Int, result: GenerationResult)
    /// The text is complete.
    case finished(request: Int, result: GenerationResult)
  }

  /// What the caller wants after an event.
  public enum Verdict: Sendable {
    case goOn
    /// End this text and its branches, and go on with the others.
    case endText
    /// End all texts.
    case endAll
  }

  /// What the last `run` took.
  public internal(set) var timings = GenerationTimings()
  /// Counts the bytes of all KV pages.
  public let meter = KVMeter()

  private let makeBatch: (_ concurrency: Int, _ spared: Int) -> DecodingBatch

  /// A generator on `pass`; see `DecodingBatch` for the parameters.
  public init(
    _ pass: ForwardPass, kv: KVPolicy = .full, kvByteBudget: Int = .max, promptTokens: Int = 64,
    proposer: (any Proposer)? = nil, tokenLimit: Int = .max,
    clock: some Clock<Duration> = ContinuousClock(),
    text: @escaping (Int32) -> String = { _ in "" }
  ) {
    makeBatch = { [meter] concurrency, spared in
      DecodingBatch(
        pass, kv: kv,
        limits: DecodingBatch.Limits(
          concurrency: concurrency, kvByteBudget: kvByteBudget - spared, promptTokens: promptTokens),
        proposer: proposer, tokenLimit: tokenLimit, meter: meter, clock: clock, text: text)
    }
  }

  /// Begins to generate requests; the caller asks for what happens.
  ///
  /// - Parameters:
  ///   - requests: the texts to generate, started in this order.
  ///   - concurrency: most texts decoded together; branches, which are short, come on top.
  /// - Returns: the requests under way.
  /// - Throws: `GenerationError` for a request that cannot be run, such as one that may outgrow the
  ///   KV byte budget.
  public func start(
    _ requests: [GenerationRequest], concurrency: Int = 1
  ) throws(GenerationError) -> BatchRun {
    try BatchRun(requests, in: makeBatch(concurrency, 0), of: self)
  }

  /// Generates all requests.
  ///
  /// - Parameters:
  ///   - requests: as for `start`.
  ///   - concurrency: likewise.
  ///   - handle: told every token of the texts, and every finished text and branch.
  /// - Throws: `GenerationError` as `start` and `BatchRun.next` do. No pages stay behind.
  public func run(
    _ requests: [GenerationRequest], concurrency: Int = 1, handle: (Event) -> Verdict
  ) throws(GenerationError) {
    var run = try start(requests, concurrency: concurrency)
    while let event = try run.next() {
      switch handle(event) {
      case .goOn: break
      case .endAll: return
      case .endText: if case .token(let request, _) = event { run.end(request) }
      }
    }
  }

  /// How many of the requests, from the first on, fit into the KV byte budget, less some bytes, at
  /// once.
  ///
  /// - Throws: `GenerationError` for a request that cannot be run, as `run` does.
  public func fitting(
    _ requests: [GenerationRequest], sparing bytes: Int = 0
  ) throws(GenerationError) -> Int {
    try makeBatch(max(requests.count, 1), bytes).fitting(requests)
  }
}
