import DecoderModels
import KVCaches
import Tensors

extension DecodingBatch {
  /// Starts what can start, runs one step of everything that runs, and takes the tokens that are
  /// drawn.
  ///
  /// - Returns: what happened, request by request; nothing where the batch is idle.
  /// - Throws: `GenerationError`: `nonFiniteLogits`, or what the model or the memory objects to;
  ///   the batch can then not go on.
  public mutating func step() throws(GenerationError) -> [Event] {
    try admit()
    guard !sequences.isEmpty else { return [] }
    let drawn = try draw()
    var events: [Event] = []
    var branches: [(sequence: BatchSequence, cache: KVCache)] = []
    var ended: Set<Int> = []
    for index in sequences.indices where !drawn[index].tokens.isEmpty {
      if take(drawn[index], index, &events, &branches) { ended.insert(index) }
    }
    for branch in branches {
      sequences.append(branch.sequence)
      caches.append(branch.cache)
    }
    remove(ended)
    releaseWholePrompts()
    return events
  }

  /// What was drawn for a sequence: its next token and, as far as proposals were these, those that
  /// follow.
  struct Drawn {
    var tokens: [Int32] = []
    /// How likely they were, one for each token where that is wanted.
    var logprobs: [TokenLogprob] = []
    var proposals: [Int32] = []
    /// Where they cannot be taken back the cache as it was before the step, and the tokens that
    /// were known to be run in it.
    var before: (cache: KVCache, tokens: [Int32])?
  }

  /// Takes what was drawn into a sequence, token by token, and cuts its cache back to what is
  /// accepted.
  ///
  /// - Returns: whether the sequence is complete.
  private mutating func take(
    _ drawn: Drawn, _ index: Int, _ events: inout [Event],
    _ branches: inout [(sequence: BatchSequence, cache: KVCache)]
  ) -> Bool {
    var accepted = 0
    defer {
      take(accepted: accepted, of: drawn.proposals.count, for: index)
      // What was drawn behind an end, or behind words that were put in, is part of no text.
      timings.generatedTokens -= drawn.tokens.count - (accepted + 1)
    }
    for (place, token) in drawn.tokens.enumerated() {
      accepted = place
      guard let (cache, again) = state(of: index, behind: place, drawn) else { break }
      let logprob = drawn.logprobs.indices.contains(place) ? drawn.logprobs[place] : nil
      for var branch in sequences[index].branchesOff(by: token, text: text) {
        _ = branch.take(token, logprob: logprob, text: text)
        branch.runAgain(again)
        branches.append((branch, cache))
      }
      let (appended, reason) = sequences[index].take(token, logprob: logprob, text: text)
      let sequence = sequences[index]
      if sequence.branch == nil { events += appended.map { .token(sequence.id, $0) } }
      if let reason {
        end(sequence, reason, kvBytes: cache.byteCount, &events)
        return true
      }
      let isDrawnAlone = appended.count == 1 && appended[0].origin == .drawn
      if place + 1 == drawn.tokens.count || !isDrawnAlone {
        caches[index] = cache
        sequences[index].runAgain(again)
        break
      }
    }
    return false
  }

  /// Hands a complete text or branch out.
  private func end(
    _ sequence: BatchSequence, _ reason: FinishReason, kvBytes: Int, _ events: inout [Event]
  ) {
    let result = sequence.result(reason, kvBytes: kvBytes, now: now())
    // A text that ended by itself is what every budget it did not use up gives.
    for budget in sequence.branch.map({ [$0] }) ?? sequence.branches {
      events.append(.branched(sequence.id, budget: budget, result: result))
    }
    if sequence.branch == nil { events.append(.finished(sequence.id, result: result)) }
  }

  /// Runs a step and draws the next tokens of every sequence that is through with its prompt.
  private mutating func draw() throws(GenerationError) -> [Drawn] {
    let started = now()
    var drawn = [Drawn](repeating: Drawn(), count: sequences.count)
    for (index, logits) in serveWaiting() { try draw(&drawn[index], sequences[index], logits) }
    let parts = StepPlan(sequences, promptTokens: limits.promptTokens).parts
    let lag = try propose(parts, &drawn)
    let proposed = proposer == nil ? started : now()
    let runs = parts.map { part in
      let pending = sequences[part.sequence].pending
      let proposals = drawn[part.sequence].proposals
      return TokenRun(
        cache: part.sequence, tokens: Array(pending.prefix(part.tokens)) + proposals,
        endsPrompt: part.tokens == pending.count,
        rowsFrom: !proposals.isEmpty || sequences[part.sequence].isScoringPrompt ? 0 : nil,
        likeliest: likeliest(of: sequences[part.sequence]))
    }
    for (index, logits) in try run(runs, parts, &drawn) { keepWhole(index, logits: logits) }
    let seconds = (now() - started) / .seconds(1)
    account(parts, drawn.map(\.tokens.count), seconds: seconds)
    accountSpeculation(
      parts, drawn, lag: lag, drafting: (proposed - started) / .seconds(1), seconds: seconds)
    for part in parts { sequences[part.sequence].advance(part.tokens) }
    holdStops()
    for (index, logits) in serveWaiting() { try draw(&drawn[index], sequences[index], logits) }
    return drawn
  }

