import Foundation
import KVCaches
import Models

/// Generates many texts at once: up to `concurrency` sequences are decoded together, and when one ends the next
/// request takes its place. A text depends only on its request, never on its neighbours.
public final class BatchGenerator {
  /// Something that happened to request `request` (its index).
  public enum Event {
    /// A token was generated.
    case token(request: Int, id: Int32)
    /// The text is complete.
    case finished(request: Int, result: GenerationResult)
  }

  /// What the caller wants after an event.
  public enum Verdict: Sendable {
    case goOn
    /// End this text, and go on with the others.
    case endText
    /// End all texts.
    case endAll
  }

  /// What the last `run` took.
  public private(set) var timings = GenerationTimings()
  /// Counts the bytes of all KV pages.
  public let meter = KVMeter()

  private let pass: ForwardPass
  private let sampler: Sampler
  private let format: KVFormat

  /// A generator on `pass` whose caches are stored in `format`; ids from `tokenLimit` on are never drawn.
  public init(_ pass: ForwardPass, format: KVFormat, tokenLimit: Int = Int.max) {
    self.pass = pass
    self.format = format
    sampler = Sampler(tokenLimit: tokenLimit)
  }

  /// One sequence in the batch.
  private struct Slot {
    let request: Int
    let limit: Int
    let started: Date
    /// Tokens not yet run through the model: the prompt at first, then the token drawn last.
    var pending: [Int32]
    var tokens: [Int32] = []
  }

  /// Generates all requests.
  ///
  /// - Parameters:
  ///   - requests: the texts to generate, started in this order.
  ///   - concurrency: most sequences decoded together.
  ///   - handle: told every token and every finished text.
  /// - Throws: `GenerationError` for a request that cannot be run, before any is; `nonFiniteLogits`; what `handle`
  ///   throws; `TensorError.outOfMemory`.
  public func run(
    _ requests: [GenerationRequest], concurrency: Int = 1, handle: (Event) throws -> Verdict
  ) throws {
    for request in requests { try check(request) }
    timings = GenerationTimings()
    var slots: [Slot] = []
    var caches: [KVCache] = []
    var next = 0
    while true {
      while slots.count < max(concurrency, 1), next < requests.count {
        slots.append(slot(for: requests[next], index: next))
        caches.append(pass.makeCache(format: format, meter: meter))
        next += 1
      }
      if slots.isEmpty { return }
      let drawn = try step(slots, requests, &caches)
      for index in slots.indices.reversed() {
        let verdict = try advance(&slots[index], drawn[index], requests, caches[index], handle)
        if verdict == .endAll { return }
        if verdict == .endText {
          slots.remove(at: index)
          caches.remove(at: index)
        }
      }
    }
  }

  private func check(_ request: GenerationRequest) throws(GenerationError) {
    let context = pass.decoder.config.contextLength
    guard !request.prompt.isEmpty else { throw .emptyPrompt }
    guard request.prompt.count < context else {
      throw .promptTooLong(tokens: request.prompt.count, context: context)
    }
    guard request.maxTokens > 0 else {
      throw .invalidOption(
        name: "max-tokens", value: "\(request.maxTokens)", expected: "at least 1")
    }
  }

  private func slot(for request: GenerationRequest, index: Int) -> Slot {
    let room = pass.decoder.config.contextLength - request.prompt.count
    return Slot(
      request: index, limit: min(request.maxTokens, room), started: Date(),
      pending: request.prompt)
  }

  /// Runs every slot's pending tokens and draws each one's next.
  private func step(
    _ slots: [Slot], _ requests: [GenerationRequest], _ caches: inout [KVCache]
  ) throws -> [Int32] {
    let started = Date()
    var drawn = [Int32](repeating: 0, count: slots.count)
    let runs = slots.enumerated().map { TokenRun(cache: $0.offset, tokens: $0.element.pending) }
    try pass.run(runs, caches: &caches, rows: .last) { run, _, logits in
      let slot = slots[run]
      let request = requests[slot.request]
      drawn[run] = try sampler.sample(
        logits, request.sampling, uniform: request.random.uniform(at: slot.tokens.count),
        step: slot.tokens.count)
    }
    account(slots, seconds: Date().timeIntervalSince(started))
    return drawn
  }

  /// A step's time is shared out by rows: those of prompts, and those of single new tokens.
  private func account(_ slots: [Slot], seconds: Double) {
    let promptRows = slots.reduce(0) { $0 + ($1.tokens.isEmpty ? $1.pending.count : 0) }
    let newRows = slots.reduce(0) { $0 + ($1.tokens.isEmpty ? 0 : 1) }
    let share = Double(promptRows) / Double(promptRows + newRows)
    timings.promptTokens += promptRows
    timings.promptSeconds += seconds * share
    timings.generatedTokens += newRows
    timings.generationSeconds += seconds * (1 - share)
  }

  /// Takes a drawn token into its text; `.endText` when the text is complete and was handed out.
  private func advance(
    _ slot: inout Slot, _ token: Int32, _ requests: [GenerationRequest], _ cache: KVCache,
    _ handle: (Event) throws -> Verdict
  ) throws -> Verdict {
    var reason: FinishReason?
    if requests[slot.request].stopTokens.contains(token) {
      reason = .stop
    } else {
      slot.tokens.append(token)
      slot.pending = [token]
      switch try handle(.token(request: slot.request, id: token)) {
      case .goOn: reason = slot.tokens.count >= slot.limit ? .length : nil
      case .endText: reason = .cancelled
      case .endAll: return .endAll
      }
    }
    guard let reason else { return .goOn }
    let result = GenerationResult(
      tokens: slot.tokens, finishReason: reason, kvBytes: cache.byteCount,
      seconds: Date().timeIntervalSince(slot.started))
    return try handle(.finished(request: slot.request, result: result)) == .endAll
      ? .endAll : .endText
  }
}
