import AppSupport
import ArgumentParser
import Foundation
import TextGeneration
import KVCaches
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

  @Option(help: "Most tokens to generate (default: what the context leaves).")
  var maxTokens: Int?
  @Flag(help: "Go on past the model's end-of-text tokens.")
  var ignoreEos = false
  @Flag(help: "Print the answer only.")
  var hideThinking = false

  @OptionGroup(title: "Thinking") var thinking: ThinkingFlags
  @OptionGroup(title: "Samples") var group: SampleFlags
  @OptionGroup(title: "For comparing engines") var engine: EngineFlags
  @OptionGroup(title: "For looking at the tokenizer") var tokens: TokenizerFlags

  func validate() throws {
    if let maxTokens, maxTokens < 1 {
      throw ValidationError("--max-tokens \(maxTokens): expected at least 1")
    }
    let sources = [prompt.isGiven, engine.ids != nil, tokens.isGiven].filter { $0 }.count
    if sources > 1 {
      throw ValidationError(
        "give one of a prompt (--prompt, --prompt-file, --messages), --ids, or a tokenizer flag")
    }
    if engine.logits != nil && engine.printIDs {
      throw ValidationError("--logits runs the given ids alone; it excludes --print-ids")
    }
    if engine.logits != nil || engine.printIDs {
      let flag = engine.printIDs ? "--print-ids" : "--logits"
      if group.samples > 1 || group.json || thinking.thinkBudgets != nil {
        throw ValidationError("\(flag) excludes --samples, --think-budgets and --json")
      }
      if engine.logits != nil && thinking.longest != nil {
        throw ValidationError("--logits generates nothing; it excludes --think-budget")
      }
    }
    if thinking.longest != nil && (ignoreEos || prompt.noThinking) {
      throw ValidationError("--think-budget excludes --ignore-eos and --no-thinking")
    }
    if group.json && hideThinking {
      throw ValidationError("--json holds the whole text; it excludes --hide-thinking")
    }
    if group.samples > 1 && (sampling.greedy || sampling.temperature == 0) {
      throw ValidationError("without chance all samples are equal: --samples excludes --greedy")
    }
  }

  mutating func run() throws {
    if tokens.isGiven { return try tokens.run(ModelFolder.files(of: model.model)) }
    if prompt.showPrompt { return try showPrompt() }
    try chooseByMemory()
    let loaded = try LoadedModel(model)
    let ids = try engine.parsedIDs() ?? prompt.ids(for: loaded)
    if let path = engine.logits {
      return try LogitsFile.write(
        ids: ids, to: path, loaded: loaded, kv: model.kvPolicy(format: .f32))
    }
    var requests = try requests(ids, loaded)
    let tokenizer = loaded.tokenizer
    let together = min(group.samples, group.batch)
    let kv = try model.kvPolicy()
    let room = try memory.room(beside: loaded, kv: kv, sequences: together)
    let generator = BatchGenerator(
      loaded.pass, kv: kv, room: room, proposer: engine.speculate ? PromptLookup() : nil,
      tokenLimit: loaded.tokenLimit
    ) { tokenizer?.decode([$0]) ?? "" }
    do {
      if maxTokens == nil {
        requests = try memory.limitingReplies(requests, wanted: together, generator: generator)
      }
      let fits = try memory.fitting(requests, wanted: together, room: room, generator: generator)
      if fits < together { try refuseOrNote(together, fits: fits) }
      if engine.printIDs {
        try printIDs(requests, generator)
      } else if group.samples > 1 || group.json || thinking.thinkBudgets != nil {
        try collect(requests, generator, loaded)
      } else {
        try stream(requests, generator, loaded)
      }
    } catch let error as GenerationError {
      if case .budgetTooLong = error {
        let flag = thinking.thinkBudgets == nil ? "--think-budget" : "--think-budgets"
        throw UsageError("\(flag): \(error)")
      }
      throw error
    }
    if !group.json { try report(loaded, generator, requests) }
  }

  /// With a memory and nothing that says what to run in it, the planner chooses.
  private mutating func chooseByMemory() throws {
    guard let given = memory.memory, model.named == nil, thinking.longest == nil,
      group.samples == 1,
      engine.ids == nil, !ignoreEos, !prompt.noThinking
    else { return }
    let planned = try PlannedRun(memory: given, tokens: maxTokens ?? .max)
    planned.apply(to: &model)
    let load = planned.advice.configuration.load
    thinking.thinkBudget = load.thinkBudget
    group.samples = load.samples
    group.vote = load.samples > 1
  }

  private func requests(_ ids: [Int32], _ loaded: LoadedModel) throws -> [GenerationRequest] {
    let options = try sampling.optionsInForce(for: loaded.checkpoint)
    let stopTokens = ignoreEos ? [] : try loaded.stopTokens()
    let budget = try thinking.budget(for: loaded)
    return (0..<group.samples).map { sample in
      GenerationRequest(
        prompt: ids, sampling: options,
        random: RandomStream(seed: sampling.seed, sample: UInt64(sample)),
        maxTokens: maxTokens ?? Int.max, stopTokens: stopTokens, tags: loaded.thinkingTags,
        budget: budget, branches: thinking.branches)
    }
  }

  /// Fewer samples than wanted fit into the memory together: an error where the memory was given, else they take turns.
  private func refuseOrNote(_ wanted: Int, fits: Int) throws {
    guard let given = memory.memory else {
      return Console.note("note: memory for \(fits) of \(wanted) samples at a time")
    }
    throw UserError(
      "--memory \(given) does not hold \(wanted) samples at once; --samples \(fits) fits, and --batch \(fits) "
        + "generates \(group.samples) in turns")
  }

  private func showPrompt() throws {
    let files = try ModelFolder.files(of: model.model)
    let tokenizer = try TextTokenizer(files: files)
    print(try prompt.text(files: files, tokenizer: tokenizer))
  }

  private func printIDs(_ requests: [GenerationRequest], _ generator: BatchGenerator) throws {
    try generator.run(requests) { event in
      if case .finished(_, let result) = event {
        print(result.tokens.map(String.init).joined(separator: ","))
      }
      return Interrupts.isPending ? .endText : .goOn
    }
  }

  /// Shows the one text while it is generated.
  private func stream(
    _ requests: [GenerationRequest], _ generator: BatchGenerator, _ loaded: LoadedModel
  ) throws {
    guard let request = requests.first else { return }
    var printer = TextPrinter(
      tokenizer: try loaded.requireTokenizer(), tags: loaded.thinkingTags, prompt: request.prompt,
      hidesThinking: hideThinking)
    try generator.run([request]) { event in
      if case .token(_, let token) = event { printer.take(token.id, isCue: token.origin == .cue) }
      if case .finished(_, let result) = event {
        printer.finish()
        noteEnd(result)
      }
      return Interrupts.isPending ? .endText : .goOn
    }
  }

  /// Generates all texts, then prints them, their votes or the record.
  private func collect(
    _ requests: [GenerationRequest], _ generator: BatchGenerator, _ loaded: LoadedModel
  ) throws {
    let tokenizer = try loaded.requireTokenizer()
    func reply(_ result: GenerationResult) -> Reply {
      Reply(result, tokenizer: tokenizer, tags: loaded.thinkingTags)
    }
    // By budget, then sample; nil is the longest.
    var replies: [Int?: [Int: Reply]] = [:]
    let line = ProgressLine("samples")
    var done = 0
    try generator.run(requests, concurrency: group.batch) { event in
      try Interrupts.check()
      switch event {
      case .token: break
      case .branched(let index, let budget, let result):
        replies[budget, default: [:]][index] = reply(result)
      case .finished(let index, let result):
        replies[nil, default: [:]][index] = reply(result)
        done += 1
        if requests.count > 1 { line.show(done, of: requests.count) }
      }
      return .goOn
    }
    func outcome(_ budget: Int?) -> ReplyGroup? {
      ReplyGroup((replies[budget] ?? [:]).sorted { $0.key < $1.key }.map(\.value))
    }
    guard let longest = outcome(nil) else { return }
    let shorter = thinking.branches.compactMap { budget in
      outcome(budget).map { BudgetAnswers(budget: budget, group: $0) }
    }
    let last = thinking.longest.map { BudgetAnswers(budget: $0, group: longest) }
    let budgets = thinking.thinkBudgets == nil ? [] : shorter + [last].compactMap(\.self)
    if group.json {
      let record = GenerationRecord(
        group: longest, budgets: budgets, weightsBytes: loaded.decoder.weightBytes,
        kvBytes: generator.meter.peakBytes, timings: generator.timings, seed: sampling.seed)
      print(try record.json())
    } else {
      show(longest.replies, prompt: requests[0].prompt, loaded, tokenizer)
      if !budgets.isEmpty { print(BudgetAnswers.table(budgets)) }
      if group.vote { print(longest.votes.text) }
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
        hidesThinking: hideThinking)
      let cue = reply.result.counts.cue > 0 ? reply.result.counts.thought : nil
      for (place, id) in reply.result.tokens.enumerated() {
        printer.take(id, isCue: place == cue)
      }
      printer.finish()
      noteEnd(reply.result)
    }
  }

  private func noteEnd(_ result: GenerationResult) {
    let counts = result.counts
    if thinking.longest != nil {
      Console.note(
        "(thought \(counts.thought) tokens, answer \(counts.answer), put in \(counts.injected))")
    }
    if result.finishReason == .length { Console.note("(ended by the token limit)") }
  }

  private func report(
    _ loaded: LoadedModel, _ generator: BatchGenerator, _ requests: [GenerationRequest]
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
    Console.note(
      """

      sampling    \(drawn)
      prompt      \(timings.promptTokens) tokens, \(String(format: "%.1f", timings.promptRate)) tokens/s
      generation  \(timings.generatedTokens) tokens, \(String(format: "%.1f", timings.generationRate)) tokens/s
      weights     \(Text.bytes(loaded.decoder.weightBytes)) (\(loaded.decoder.formatName), head \(loaded.decoder.head.formatName), \(model.numerics.rawValue)), \
      loaded in \(String(format: "%.2f", loaded.loadSeconds)) s
      KV cache    \(Text.bytes(generator.meter.peakBytes)) (\(kv))
      peak        \(Text.bytes(ProcessMemory.peakBytes)) of the process
      """)
  }
}
