import ArgumentParser
import JSON
import ModelLoader
import TextGeneration

/// The flags that say how tokens are drawn. What no flag says comes from the model's
/// `generation_config.json`.
public struct SamplingFlags: ParsableArguments {
  /// See `SamplingOptions.temperature`.
  @Option(
    parsing: .unconditional,
    help: "Divides the logits; 0 takes the likeliest token (default: the model's).")
  public var temperature: Float?
  /// See `SamplingOptions.topK`.
  @Option(
    parsing: .unconditional,
    help: "Keep only so many of the likeliest tokens; 0 or -1 keeps all (default: the model's).")
  public var topK: Int?
  /// See `SamplingOptions.topP`.
  @Option(
    parsing: .unconditional,
    help: "Keep the likeliest tokens up to this total probability (default: the model's).")
  public var topP: Float?
  /// See `SamplingOptions.minP`.
  @Option(
    parsing: .unconditional,
    help: "Keep tokens at least this many times as likely as the likeliest (default: the model's).")
  public var minP: Float?
  /// See `Penalties.repetition`.
  @Option(
    parsing: .unconditional,
    help: """
      Makes tokens of prompt and text less likely: positive logits are divided by it, negative ones \
      multiplied; 1 changes nothing (default: the model's).
      """)
  public var repeatPenalty: Float?
  /// See `Penalties.presence`.
  @Option(
    parsing: .unconditional,
    help: "Taken from the logits of tokens that stand in the text; 0 changes nothing.")
  public var presencePenalty: Float?
  /// See `Penalties.frequency`.
  @Option(
    parsing: .unconditional,
    help: "Taken from the logits of tokens of the text, times how often they stand there.")
  public var frequencyPenalty: Float?
  /// See `Penalties.noRepeatNgram`.
  @Option(
    parsing: .unconditional,
    help: "No sequence of so many tokens comes twice; 0 changes nothing (default: the model's).")
  public var noRepeatNgram: Int?
  /// Seed of the random numbers.
  @Option(
    name: .shortAndLong, parsing: .unconditional,
    help: "Seed of the random numbers, 0 or more; the same seed gives the same text.")
  public var seed: UInt64 = 0
  /// Always take the likeliest token.
  @Flag(help: "Always take the likeliest token.")
  public var greedy = false

  /// For ArgumentParser.
  public init() {}

  /// Refuses values out of range, and flags that exclude each other.
  public func validate() throws {
    if greedy && (temperature != nil || topK != nil || topP != nil || minP != nil) {
      throw ValidationError(
        "--greedy excludes --temperature, --top-k, --top-p and --min-p")
    }
    if let topK, topK < -1 {
      throw ValidationError("--top-k is \(topK); expected at least 1, or 0 or -1 to keep all")
    }
    do {
      _ = try options(generationConfig: nil)
    } catch {
      throw ValidationError("--\(error)")
    }
  }

  /// The options in force, flags before the model's own.
  ///
  /// - Throws: `GenerationError.invalidOption`, or `CheckpointError.value` for a bad file.
  public func options(generationConfig: JSONObject?) throws -> SamplingOptions {
    let config = generationConfig
    let most = Double(Float.greatestFiniteMagnitude)
    func number(_ key: String, _ range: ClosedRange<Double>) throws -> Float? {
      try config?.numberIfPresent(key, in: range).map { Float($0) }
    }
    var penalties = Penalties()
    let above0 = Double(Float.leastNormalMagnitude)...most
    penalties.repetition = try repeatPenalty ?? number("repetition_penalty", above0) ?? 1
    penalties.presence = try presencePenalty ?? number("presence_penalty", -most...most) ?? 0
    penalties.frequency = try frequencyPenalty ?? number("frequency_penalty", -most...most) ?? 0
    penalties.noRepeatNgram =
      try noRepeatNgram
      ?? config?.integerIfPresent("no_repeat_ngram_size", in: 0...Int(Int32.max)) ?? 0
    if greedy { return try SamplingOptions(temperature: 0, penalties: penalties) }
    let samples = try config?.boolIfPresent("do_sample") ?? true
    let k = try topK ?? config?.integerIfPresent("top_k", in: -1...Int(Int32.max)) ?? 0
    return try SamplingOptions(
      temperature: try temperature ?? (samples ? number("temperature", 0...most) ?? 1 : 0),
      topK: k <= 0 ? nil : k,
      topP: try topP ?? number("top_p", Double(Float.leastNormalMagnitude)...1) ?? 1,
      minP: try minP ?? number("min_p", 0...Double(Float(1).nextDown)) ?? 0,
      penalties: penalties)
  }

  /// The first flag that says how tokens are drawn; nil where none does.
  public var given: String? {
    let given = [
      ("temperature", temperature != nil), ("top-k", topK != nil), ("top-p", topP != nil),
      ("min-p", minP != nil), ("repeat-penalty", repeatPenalty != nil),
      ("presence-penalty", presencePenalty != nil), ("frequency-penalty", frequencyPenalty != nil),
      ("no-repeat-ngram", noRepeatNgram != nil), ("greedy", greedy),
    ]
    return given.first(where: \.1)?.0
  }

  /// Says of flags that choose among tokens of which the likeliest is taken.
  private func noteIdleChoice() {
    let idle = [("--top-k", topK != nil), ("--top-p", topP != nil), ("--min-p", minP != nil)]
      .filter(\.1).map(\.0)
    guard temperature == 0, !idle.isEmpty else { return }
    Console.note(
      "warning: --temperature 0 takes the likeliest token: \(idle.joined(separator: ", ")) had no effect"
    )
  }

  /// What the flags say and nothing else, for a model of which nothing is known.
  ///
  /// - Throws: `GenerationError.invalidOption`.
  public func said() throws(GenerationError) -> Sampling {
    func decimal(_ value: Float?) -> Double? { value.flatMap { Double("\($0)") } }
    var penalties = Penalties()
    penalties.repetition = repeatPenalty ?? penalties.repetition
    penalties.presence = presencePenalty ?? penalties.presence
    penalties.frequency = frequencyPenalty ?? penalties.frequency
    penalties.noRepeatNgram = noRepeatNgram ?? penalties.noRepeatNgram
    return try Sampling(
      temperature: greedy ? 0 : decimal(temperature), topP: decimal(topP),
      topK: topK.flatMap { $0 > 0 ? $0 : nil }, minP: decimal(minP),
      penalties: penalties.changeNothing ? nil : penalties)
  }

  /// The options in force for a model; what its file asks for and does not get is said.
  ///
  /// - Throws: `GenerationError.invalidOption`, or `CheckpointError.value` for a bad file.
  public func optionsInForce(for checkpoint: Checkpoint) throws -> SamplingOptions {
    noteIdleChoice()
    let ignored = GenerationConfigKeys.ignored(in: checkpoint.generationConfig)
    if !ignored.isEmpty {
      Console.note(
        "warning: \(checkpoint.generationConfig?.file ?? ""): not supported and not applied: "
          + ignored.joined(separator: ", ")
          + (ignored.contains { $0.hasPrefix("max_") } ? "; --max-tokens bounds replies" : ""))
    }
    return try options(generationConfig: checkpoint.generationConfig)
  }
}
