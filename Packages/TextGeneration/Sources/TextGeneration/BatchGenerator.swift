import Foundation
import KVCaches
import DecoderModels

/// Generates many texts at once: up to `concurrency` sequences are decoded together, and when one ends the next
/// request takes its place. A text depends only on its request, never on its neighbours.
///
/// Requests in a row with equal prompts share it: it is run once and its KV pages are stored once. Long prompts are cut over
/// steps while other texts are generated. With a limit on the bytes of KV pages a request starts only when it and
/// everything that runs can finish within it, and waits otherwise.
public final class BatchGenerator {
  /// A token of a text.
  public struct Token: Sendable, Hashable {
    /// Where a token comes from.
    public enum Origin: Sendable, Hashable {
      /// The model.
      case drawn
      /// The thinking budget, in place of an end that came too early.
      case wait
      /// The thinking budget, which is used up.
      case cue
    }

    /// Its id.
    public let id: Int32
    /// Where it comes from.
    public let origin: Origin
  }

  /// Something that happened to request `request` (its index).
  public enum Event {
    /// A token was appended.
    case token(request: Int, Token)
    /// The answer to a smaller budget is complete, before or after the text; see `GenerationRequest.branches`.
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

  private let pass: ForwardPass
  private let sampler: Sampler
  private let policy: KVPolicy
  private let room: Int
  private let promptTokens: Int
  private let text: (Int32) -> String

  /// A generator on `pass`.
  ///
  /// - Parameters:
  ///   - pass: the model at work.
  ///   - kv: what its caches keep, and how.
  ///   - room: most bytes of KV pages at any time.
  ///   - promptTokens: most prompt tokens of a step in which other texts are generated; changes no text.
  ///   - tokenLimit: ids from here on are never drawn.
  ///   - text: the text of one token, in which the end of a budget's answer is looked for; without it such an answer
  ///     ends at a stop token or its limit.
  public init(
    _ pass: ForwardPass, kv: KVPolicy = KVPolicy(), room: Int = .max,
    promptTokens: Int = 64, tokenLimit: Int = .max,
    text: @escaping (Int32) -> String = { _ in "" }
  ) {
    self.pass = pass
    policy = kv
    self.room = room
    self.promptTokens = max(promptTokens, 1)
    self.text = text
    sampler = Sampler(tokenLimit: tokenLimit)
  }

  /// Generates all requests.
  ///
  /// - Parameters:
  ///   - requests: the texts to generate, started in this order.
  ///   - concurrency: most texts decoded together; branches, which are short, come on top.
  ///   - handle: told every token of the texts, and every finished text and branch.
  /// - Throws: `GenerationError` for a request that cannot be run, such as one that may outgrow the room, before any is;
  ///   `nonFiniteLogits`; what `handle` throws; `TensorError.outOfMemory`. No pages stay behind.
  public func run(
    _ requests: [GenerationRequest], concurrency: Int = 1, handle: (Event) throws -> Verdict
  ) throws {
    let context = pass.decoder.shape.contextLength
    var admission = try admission(requests)
    timings = GenerationTimings()
    var prompts = SharedPrompts(requests)
    var sequences: [BatchSequence] = []
    var caches: [KVCache] = []
    var next = 0
    while true {
      var texts = sequences.count { $0.branch == nil }
      while texts < max(concurrency, 1), next < requests.count, admission.start(next) {
        sequences.append(
          BatchSequence(
            requests[next], index: next, context: context, runsPrompt: prompts.runsPrompt(next)))
        caches.append(try pass.makeCache(policy, meter: meter))
        next += 1
        texts += 1
      }
      if sequences.isEmpty { return }
      let drawn = try step(&sequences, requests, &caches, &prompts)
      prompts.releaseAll(before: next)

      var branches: [BatchSequence] = []
      var ended: Set<Int> = []
      for index in sequences.indices where !ended.contains(index) {
        guard let token = drawn[index] else { continue }
        for var branch in sequences[index].branchesOff(by: token, text: text) {
          _ = branch.take(token, text: text)
          branches.append(branch)
          caches.append(caches[index])
        }
        let request = requests[sequences[index].request]
        switch try advance(&sequences[index], token, request, caches[index], handle) {
        case .goOn: break
        case .ended: ended.insert(index)
        case .cancelled:
          let request = sequences[index].request
          ended.formUnion(sequences.indices.filter { sequences[$0].request == request })
          for branch in branches.indices where branches[branch].request == request {
            ended.insert(sequences.count + branch)
          }
        case .endAll: return
        }
      }
      sequences += branches
      let endedRequests = ended.map { sequences[$0].request }
      for index in ended.sorted(by: >) {
        sequences.remove(at: index)
        caches.remove(at: index)
      }
      for request in endedRequests where !sequences.contains(where: { $0.request == request }) {
        admission.end(request)
      }
    }
  }

  /// How many of the requests, from the first on, fit into the room at once.
  ///
  /// - Throws: `GenerationError` for a request that cannot be run, as `run` does.
  public func fitting(_ requests: [GenerationRequest]) throws(GenerationError) -> Int {
    var admission = try admission(requests)
    return requests.indices.first { !admission.start($0) } ?? requests.count
  }

