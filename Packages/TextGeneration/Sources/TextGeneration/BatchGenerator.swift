import DecoderModels
import KVCaches

/// Generates many texts at once: a loop over a `DecodingBatch` for callers who have all requests at hand.
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
  public private(set) var timings = GenerationTimings()
  /// Counts the bytes of all KV pages.
  public let meter = KVMeter()

  private let makeBatch: (_ concurrency: Int) -> DecodingBatch

  /// A generator on `pass`; see `DecodingBatch` for the parameters.
  public init(
    _ pass: ForwardPass, kv: KVPolicy = .full, kvByteBudget: Int = .max, promptTokens: Int = 64,
    proposer: (any Proposer)? = nil, tokenLimit: Int = .max,
    clock: some Clock<Duration> = ContinuousClock(),
    text: @escaping (Int32) -> String = { _ in "" }
  ) {
    makeBatch = { [meter] concurrency in
      DecodingBatch(
        pass, kv: kv,
        limits: DecodingBatch.Limits(
          concurrency: concurrency, kvByteBudget: kvByteBudget, promptTokens: promptTokens),
        proposer: proposer, tokenLimit: tokenLimit, meter: meter, clock: clock, text: text)
    }
  }

  /// Generates all requests.
  ///
  /// - Parameters:
  ///   - requests: the texts to generate, started in this order.
  ///   - concurrency: most texts decoded together; branches, which are short, come on top.
  ///   - handle: told every token of the texts, and every finished text and branch.
  /// - Throws: `GenerationError` for a request that cannot be run, such as one that may outgrow the KV byte budget,
  ///   before any is, and as `DecodingBatch.step` does; what `handle` throws. No pages stay behind.
  public func run(
    _ requests: [GenerationRequest], concurrency: Int = 1, handle: (Event) throws -> Verdict
  ) throws {
    var batch = makeBatch(concurrency)
    var indices: [RequestID: Int] = [:]
    for (index, request) in requests.enumerated() { indices[try batch.submit(request)] = index }
    timings = GenerationTimings()
    while !batch.isIdle {
      let events = try batch.step()
      timings = batch.timings
      var cancelled: Set<RequestID> = []
      for event in events {
        guard let (id, event) = Self.event(event, indices, cancelled) else { continue }
        switch try handle(event) {
        case .goOn: break
        case .endAll: return
        case .endText:
          guard case .token(let index, _) = event, cancelled.insert(id).inserted,
            let result = batch.cancel(id)
          else { continue }
          if try handle(.finished(request: index, result: result)) == .endAll { return }
        }
      }
    }
  }

  /// An event with the request's index; nil for one that is no longer wanted. A text that ended in the step
  /// in which the caller ended it was ended by the caller.
  private static func event(
    _ event: DecodingBatch.Event, _ indices: [RequestID: Int], _ cancelled: Set<RequestID>
  ) -> (RequestID, Event)? {
    switch event {
    case .token(let id, let token):
      guard !cancelled.contains(id), let index = indices[id] else { return nil }
      return (id, .token(request: index, token))
    case .branched(let id, let budget, let result):
      guard !cancelled.contains(id), let index = indices[id] else { return nil }
      return (id, .branched(request: index, budget: budget, result: result))
    case .finished(let id, let result):
      guard let index = indices[id] else { return nil }
      return (
        id, .finished(request: index, result: cancelled.contains(id) ? result.cancelled : result)
      )
    }
  }

  /// How many of the requests, from the first on, fit into the KV byte budget at once.
  ///
  /// - Throws: `GenerationError` for a request that cannot be run, as `run` does.
  public func fitting(_ requests: [GenerationRequest]) throws(GenerationError) -> Int {
    try makeBatch(max(requests.count, 1)).fitting(requests)
  }
}
