import ArgumentParser
import TextGeneration
import ModelLoader

/// The flags that say how tokens are drawn. What no flag says comes from the model's `generation_config.json`.
public struct SamplingFlags: ParsableArguments {
  /// See `SamplingOptions.temperature`.
  @Option(help: "Divides the logits; 0 takes the likeliest token (default: the model's).")
  public var temperature: Float?
  /// See `SamplingOptions.topK`.
  @Option(help: "Keep only so many of the likeliest tokens; 0 keeps all (default: the model's).")
  public var topK: Int?
  /// See `SamplingOptions.topP`.
  @Option(help: "Keep the likeliest tokens up to this total probability (default: the model's).")
  public var topP: Float?
  /// See `SamplingOptions.minP`.
  @Option(
    help: "Keep tokens at least this many times as likely as the likeliest (default: the model's).")
  public var minP: Float?
  /// Seed of the random numbers.
  @Option(
    name: .shortAndLong, help: "Seed of the random numbers; the same seed gives the same text.")
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
    do {
      _ = try SamplingOptions(
        temperature: temperature ?? 1, topK: topK == 0 ? nil : topK, topP: topP ?? 1,
        minP: minP ?? 0)
    } catch {
      throw ValidationError("--\(error)")
    }
  }

  /// The options in force, flags before the model's own.
  ///
  /// - Throws: `GenerationError.invalidOption`, or `CheckpointError.value` for a bad file.
  public func options(generationConfig: JSONObject?) throws -> SamplingOptions {
    if greedy { return .greedy }
    let config = generationConfig
    let samples = try config?.boolIfPresent("do_sample") ?? true
    let limits = -Double(Float.greatestFiniteMagnitude)...Double(Float.greatestFiniteMagnitude)
    func number(_ key: String) throws -> Float? {
      try config?.numberIfPresent(key, in: limits).map { Float($0) }
    }
    let fileTopK = try config?.integerIfPresent("top_k", in: 0...Int(Int32.max))
    let k = topK ?? fileTopK ?? 0
    return try SamplingOptions(
      temperature: try temperature ?? (samples ? number("temperature") ?? 1 : 0),
      topK: k == 0 ? nil : k, topP: try topP ?? number("top_p") ?? 1,
      minP: try minP ?? number("min_p") ?? 0)
  }
}
