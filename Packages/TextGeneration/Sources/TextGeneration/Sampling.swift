/// What is said of how tokens are drawn: by a benchmark, a request, a journal. A missing value
/// leaves the choice to whoever has one, such as the model's own files; `SamplingOptions` are what
/// holds then.
public struct Sampling: Sendable, Hashable, Codable {
  /// Divides the logits; 0 is greedy decoding.
  public var temperature: Double?
  /// The probability mass that stays, 0 < p <= 1.
  public var topP: Double?
  /// How many tokens stay, 1 or more.
  public var topK: Int?
  /// The least probability that stays, relative to the largest, 0 <= p < 1.
  public var minP: Double?
  /// What makes tokens less likely that stand in the text already.
  public var penalties: Penalties?

  /// Checks and keeps the settings.
  ///
  /// - Throws: `GenerationError.invalidOption` for one outside its range.
  public init(
    temperature: Double? = nil, topP: Double? = nil, topK: Int? = nil, minP: Double? = nil,
    penalties: Penalties? = nil
  ) throws(GenerationError) {
    self.temperature = temperature
    self.topP = topP
    self.topK = topK
    self.minP = minP
    self.penalties = penalties
    _ = try SamplingOptions.greedy.overridden(by: self)
  }

  /// What options say, as people write the numbers: 0.6, not 0.6000000238.
  public init(_ options: SamplingOptions) {
    func decimal(_ value: Float) -> Double { Double("\(value)") ?? Double(value) }
    temperature = decimal(options.temperature)
    topP = decimal(options.topP)
    topK = options.topK
    minP = decimal(options.minP)
    penalties = options.penalties
  }
}

extension SamplingOptions {
  /// These options with others in their place where some are said.
  ///
  /// - Throws: `GenerationError.invalidOption` naming the option and its range.
  public func overridden(by said: Sampling) throws(GenerationError) -> SamplingOptions {
    try SamplingOptions(
      temperature: said.temperature.map { Float($0) } ?? temperature, topK: said.topK ?? topK,
      topP: said.topP.map { Float($0) } ?? topP, minP: said.minP.map { Float($0) } ?? minP,
      penalties: said.penalties ?? penalties ?? Penalties())
  }
}
