import AppSupport
import ArgumentParser
import Evaluation
import MemoryPlanner
import TextGeneration
import Tokenizer

extension BudgetWording: ExpressibleByArgument {}

/// The flags that say how long the model thinks.
struct ThinkingFlags: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Think for at most so many tokens; then the answer is demanded.", valueName: "tokens"))
  var thinkBudget: Int?
  @Option(
    help: ArgumentHelp(
      "Several budgets, such as 32,64,128: the thought is generated once and answered at each of them.",
      valueName: "budgets"),
    transform: { try ThinkBudgets(parsing: $0) })
  var thinkBudgets: ThinkBudgets?
  @Option(
    help: ArgumentHelp(
      "End the thought as soon as its answer is stable: stable:3 when three probes in a row agree.",
      valueName: "rule"), transform: { try StableAnswer(flag: $0) })
  var stopThinking: StableAnswer?
  @Option(
    help: ArgumentHelp(
      "Tokens between the probes of --stop-thinking (default: a 16th of the budget, at least 16).",
      valueName: "tokens"))
  var probeEvery: Int?
  @Flag(help: "Think for exactly the budget: 'Wait' takes the place of every earlier end.")
  var force = false
  @Option(
    help: ArgumentHelp(
      "Let 'Wait' take the place of the first so many ends only.", valueName: "ends"))
  var waits: Int?
  @Option(
    help: """
      What demands the answer: final-answer, which opens a box, or early-stop, Qwen's sentence \
      (default: final-answer).
      """)
  var cue: BudgetWording?
  @Flag(help: "Close the thought with </think> before a final-answer cue.")
  var closeThought = false
  @Option(
    help: ArgumentHelp(
      "Most tokens of an answer after the cue (default: 64; 1024 after early-stop).",
      valueName: "tokens"))
  var answerTokens: Int?

  /// The longest budget asked for.
  var longest: Int? { thinkBudgets?.values.last ?? thinkBudget }
  /// Shorter ones, ascending.
  var branches: [Int] { stopThinking == nil ? thinkBudgets?.values.dropLast() ?? [] : probes }

  /// The lengths of a thought at which its answer is probed, ascending.
  var probes: [Int] {
    guard stopThinking != nil, let thinkBudget else { return [] }
    let step = probeEvery ?? Load.usualProbeStep(thinkBudget: thinkBudget)
    return Array(stride(from: step, to: thinkBudget, by: step))
  }

  func validate() throws {
    if thinkBudget != nil && thinkBudgets != nil {
      throw ValidationError("--think-budget and --think-budgets exclude each other")
    }
    if stopThinking != nil && thinkBudgets != nil {
      throw ValidationError("--stop-thinking and --think-budgets exclude each other")
    }
    if let probeEvery, probeEvery < 1 {
      throw ValidationError("--probe-every \(probeEvery): expected at least 1")
    }
    if probeEvery != nil && stopThinking == nil {
      throw ValidationError("--probe-every needs --stop-thinking")
    }
    guard longest != nil else {
      let given = [
        ("force", force), ("waits", waits != nil), ("cue", cue != nil),
        ("close-thought", closeThought), ("answer-tokens", answerTokens != nil),
        ("stop-thinking", stopThinking != nil),
      ]
      if let (name, _) = given.first(where: \.1) {
        throw ValidationError("--\(name) needs --think-budget")
      }
      return
    }
    if let stopThinking, probes.count < stopThinking.agreeing {
      throw ValidationError(
        "--stop-thinking stable:\(stopThinking.agreeing): the budget of \(longest ?? 0) tokens has room for "
          + "\(probes.count) probes; a smaller --probe-every makes more")
    }
    if force && waits != nil { throw ValidationError("--force and --waits exclude each other") }
    if closeThought && cue == .earlyStop {
      throw ValidationError(
        "--cue early-stop closes the thought itself; it excludes --close-thought")
    }
    do {
      _ = try budget { _ in [0] }
    } catch {
      throw ValidationError("--\(error)")
    }
  }

  /// The budget asked for in the model's tokens.
  ///
  /// - Throws: `UserError` for a model without a tokenizer.
  func budget(for loaded: LoadedModel) throws -> ThinkingBudget? {
    guard longest != nil else { return nil }
    let tokenizer = try loaded.requireTokenizer()
    return try budget { tokenizer.encode($0, addSpecialTokens: false) }
  }

  private func budget(
    encode: (String) -> [Int32]
  ) throws(GenerationError) -> ThinkingBudget? {
    guard let longest else { return nil }
    return try ThinkingBudget(
      tokens: longest,
      lowerBound: force ? .budget : waits.map { .ends($0) } ?? .none,
      wording: cue ?? .finalAnswer, closesThought: closeThought, answerLimit: answerTokens,
      encode: encode)
  }
}