  private func admission(_ requests: [GenerationRequest]) throws(GenerationError) -> Admission {
    let shape = pass.decoder.shape
    for request in requests { try request.check(context: shape.contextLength) }
    let forecast = KVForecast(
      shape: shape.cacheShape, policy: policy, heads: shape.heads.queries)
    return try Admission(
      requests, prompts: SharedPrompts(requests), forecast: forecast,
      context: shape.contextLength, room: room)
  }

  /// Runs a step and draws the next token of every sequence that is through with its prompt.
  private func step(
    _ sequences: inout [BatchSequence], _ requests: [GenerationRequest],
    _ caches: inout [KVCache], _ prompts: inout SharedPrompts
  ) throws -> [Int32?] {
    let started = Date()
    var drawn = [Int32?](repeating: nil, count: sequences.count)
    var awaited: [(sequence: Int, logits: [Float])] = []
    let waiting = sequences.indices.filter { sequences[$0].pending.isEmpty }
    let parts = StepPlan(sequences, promptTokens: promptTokens).parts
    let runs = parts.map { part in
      let pending = sequences[part.sequence].pending
      return TokenRun(
        cache: part.sequence, tokens: Array(pending.prefix(part.tokens)),
        endsPrompt: part.tokens == pending.count)
    }
    try pass.run(runs, caches: &caches, rows: .last) { run, _, logits in
      let index = parts[run].sequence
      let sequence = sequences[index]
      guard runs[run].endsPrompt else { return }
      drawn[index] = try draw(sequence, requests, logits)
      if sequence.isInPrompt, prompts.isAwaited(sequence.request) {
        awaited.append((index, Array(logits)))
      }
    }
    for (index, logits) in awaited {
      prompts.keep(caches[index], logits: logits, of: sequences[index].request)
    }
    for index in waiting {
      guard let start = prompts.outcome(for: sequences[index].request) else { continue }
      caches[index] = start.cache
      drawn[index] = try start.logits.withUnsafeBufferPointer {
        try draw(sequences[index], requests, $0)
      }
    }
    account(sequences, parts, seconds: Date().timeIntervalSince(started))
    for part in parts { sequences[part.sequence].advance(part.tokens) }
    return drawn
  }

  /// Draws a sequence's next token with the random number of its position.
  private func draw(
    _ sequence: BatchSequence, _ requests: [GenerationRequest],
    _ logits: UnsafeBufferPointer<Float>
  ) throws(GenerationError) -> Int32 {
    let request = requests[sequence.request]
    let position = sequence.tokens.count
    return try sampler.sample(
      logits, request.sampling,
      history: TokenHistory(prompt: request.prompt, tokens: sequence.tokens),
      uniform: request.random.uniform(at: position), step: position)
  }

  /// A step's time is shared out by rows: those of prompts, and those of new tokens.
  private func account(
    _ sequences: [BatchSequence], _ parts: [(sequence: Int, tokens: Int)], seconds: Double
  ) {
    var (promptRows, newRows) = (0, 0)
    for part in parts {
      if sequences[part.sequence].isInPrompt {
        promptRows += part.tokens
      } else {
        newRows += part.tokens
        timings.generatedTokens += 1
      }
    }
    guard promptRows + newRows > 0 else { return }
    let share = Double(promptRows) / Double(promptRows + newRows)
    timings.promptTokens += promptRows
    timings.promptSeconds += seconds * share
    timings.generationSeconds += seconds * (1 - share)
  }

  private enum Progress { case goOn, ended, cancelled, endAll }

  /// Takes a drawn token into its sequence, and hands the sequence out when it is complete.
  private func advance(
    _ sequence: inout BatchSequence, _ token: Int32, _ request: GenerationRequest,
    _ cache: KVCache, _ handle: (Event) throws -> Verdict
  ) throws -> Progress {
    var (appended, reason) = sequence.take(token, text: text)
    if sequence.branch == nil {
      for token in appended {
        switch try handle(.token(request: sequence.request, token)) {
        case .goOn: break
        case .endText: reason = .cancelled
        case .endAll: return .endAll
        }
      }
    }
    guard let reason else { return .goOn }
    let result = GenerationResult(
      tokens: sequence.tokens, counts: sequence.counts(of: request), finishReason: reason,
      kvBytes: cache.byteCount, seconds: Date().timeIntervalSince(sequence.started))
    // A text that ended by itself is what every budget it did not use up gives.
    let budgets = sequence.branch.map { [$0] } ?? (reason == .cancelled ? [] : sequence.branches)
    for budget in budgets {
      let event = Event.branched(request: sequence.request, budget: budget, result: result)
      if try handle(event) == .endAll { return .endAll }
    }
    if sequence.branch == nil {
      let event = Event.finished(request: sequence.request, result: result)
      if try handle(event) == .endAll { return .endAll }
    }
    return reason == .cancelled ? .cancelled : .ended
  }
}
