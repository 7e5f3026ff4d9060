import AppSupport
import ArgumentParser
import TextGeneration

/// The flags that say where a text ends, and what is shown of how it came about.
struct LimitFlags: ParsableArguments {
  @Option(
    name: [.customShort("n"), .customLong("max-tokens")], parsing: .unconditional,
    help: ArgumentHelp(
      "Most tokens to generate; -1 is what the context leaves (default: that).",
      valueName: "max-tokens"))
  var givenTokens: Int?
  @Option(
    name: [.customShort("c"), .long],
    help: ArgumentHelp(
      "Most tokens of prompt and text together (default: the model's context).",
      valueName: "tokens"))
  var ctxSize: Int?
  @Option(
    help: ArgumentHelp(
      "End the text where this comes up, without it; may be given several times.",
      valueName: "text"))
  var stop: [String] = []
  @Flag(help: "Go on past the model's end-of-text tokens.")
  var ignoreEos = false
  @Option(
    help: ArgumentHelp(
      "Give every token's log-probability, and this many of the likeliest in its place (0 to 20).",
      valueName: "count"))
  var logprobs: Int?

  /// The most tokens to generate, where a number was given.
  var maxTokens: Int? { givenTokens == -1 ? nil : givenTokens }

  func validate() throws {
    for (name, value) in [("max-tokens", maxTokens), ("ctx-size", ctxSize)] {
      if let value, value < 1 { throw ValidationError("--\(name) \(value): expected at least 1") }
    }
    if stop.contains("") { throw ValidationError("--stop: expected a text that is not empty") }
    if let logprobs, !(0...20).contains(logprobs) {
      throw ValidationError("--logprobs \(logprobs): expected 0 to 20")
    }
  }

  /// Most tokens to generate after a prompt of so many.
  ///
  /// - Throws: `UsageError` for a context that the prompt fills.
  func limit(prompt: Int) throws -> Int {
    guard let ctxSize else { return maxTokens ?? .max }
    guard ctxSize > prompt else {
      throw UsageError("--ctx-size \(ctxSize): the prompt has \(prompt) tokens already")
    }
    return min(maxTokens ?? .max, ctxSize - prompt)
  }
}
