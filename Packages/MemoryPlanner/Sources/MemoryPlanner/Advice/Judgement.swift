/// What one finding of arXiv:2510.10964 says of a configuration.
public struct Judgement: Sendable, Hashable, Codable {
  /// The number of the finding, 1 to 6.
  public let finding: Int
  /// Whether the configuration is what the finding advises.
  public let agrees: Bool
  /// Why, as part of a sentence.
  public let text: String
}

/// The situation a configuration is judged in.
public struct Situation: Sendable, Hashable {
  /// Bytes there are.
  public let memory: Int
  /// What is asked.
  public let task: TaskKind
  /// Whether short answers matter more than memory.
  public let prefersLatency: Bool
  /// N of the largest model on offer.
  public let largestModel: Int

  /// A situation.
  public init(memory: Int, task: TaskKind, prefersLatency: Bool = false, largestModel: Int = .max) {
    self.memory = memory
    self.task = task
    self.prefersLatency = prefersLatency
    self.largestModel = largestModel
  }

  /// The situation of a request.
  public init(_ request: PlanRequest) {
    self.init(
      memory: request.memory, task: request.task, prefersLatency: request.prefersLatency,
      largestModel: request.models.map(\.parameters).max() ?? .max)
  }

  /// Every finding that has something to say of a configuration.
  public func judgements(of configuration: Configuration) -> [Judgement] {
    [
      length(configuration), bits(configuration), samples(configuration), latency(configuration),
      eviction(configuration),
    ].compactMap(\.self)
  }

  /// Finding 1: weights first below 8-bit 4B, thought until it saturates above.
  private func length(_ configuration: Configuration) -> Judgement? {
    let tokens = configuration.load.thinkBudget
    if configuration.load.batch >= PaperThresholds.largeBatch,
      configuration.model.parameters < PaperThresholds.tinyModel
    {
      return Judgement(
        finding: 1, agrees: false,
        text:
          "where \(configuration.load.batch) questions share the weights the smallest models are never best (Figure 3)"
      )
    }
    guard configuration.effectiveSize >= PaperThresholds.eightBit4B else {
      return Judgement(
        finding: 1, agrees: true,
        text: "below the size of an 8-bit 4B model memory goes into weights before thought")
    }
    let isLong = tokens >= PaperThresholds.longThought
    return Judgement(
      finding: 1, agrees: isLong,
      text: isLong
        ? "from the size of an 8-bit 4B model on, long thought pays until it saturates"
        : "\(tokens) tokens of thought leave a model of this size unused")
  }

  /// Finding 2: which precision suits the task and the size.
  private func bits(_ configuration: Configuration) -> Judgement? {
    let (bits, parameters) = (configuration.precision.bits, configuration.model.parameters)
    if bits < 4 {
      return Judgement(
        finding: 2, agrees: false, text: "\(bits) bits are below what the paper measured")
    }
    switch task {
    case .knowledge:
      if bits == 4 {
        return Judgement(
          finding: 2, agrees: true, text: "knowledge wants parameters, and 4 bits hold most of them"
        )
      }
      return parameters >= largestModel
        ? nil
        : Judgement(
          finding: 2, agrees: false,
          text: "for knowledge a larger model at 4 bits uses these bytes better")
    case .math where bits == 4:
      return fourBitMathematics(configuration)
    case .math:
      let isSmall = parameters <= PaperThresholds.smallModel
      if isSmall && bits == 16 {
        return Judgement(
          finding: 2, agrees: false, text: "models this small are best at 8 bits in mathematics")
      }
      return Judgement(
        finding: 2, agrees: true,
        text:
          "mathematics wants precise weights, \(isSmall ? "8 bits at this size" : "8 or 16 bits")")
    }
  }

