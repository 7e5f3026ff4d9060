/// How the next token is drawn from the logits.
///
/// Filters apply in the order of Hugging Face transformers: penalties, temperature, top-k, top-p,
/// min-p.
public struct SamplingOptions: Sendable, Hashable, Codable {
  /// Divides the logits; 0 takes the likeliest token.
  public let temperature: Float
  /// Keep only so many of the likeliest tokens; nil keeps all.
  public let topK: Int?
  /// Keep the smallest set of likeliest tokens whose probabilities reach this sum; 1 keeps all.
  public let topP: Float
  /// Keep tokens at least this many times as likely as the likeliest; 0 keeps all.
  public let minP: Float
  /// What makes tokens less likely that stand in the text already; nil where nothing does.
  public let penalties: Penalties?

  /// How many of the likeliest tokens drawing looks at; nil for all.
  var likeliest: Int? {
    if penalties != nil { return nil }
    return temperature == 0 ? 1 : topK
  }

  /// Always the likeliest token; the lowest id among equals.
  public static let greedy = SamplingOptions(unchecked: 0, nil, 1, 0)

  private init(
    unchecked temperature: Float, _ topK: Int?, _ topP: Float, _ minP: Float,
    _ penalties: Penalties? = nil
  ) {
    self.penalties = penalties
    self.temperature = temperature
    self.topK = topK
    self.topP = topP
    self.minP = minP
  }

  /// Checked options.
  ///
  /// - Throws: `GenerationError.invalidOption` naming the option and its range.
  public init(
    temperature: Float, topK: Int? = nil, topP: Float = 1, minP: Float = 0,
    penalties: Penalties = Penalties()
  ) throws(GenerationError) {
    guard temperature.isFinite, temperature >= 0 else {
      throw .invalidOption(
        name: "temperature", value: "\(temperature)", expected: "a number, at least 0")
    }
    if let topK, topK < 1 {
      throw .invalidOption(name: "top-k", value: "\(topK)", expected: "at least 1")
    }
    guard topP > 0, topP <= 1 else {
      throw .invalidOption(name: "top-p", value: "\(topP)", expected: "above 0, at most 1")
    }
    guard minP >= 0, minP < 1 else {
      throw .invalidOption(name: "min-p", value: "\(minP)", expected: "at least 0, below 1")
    }
    try penalties.check()
    self.init(
      unchecked: temperature, topK, topP, minP, penalties.changeNothing ? nil : penalties)
  }
}