  /// The logits that drawing a sequence's next token looks at; nil for all.
  private func likeliest(of sequence: BatchSequence) -> GreatestOutputs? {
    if sequence.isInPrompt && isAwaitedWhole(sequence) { return nil }
    return sequence.likeliest(below: sampler.tokenLimit)
  }

  /// Runs the model and draws from its logits; returns those of prompts for which others wait.
  private mutating func run(
    _ runs: [TokenRun], _ parts: [(sequence: Int, tokens: Int)], _ drawn: inout [Drawn]
  ) throws(GenerationError) -> [(sequence: Int, logits: [Float])] {
    var awaited: [(sequence: Int, logits: [Float])] = []
    let awaits = sequences.map { $0.isInPrompt && isAwaitedWhole($0) }
    let (sequences, sampler) = (sequences, sampler)
    var scores: [Int: [TokenLogprob]] = [:]
    var failure: GenerationError?
    func receive(
      _ run: Int, _ token: Int, _ logits: UnsafeBufferPointer<Float>
    ) throws(GenerationError) {
      let sequence = sequences[parts[run].sequence]
      if sequence.isScoringPrompt {
        let next = sequence.promptTokensRun + token + 1
        if sequence.source.prompt.indices.contains(next) {
          let scored = try TokenLogprob(
            of: sequence.source.prompt[next], in: logits, top: sequence.source.logprobs ?? 0,
            step: next)
          scores[parts[run].sequence, default: []].append(scored)
        }
      }
      guard runs[run].endsPrompt else { return }
      let (index, place) = (parts[run].sequence, token - parts[run].tokens + 1)
      let (before, proposals) = (drawn[index].tokens, drawn[index].proposals)
      // A row behind a proposal counts where that is what was drawn.
      guard place >= 0, before.count == place, proposals.starts(with: before) else { return }
      try Self.draw(&drawn[index], sequence, logits, sampler)
      if awaits[index] { awaited.append((index, Array(logits))) }
    }
    do {
      try pass.run(runs, caches: &caches, rows: .last) { run, token, logits in
        if failure != nil { return }
        do throws(GenerationError) { try receive(run, token, logits) } catch { failure = error }
      }
    } catch {
      throw .model(error)
    }
    if let failure { throw failure }
    for (index, logprobs) in scores { self.sequences[index].score(logprobs) }
    return awaited
  }

  private func draw(
    _ drawn: inout Drawn, _ sequence: BatchSequence, _ logits: [Float]
  ) throws(GenerationError) {
    drawn = Drawn()
    try logits.withUnsafeBufferPointer { (logits) throws(GenerationError) in
      try Self.draw(&drawn, sequence, logits, sampler)
    }
  }

  /// Draws a sequence's next token, behind those accepted in this step, with the random number of
  /// its position.
  private static func draw(
    _ drawn: inout Drawn, _ sequence: BatchSequence, _ logits: UnsafeBufferPointer<Float>,
    _ sampler: Sampler
  ) throws(GenerationError) {
    let position = sequence.tokens.count + drawn.tokens.count
    let token = try sequence.draw(logits, behind: drawn.tokens, sampler)
    drawn.tokens.append(token)
    if sequence.source.scoresDrawnTokens {
      let top = sequence.source.logprobs ?? 0
      drawn.logprobs.append(try TokenLogprob(of: token, in: logits, top: top, step: position))
    }
  }

  /// A step's time is shared out by rows: those of prompts, and those of new tokens.
  private mutating func account(
    _ parts: [(sequence: Int, tokens: Int)], _ drawn: [Int], seconds: Double
  ) {
    var (promptRows, newRows) = (0, 0)
    for part in parts {
      if sequences[part.sequence].isInPrompt {
        promptRows += part.tokens
      } else {
        newRows += part.tokens
        timings.generatedTokens += max(1, drawn[part.sequence])
      }
    }
    guard promptRows + newRows > 0 else { return }
    let share = Double(promptRows) / Double(promptRows + newRows)
    timings.promptTokens += promptRows
    timings.promptSeconds += seconds * share
    timings.generationSeconds += seconds * (1 - share)
  }
}