  private func fourBitMathematics(_ configuration: Configuration) -> Judgement {
    let parameters = configuration.model.parameters
    let range = PaperThresholds.smallModel...PaperThresholds.usefulAtFourBits
    if range.contains(parameters) {
      return Judgement(
        finding: 2, agrees: true, text: "a 4-bit 4B model beats smaller ones at 8 bits")
    }
    let batch = configuration.load.batch
    let shared = PaperThresholds.usefulAtFourBits...PaperThresholds.largestInBatch
    if batch >= PaperThresholds.largeBatch, shared.contains(parameters),
      PaperThresholds.fourBitPerQuestion.contains(memory / batch)
    {
      return Judgement(
        finding: 2, agrees: true,
        text: "weights shared by \(batch) questions let 4-bit 8B and 14B models pay (Figure 3)")
    }
    return Judgement(
      finding: 2, agrees: false, text: "mathematics suffers from 4-bit weights at this size")
  }

  /// The paper's ranges are for one question at a time: what such a question would see of this
  /// memory.
  private func seen(by configuration: Configuration) -> Int {
    let weights = min(configuration.effectiveSize, memory)
    return weights + (memory - weights) / configuration.load.batch
  }

  /// The largest group of samples that pays (finding 3): 1 below the size of an 8-bit 4B model.
  func payingSamples(_ configuration: Configuration) -> Int {
    guard configuration.effectiveSize >= PaperThresholds.eightBit4B else { return 1 }
    return PaperThresholds.samples(memory: seen(by: configuration)).upperBound
  }

  /// Finding 3: votes only above 8-bit 4B, more of them with more memory.
  private func samples(_ configuration: Configuration) -> Judgement? {
    let samples = configuration.load.samples
    guard configuration.effectiveSize >= PaperThresholds.eightBit4B else {
      return Judgement(
        finding: 3, agrees: samples == 1,
        text: samples == 1
          ? "votes do not pay below the size of an 8-bit 4B model"
          : "\(samples) votes cost more than they bring below the size of an 8-bit 4B model")
    }
    let seen = seen(by: configuration)
    let paying = PaperThresholds.samples(memory: seen)
    let usual = configuration.load.batch > 1 ? 1...paying.upperBound : paying
    return Judgement(
      finding: 3, agrees: usual.contains(samples),
      text: samples == 1 && usual.contains(1)
        ? configuration.load.batch > 1
          ? "a batch shares the weights already; votes come after thought"
          : "groups of 4 pay from 16.4 GiB on"
        : "\(samples) sample\(samples == 1 ? "" : "s") at \(ByteCount(seen)) a question "
          + (usual.contains(samples)
            ? "fit the range that pays" : "are outside the range that pays"))
  }

  /// Finding 4: no 4-bit weights where latency counts. Figure 3: no smallest model under a large
  /// batch.
  private func latency(_ configuration: Configuration) -> Judgement? {
    guard prefersLatency else { return nil }
    let isFast = configuration.precision.bits >= 8
    return Judgement(
      finding: 4, agrees: isFast,
      text: isFast
        ? "8 and 16 bits give the best accuracy for the time"
        : "4-bit weights are never on the frontier of accuracy and time")
  }

  /// Findings 5 and 6: compress the cache; below 8-bit 8B by eviction, and never to 2 bits.
  private func eviction(_ configuration: Configuration) -> Judgement? {
    let kv = configuration.kv
    let isSmall = configuration.effectiveSize < PaperThresholds.eightBit8B
    let fewest = kv.fewestBits
    if fewest <= 2 {
      return Judgement(finding: 6, agrees: false, text: "a 2-bit cache loses much accuracy")
    }
    if isSmall && fewest <= 4 {
      return Judgement(
        finding: 6, agrees: false,
        text: "a 4-bit cache costs models below 8-bit 8B much accuracy; eviction does not")
    }
    if kv.eviction != nil {
      return Judgement(
        finding: 6, agrees: true,
        text: isSmall
          ? "below the size of an 8-bit 8B model eviction beats a quantized cache"
          : "at this size eviction and a quantized cache are both good")
    }
    if kv.isQuantized {
      return Judgement(
        finding: 5, agrees: true, text: "a compressed cache moves the frontier at every size")
    }
    return nil
  }
}
