import KVLayout

/// A smaller model that proposes tokens, which changes no text: what it takes and what it is
/// expected to save (speculative decoding, arXiv:2211.17192).
public struct DraftAdvice: Sendable, Hashable {
  /// How often the model draws what the draft proposes, and how that is known.
  public struct AcceptRate: Sendable, Hashable, Codable {
    /// The share of proposals behind accepted ones, 0 to 1.
    public let value: Double
    /// Where the figure stands, or that it is assumed.
    public let source: String

    /// A share with its source.
    ///
    /// - Throws: `PlannerError.invalid` for one that is not between 0 and 1.
    public init(_ value: Double, source: String) throws(PlannerError) {
      guard value >= 0 && value < 1 else {
        throw .invalid(name: "accept rate", value: "\(value)", expected: "0 or more, below 1")
      }
      self.value = value
      self.source = source
    }

    private init(known value: Double, _ source: String) {
      (self.value, self.source) = (value, source)
    }

    /// What is known of a pair of models without being told.
    static func known(_ draft: String, for model: String) -> AcceptRate {
      if (draft, model) == ("nano-0.15m", "nano-4m") {
        return AcceptRate(known: 0.89, "nano-math, docs/generate.md")
      }
      return AcceptRate(known: 0.6, "assumed: nothing is published of this pair")
    }
  }

  /// The draft.
  public let model: ModelShape
  /// Its weights.
  public let precision: WeightPrecision
  /// Bytes that it takes beside the model: weights, working memory and a BF16 cache of each text,
  /// and the copies of what cannot be taken back.
  public let bytes: Int
  /// How often its proposals are accepted.
  public let acceptRate: AcceptRate
  /// Proposals at a time that give most tokens a second.
  public let length: Int
  /// Seconds from a question to its answer with it.
  public let seconds: Double

  /// The most texts at a time for which tokens are proposed, and proposals at a time.
  private static let (mostTexts, longest) = (4, 16)
  /// A draft pays from a model on that reads so many times its parameters (docs/generate.md: one of
  /// a third gains nothing), and is not worth its bytes for less than a tenth of the time.
  private static let (leastRatio, leastGain) = (4, 1.1)
}

extension DraftAdvice {
  /// The draft, of some models with the same tokens, with which a configuration answers soonest; nil
  /// where none fits beside it or is worth its bytes.
  ///
  /// A forecast from reading alone where the machine's multiply-adds are not known: the draft reads
  /// its weights for each proposal, then the model reads its own once for all of them.
  ///
  /// - Parameters:
  ///   - advice: the configuration, with its bytes.
  ///   - models: drafts to choose from.
  ///   - memory: bytes there are.
  ///   - speed: of the machine.
  ///   - acceptRate: how often proposals are accepted; nil for what is known of each pair.
  public init?(
    for advice: Advice, among models: [ModelShape], memory: Int, speed: MachineSpeed,
    acceptRate: AcceptRate? = nil
  ) {
    let configuration = advice.configuration
    guard configuration.load.sequences <= Self.mostTexts else { return nil }
    // Drafts lose next to nothing at 8 bits; one in more bits than the model would be slow.
    let precision = configuration.precision.bits < 16 ? try? WeightPrecision(bits: 8) : .bf16
    guard let precision else { return nil }
    var best: DraftAdvice?
    for model in models where Self.suits(model, configuration.model) {
      let rate = acceptRate ?? .known(model.name, for: configuration.model.name)
      let bytes = Self.bytes(of: model, precision, beside: configuration)
      guard Saturating.sum(advice.memory.total, bytes) <= memory else { continue }
      let pace = (1...Self.longest).map { length in
        speed.seconds(
          configuration, advice.memory, savings: advice.savings,
          draft: MachineSpeed.Draft(
            model: model, precision: precision, length: length, acceptRate: rate.value))
      }
      guard let soonest = pace.enumerated().min(by: { $0.element < $1.element }) else { continue }
      let plain = speed.seconds(configuration, advice.memory, savings: advice.savings)
      guard plain >= Self.leastGain * soonest.element, soonest.element < best?.seconds ?? .infinity
      else { continue }
      best = DraftAdvice(
        model: model, precision: precision, bytes: bytes, acceptRate: rate,
        length: soonest.offset + 1, seconds: soonest.element)
    }
    guard let best else { return nil }
    self = best
  }

  private static func suits(_ draft: ModelShape, _ model: ModelShape) -> Bool {
    draft.vocabularySize >= model.vocabularySize && draft.fixedFloats.isEmpty
      && Saturating.product(leastRatio, draft.activeParameters) <= model.activeParameters
  }

  /// Bytes of a draft, the process aside, and of the copies that are kept while its proposals are
  /// verified.
  private static func bytes(
    of draft: ModelShape, _ precision: WeightPrecision, beside configuration: Configuration
  ) -> Int {
    let load = configuration.load
    let own = EngineMemory(shape: draft, precision: precision, policy: .full).useBesideProcess(load)
    let (kv, shape) = (configuration.kv, configuration.model)
    guard kv.watchesAttention || shape.cacheShape.hasFixedStates else { return own }
    let copies = Saturating.product(
      load.sequences, shape.forecast(kv).copyBytes(tokens: load.sequenceTokens))
    return Saturating.sum(own, copies)
  }
}
