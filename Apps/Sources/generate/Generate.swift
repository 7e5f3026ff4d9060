import AppSupport
import ArgumentParser
import Evaluation
import Foundation
import ModelLoader
import TextGeneration
import KVCaches
import Serving
import Tokenizer

/// `generate`: a prompt in, text out, inside a known amount of memory.
struct Generate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: Program.called("generate"),
    abstract: "Generates text with a reasoning model: thinking first, then the answer.",
    discussion: """
      Text goes to standard output, figures and messages to standard error. The same seed gives the same \
      text, whatever the number of threads.
      """,
    version: Program.version)

  @OptionGroup(title: "Model") var model: ModelFlags
  @OptionGroup(title: "Memory") var memory: MemoryFlags
  @OptionGroup(title: "Prompt") var prompt: PromptFlags
  @OptionGroup(title: "Sampling") var sampling: SamplingFlags

  @OptionGroup(title: "Limits") var limits: LimitFlags
  @Flag(help: "Print the answer only.")
  var hideThinking = false

  @OptionGroup(title: "Thinking") var thinking: ThinkingFlags
  @OptionGroup(title: "Samples") var group: SampleFlags
  @OptionGroup(title: "Speculation") var speculation: SpeculationFlags
  @OptionGroup(title: "For comparing engines") var engine: EngineFlags
  @OptionGroup(title: "For looking at the tokenizer") var tokens: TokenizerFlags

  func validate() throws {
    let sources = [prompt.isGiven, engine.ids != nil, tokens.isGiven].filter { $0 }.count
    if sources > 1 {
      throw ValidationError(
        "give one of a prompt (--prompt, --prompt-file, --messages), --ids, or a tokenizer flag")
    }
    if engine.ids != nil, prompt.isShaped {
      throw ValidationError(
        "--ids is the whole prompt; it excludes --system, --raw, --no-thinking, --special and --show-prompt"
      )
    }
    if engine.logits != nil && engine.printIDs {
      throw ValidationError("--logits runs the given ids alone; it excludes --print-ids")
    }
    if engine.logits != nil || engine.printIDs {
      let flag = engine.printIDs ? "--print-ids" : "--logits"
      if limits.logprobs != nil { throw ValidationError("\(flag) excludes --logprobs") }
      if group.samples > 1 || group.json || !thinking.branches.isEmpty {
        throw ValidationError(
          "\(flag) excludes --samples, --think-budgets, --stop-thinking and --json")
      }
      if engine.logits != nil && thinking.longest != nil {
        throw ValidationError("--logits generates nothing; it excludes --think-budget")
      }
    }
    if thinking.longest != nil && (limits.ignoreEos || prompt.noThinking) {
      throw ValidationError("--think-budget excludes --ignore-eos and --no-thinking")
    }
    if !thinking.branches.isEmpty, !limits.stop.isEmpty || limits.logprobs != nil {
      throw ValidationError("--think-budgets and --stop-thinking exclude --stop and --logprobs")
    }
    if group.stopWhen != nil, !thinking.branches.isEmpty {
      throw ValidationError("--stop-when excludes --think-budgets and --stop-thinking")
    }
    if limits.logprobs != nil, group.samples > 1 || model.cache.kvEvict != nil {
      throw ValidationError(
        "--logprobs is about one text and a whole cache; it excludes --samples and --kv-evict")
    }
    if group.json && hideThinking {
      throw ValidationError("--json holds the whole text; it excludes --hide-thinking")
    }
    if group.samples > 1 && (sampling.greedy || sampling.temperature == 0) {
      throw ValidationError("without chance all samples are equal: --samples excludes --greedy")
    }
  }

  mutating func run() throws {
    if tokens.isGiven { return try tokens.run(ModelFolder.files(of: model.model, model.hub.use)) }
    try readStandardInput()
    if prompt.showPrompt { return try showPrompt() }
    try chooseByMemory()
    let checkpoint = try Checkpoint(model)
    try model.takePolicyFile(for: checkpoint)
    let loaded = try LoadedModel(model, checkpoint)
    let proposer = try speculation.proposer(for: loaded, model)
    let ids = try engine.parsedIDs() ?? prompt.ids(for: loaded)
    if let path = engine.logits {
      return try engine.writeLogits(
        of: ids, to: path, loaded: loaded, kv: model.kvPolicy(format: .f32))
    }
    var requests = try requests(ids, loaded)
    let tokenizer = loaded.tokenizer
    let together = min(group.samples, group.batch)
    speculation.noteBatch(together)
    let kv = try model.kvPolicy()
    let kvByteBudget = try memory.kvByteBudget(
      beside: loaded, kv: kv, sequences: together, proposer: proposer)
    let generator = BatchGenerator(
      loaded.pass, kv: kv, kvByteBudget: kvByteBudget,
      proposer: proposer?.proposer,
      tokenLimit: loaded.tokenLimit
    ) { tokenizer?.decode([$0]) ?? "" }
    do {
      if limits.maxTokens == nil, limits.ctxSize == nil {
        requests = try memory.limitingReplies(requests, wanted: together, generator: generator)
      }
      let fits = try memory.fitting(
        requests, wanted: together, kvByteBudget: kvByteBudget, generator: generator)
      if fits < together {
        // Where the memory was not given they take turns.
        try memory.refuse(requests, wanted: together, generator: generator)
        Console.note("note: memory for \(fits) of \(together) samples at a time")
      }
      let held: Int
      if engine.printIDs {
        held = try printIDs(requests, generator)
      } else if group.samples > 1 || group.json || !thinking.branches.isEmpty {
        held = try collect(requests, generator, loaded)
      } else {
        held = try stream(requests, generator, loaded)
      }
      if !group.json { try report(loaded, generator, requests, kvBytesAtEnd: held) }
    } catch let error as GenerationError {
      if case .budgetTooLong = error {
        let flag = thinking.thinkBudgets == nil ? "--think-budget" : "--think-budgets"
        throw UsageError("\(flag): \(error)")
      }
      throw error
    }
  }

  /// Without a prompt on the command line, what is piped in is the prompt.
  private mutating func readStandardInput() throws {
    guard !prompt.isGiven, engine.ids == nil, fcntl(STDIN_FILENO, F_GETFD) >= 0,
      isatty(STDIN_FILENO) == 0
    else { return }
    let bytes = try TextInput.bytes(of: TextInput.standardInput)
    if bytes.isEmpty { return }
    prompt.prompt = try TextInput.text(bytes, of: TextInput.standardInput)
  }

  /// With a memory and nothing that says what to run in it, the planner chooses.
  private mutating func chooseByMemory() throws {
    guard let given = memory.memory, model.named == nil, thinking.longest == nil,
      group.samples == 1,
      engine.ids == nil, !limits.ignoreEos, !prompt.noThinking
    else { return }
    let planned = try PlannedRun(memory: given, tokens: limits.maxTokens ?? .max)
    planned.apply(to: &model)
    let load = planned.advice.configuration.load
    thinking.thinkBudget = load.thinkBudget
    group.samples = load.samples
    group.vote = load.samples > 1
  }

  private func requests(_ ids: [Int32], _ loaded: LoadedModel) throws -> [GenerationRequest] {
    let options = try sampling.optionsInForce(for: loaded.checkpoint)
    let stopTokens = limits.ignoreEos ? [] : try loaded.stopTokens()
    let budget = try thinking.budget(for: loaded)
    let most = try limits.limit(prompt: ids.count)
    return (0..<group.samples).map { sample in
      var request = GenerationRequest(
        prompt: ids, sampling: options,
        random: RandomStream(seed: sampling.seed, sample: UInt64(sample)),
        maxTokens: most, stopTokens: stopTokens, tags: loaded.thinkingTags,
        budget: budget, branches: thinking.branches)
      request.confidenceWindow = group.voteWeights.window
      return request
    }
  }

  private func showPrompt() throws {
    let files = try ModelFolder.files(of: model.model, model.hub.use)
    let tokenizer = try TextTokenizer(files: files)
    print(try prompt.text(files: files, tokenizer: tokenizer))
  }

  /// Prints the ids of each text; returns the KV bytes that it held at its end.
  private func printIDs(
    _ requests: [GenerationRequest], _ generator: BatchGenerator
  ) throws -> Int {
    var held = 0
    try generator.run(requests) { event in
      if case .finished(_, let result) = event {
        print(result.tokens.map(String.init).joined(separator: ","))
        held = max(held, result.kvBytes)
      }
      return Interrupts.isPending ? .endText : .goOn
    }
    return held
  }

  /// Shows the one text while it is generated; returns the KV bytes that it held at its end.
  private func stream(
    _ requests: [GenerationRequest], _ generator: BatchGenerator, _ loaded: LoadedModel
  ) throws -> Int {
    guard let request = requests.first else { return 0 }
    let tokenizer = try loaded.requireTokenizer()
    var printer = TextPrinter(
      tokenizer: tokenizer, tags: loaded.thinkingTags, prompt: request.prompt,
      hidesThinking: hideThinking, stops: limits.stop)
    var finished: GenerationResult?
    try generator.run([request]) { event in
      if case .token(_, let token) = event { printer.take(token.id, isCue: token.origin == .cue) }
      if case .finished(_, let result) = event {
        printer.finish()
        finished = result
      }
      return Interrupts.isPending || printer.isStopped ? .endText : .goOn
    }
    guard let finished else { return 0 }
    noteEnd(Reply(finished, tokenizer: tokenizer, tags: loaded.thinkingTags, stops: limits.stop))
    if let records = try logprobs(of: finished, request, loaded) {
      print("\n" + LogprobRecord.table(records))
    }
    return finished.kvBytes
  }

  /// The log-probabilities of a text, where they were asked for.
  private func logprobs(
    of result: GenerationResult, _ request: GenerationRequest, _ loaded: LoadedModel
  ) throws -> [LogprobRecord]? {
    guard let top = limits.logprobs else { return nil }
    let tokenizer = try loaded.requireTokenizer()
    return try loaded.pass.logprobs(
      of: result.tokens, after: request.prompt, top: top, kv: model.kvPolicy()
    ).map { LogprobRecord($0, tokenizer) }
  }

  /// Generates all texts, then prints them, their votes or the record; returns the KV bytes that
  /// the largest held at its end.
  private func collect(
    _ requests: [GenerationRequest], _ generator: BatchGenerator, _ loaded: LoadedModel
  ) throws -> Int {
    let tokenizer = try loaded.requireTokenizer()
    func reply(_ result: GenerationResult) -> Reply {
      Reply(result, tokenizer: tokenizer, tags: loaded.thinkingTags, stops: limits.stop)
    }
    // Answers to smaller budgets, by budget, then sample.
    var branches: [Int: [Int: Reply]] = [:]
    var ends = EarlyEnds(group, thinking)
    let line = ProgressLine("samples")
    var done = 0
    var watches = requests.map { _ in
      (tokenizer.streamingDetokenizer(skipSpecialTokens: true), StopStrings(limits.stop))
    }
    let clock = ContinuousClock.now
    var run = try generator.start(requests, concurrency: group.batch)
    events: while let event = try run.next() {
      try Interrupts.check()
      switch event {
      case .token(let index, let token):
        if ends.hasEnough(index) {
          run.end(index)
          continue
        }
        if limits.stop.isEmpty { break }
        _ = watches[index].1.push(watches[index].0.push(token.id))
        if watches[index].1.isHit { run.end(index) }
      case .branched(let index, let budget, let result):
        let reply = reply(result)
        branches[budget, default: [:]][index] = reply
        ends.take(reply, sample: index, probe: budget)
      case .finished(let index, let result):
        ends.take(reply(result), sample: index)
        done += 1
        if requests.count > 1 { line.show(done, of: requests.count) }
        if ends.vote != nil { break events }
      }
    }
    let seconds = clock.duration(to: .now) / .seconds(1)
    let weights = group.voteWeights
    guard let longest = ReplyGroup(ends.vote ?? ends.replies, weights) else { return 0 }
    let held = longest.replies.map(\.result.kvBytes).max() ?? 0
    let budgets = (thinking.thinkBudgets?.values ?? []).compactMap { budget in
      let answers = (branches[budget] ?? [:]).sorted { $0.key < $1.key }.map(\.value)
      let group = budget == thinking.longest ? longest : ReplyGroup(answers, weights)
      return group.map { BudgetAnswers(budget: budget, group: $0) }
    }
    if group.json {
      let record = try GenerationRecord(
        group: longest, samples: group.samples, budgets: budgets,
        weightsBytes: loaded.decoder.weightBytes,
        kvBytes: generator.meter.peakBytes, kvBytesAtEnd: held, timings: generator.timings,
        speculates: speculation.isGiven, seed: sampling.seed, model: loaded.name,
        precision: loaded.precision,
        sampling: requests[0].sampling,
        kv: model.kvPolicy().description, seconds: seconds,
        logprobs: logprobs(of: longest.shown.result, requests[0], loaded))
      print(try record.json())
    } else {
      show(longest.replies, prompt: requests[0].prompt, loaded, tokenizer)
      if !budgets.isEmpty { print(BudgetAnswers.table(budgets)) }
      if group.vote { print(longest.votes.text) }
      note(ends, longest)
    }
    return held
  }

  /// Says what ended early.
  private func note(_ ends: EarlyEnds, _ outcome: ReplyGroup) {
    if let rule = group.stopWhen, outcome.replies.count < group.samples {
      Console.note("(\(rule) after \(outcome.replies.count) of \(group.samples) samples)")
    }
    if let stable = ends.stable {
      let stopped = (0..<group.samples).count { ends.hasEnough($0) }
      Console.note(
        "(\(stopped) of \(group.samples) thoughts ended early, as \(stable.agreeing) probes agreed)"
      )
    }
  }

  /// Prints complete texts one after the other.
  private func show(
    _ replies: [Reply], prompt: [Int32], _ loaded: LoadedModel, _ tokenizer: TextTokenizer
  ) {
    for (index, reply) in replies.enumerated() {
      if replies.count > 1 {
        Console.write(Console.dim("=== sample \(index + 1) of \(replies.count) ===") + "\n")
      }
      var printer = TextPrinter(
        tokenizer: tokenizer, tags: loaded.thinkingTags, prompt: prompt,
        hidesThinking: hideThinking, stops: limits.stop)
      let cue = reply.result.counts.cue > 0 ? reply.result.counts.thought : nil
      for (place, id) in reply.result.tokens.enumerated() {
        printer.take(id, isCue: place == cue)
      }
      printer.finish()
      noteEnd(reply)
    }
  }

  private func noteEnd(_ reply: Reply) {
    let counts = reply.result.counts
    if thinking.longest != nil {
      Console.note(
        "(thought \(counts.thought) tokens, answer \(counts.answer), put in \(counts.injected))")
    }
    switch reply.finishReason {
    case .length: Console.note("(ended by the token limit)")
    case .cancelled where Interrupts.isPending: Console.note("(interrupted)")
    case .stop where reply.isStopped: Console.note("(ended by a stop string)")
    default: break
    }
    if let loop = RepetitionLoop(endOf: reply.text) {
      Console.note(
        "warning: the text goes round in circles: \(loop.unit.prefix(40).debugDescription) stands "
          + "\(loop.times) times at its end; a higher --temperature, or a KV cache with more bits or a "
          + "larger eviction budget, may help")
    }
  }

  private func report(
    _ loaded: LoadedModel, _ generator: BatchGenerator, _ requests: [GenerationRequest],
    kvBytesAtEnd: Int
  ) throws {
    guard let request = requests.first else { return }
    let timings = generator.timings
    let sampling = request.sampling
    let drawn =
      sampling.temperature == 0
      ? "greedy"
      : "temperature \(sampling.temperature), top-k \(sampling.topK.map(String.init) ?? "all"), "
        + "top-p \(sampling.topP), min-p \(sampling.minP), seed \(request.random.seed)"
        + (sampling.penalties.map { ", \($0)" } ?? "")
    let kv = try model.kvPolicy()
    let first = requests.count > 1 ? "the first of each" : "the first"
    let speculated = speculation.isGiven ? "\nspeculation \(LoadedProposer.text(timings))" : ""
    Console.note(
      """

      sampling    \(drawn)
      prompt      \(timings.promptTokens) tokens, \(String(format: "%.1f", timings.promptRate)) tokens/s
      generation  \(timings.generatedTokens) tokens after \(first), \(String(format: "%.1f", timings.generationRate)) tokens/s\(speculated)
      weights     \(Text.bytes(loaded.decoder.weightBytes)) (\(loaded.storage)), \
      loaded in \(String(format: "%.2f", loaded.loadSeconds)) s
      KV cache    \(Text.bytes(generator.meter.peakBytes)) at most, \(Text.bytes(kvBytesAtEnd)) at the end (\(kv)\(model.policySource))\(loaded.decoder.shape.cacheShape.scopeText)
      peak        \(Text.bytes(ProcessMemory.peakBytes)) of the process
      """)
  }
}
