import AppSupport
import ArgumentParser
import Foundation
import Generation
import KVCaches
import Tokenizer

/// `generate`: a prompt in, text out, inside a known amount of memory.
struct Generate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate",
    abstract: "Generates text with a reasoning model: thinking first, then the answer.",
    discussion: """
      Text goes to standard output, figures and messages to standard error. The same seed gives the same \
      text, whatever the number of threads.
      """)

  @OptionGroup(title: "Model") var model: ModelFlags
  @OptionGroup(title: "Prompt") var prompt: PromptFlags
  @OptionGroup(title: "Sampling") var sampling: SamplingFlags

  @Option(help: "Most tokens to generate (default: what the context leaves).")
  var maxTokens: Int?
  @Flag(help: "Go on past the model's end-of-text tokens.")
  var ignoreEos = false
  @Flag(help: "Print the answer only.")
  var hideThinking = false

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
  }

  func run() throws {
    if tokens.isGiven { return try tokens.run(folder: ModelFolder.resolve(model.model)) }
    if prompt.showPrompt { return try showPrompt() }
    let loaded = try LoadedModel(model)
    let ids = try engine.parsedIDs() ?? prompt.ids(for: loaded)
    if let path = engine.logits {
      return try LogitsFile.write(
        ids: ids, to: path, loaded: loaded, format: model.kv ?? .f32)
    }
    let request = GenerationRequest(
      prompt: ids,
      sampling: try sampling.options(generationConfig: loaded.checkpoint.generationConfig),
      random: RandomStream(seed: sampling.seed, sample: 0), maxTokens: maxTokens ?? Int.max,
      stopTokens: ignoreEos ? [] : try loaded.stopTokens())
    let generator = BatchGenerator(
      loaded.pass, format: model.kv ?? .bf16, tokenLimit: loaded.tokenLimit)
    if engine.printIDs {
      try printIDs(request, generator)
    } else {
      try stream(request, generator, loaded)
    }
    report(loaded, generator, request)
  }

  private func showPrompt() throws {
    let folder = try ModelFolder.resolve(model.model)
    let tokenizer = try TextTokenizer(directory: folder)
    print(try prompt.text(folder: folder, tokenizer: tokenizer))
  }

  private func printIDs(_ request: GenerationRequest, _ generator: BatchGenerator) throws {
    try generator.run([request]) { event in
      if case .finished(_, let result) = event {
        print(result.tokens.map(String.init).joined(separator: ","))
      }
      return Interrupts.isPending ? .endText : .goOn
    }
  }

  private func stream(
    _ request: GenerationRequest, _ generator: BatchGenerator, _ loaded: LoadedModel
  ) throws {
    var printer = TextPrinter(
      tokenizer: try loaded.requireTokenizer(), tags: loaded.thinkingTags, prompt: request.prompt,
      hidesThinking: hideThinking)
    try generator.run([request]) { event in
      switch event {
      case .token(_, let id): printer.take(id)
      case .finished(_, let result):
        printer.finish()
        if result.finishReason == .length {
          Console.note("(ended by the token limit)")
        }
      }
      return Interrupts.isPending ? .endText : .goOn
    }
  }

  private func report(
    _ loaded: LoadedModel, _ generator: BatchGenerator, _ request: GenerationRequest
  ) {
    let timings = generator.timings
    let sampling = request.sampling
    let drawn =
      sampling.temperature == 0
      ? "greedy"
      : "temperature \(sampling.temperature), top-k \(sampling.topK.map(String.init) ?? "all"), "
        + "top-p \(sampling.topP), min-p \(sampling.minP), seed \(request.random.seed)"
    Console.note(
      """

      sampling    \(drawn)
      prompt      \(timings.promptTokens) tokens, \(String(format: "%.1f", timings.promptRate)) tokens/s
      generation  \(timings.generatedTokens) tokens, \(String(format: "%.1f", timings.generationRate)) tokens/s
      weights     \(Text.bytes(loaded.decoder.weightBytes)) (\(loaded.decoder.formatName)), \
      loaded in \(String(format: "%.2f", loaded.loadSeconds)) s
      KV cache    \(Text.bytes(generator.meter.peakBytes)) (\((model.kv ?? .bf16).rawValue))
      peak        \(Text.bytes(ProcessMemory.peakBytes)) of the process
      """)
  }
}
