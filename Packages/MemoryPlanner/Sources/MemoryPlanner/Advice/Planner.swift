/// A configuration that fits, and why it stands where it stands.
public struct Advice: Sendable, Hashable {
  /// The configuration.
  public let configuration: Configuration
  /// Its bytes.
  public let memory: MemoryUse
  /// What share of questions it is expected to answer right; nil where nothing is known of the
  /// model.
  public let expected: ExpectedAccuracy?
  /// Seconds from a question to its answer; nil where the machine's speed is not known.
  public let seconds: Double?
  /// What the rules that end its votes or thoughts are known to save.
  public let savings: [TokenSaving]
  /// What was measured of it; nil where its figure is published or derived.
  public let measurement: MeasuredAccuracy?
  /// What the findings say of it.
  public let judgements: [Judgement]

  /// Findings that it goes against.
  public var contradictions: Int { judgements.count { !$0.agrees } }
}

/// Ranks the configurations that fit into a memory, and into a time where one is given.
///
/// They stand in the order of the accuracy that is expected of them (`ExpectedAccuracy`), of equals
/// the smallest first. A study's figure takes the place of a derived one where it is about the
/// benchmark that the other figures are about; figures of another benchmark cannot be held against
/// those, so they only change the order among the configurations that the study measured. Models of
/// which nothing is known come last, in the order that the findings of arXiv:2510.10964 suggest.
/// Where waiting matters most (`prefersLatency`) the order is that of finding 4.
public enum Planner {
  /// Ranks what fits.
  ///
  /// - Parameters:
  ///   - request: what is on offer and what for.
  ///   - measurements: what studies found; those of other tasks are passed over.
  ///   - speed: of the machine; without it no seconds are given, and none may be asked for.
  /// - Returns: all configurations that fit, best first.
  /// - Throws: `PlannerError.nothingFits` naming the least configuration, `PlannerError.tooSlow`
  ///   naming the fastest, or `PlannerError.invalid`.
  public static func advise(
    _ request: PlanRequest, measurements: [MeasuredAccuracy] = [], speed: MachineSpeed? = nil
  ) throws(PlannerError) -> [Advice] {
    let situation = Situation(request)
    let measured = Dictionary(
      measurements.filter { $0.task == request.task }.map { ($0.key, $0) },
      uniquingKeysWith: { first, _ in first })
    var found: [Advice] = []
    var least: (Configuration, bytes: Int)?
    var fastest: (Configuration, seconds: Double)?
    for configuration in try offered(request) {
      let memory = configuration.memory(request.accounting)
      if memory.total < least?.bytes ?? .max { least = (configuration, memory.total) }
      guard memory.total <= request.memory else { continue }
      let measurement = measurement(of: configuration, in: measured)
      let savings = savings(of: configuration, request.task, measurement)
      let seconds = speed?.seconds(configuration, memory, savings: savings)
      if let seconds, seconds < fastest?.seconds ?? .infinity { fastest = (configuration, seconds) }
      if let limit = request.seconds, seconds ?? .infinity > limit { continue }
      found.append(
        Advice(
          configuration: configuration, memory: memory,
          expected: measurement.map { ExpectedAccuracy($0) }
            ?? ExpectedAccuracy(configuration, situation),
          seconds: seconds, savings: savings, measurement: measurement,
          judgements: situation.judgements(of: configuration)))
    }
    guard !found.isEmpty else {
      if let fastest, let limit = request.seconds {
        throw .tooSlow(
          seconds: limit, least: fastest.seconds, configuration: "\(fastest.0)")
      }
      throw .nothingFits(
        memory: request.memory, least: least?.bytes ?? 0,
        configuration: least.map { "\($0.0)" } ?? "")
    }
    return ordered(found, situation)
  }

  /// What a study measured of a configuration; a vote that stops when it is decided has the accuracy
  /// of the whole one.
  private static func measurement(
    of configuration: Configuration, in measured: [MeasuredAccuracy.Key: MeasuredAccuracy]
  ) -> MeasuredAccuracy? {
    var key = configuration.measurementKey
    if let own = measured[key] { return own }
    guard key.rule == TokenSaving.exact else { return nil }
    key.rule = nil
    return measured[key]
  }

  private static func savings(
    of configuration: Configuration, _ task: TaskKind, _ measurement: MeasuredAccuracy?
  ) -> [TokenSaving] {
    configuration.rules.compactMap { part, rule in
      if let measurement, measurement.rule == rule, let saved = measurement.saved {
        return TokenSaving(
          part: part, rule: rule, saved: saved, recovery: 1, error: 0, source: measurement.study)
      }
      return .known(part, rule, task, samples: configuration.load.samples)
    }
  }

  /// Where waiting matters, weights of less than 8 bits are left out (finding 4), unless there are
  /// no others.
  private static func offered(_ request: PlanRequest) throws(PlannerError) -> [Configuration] {
    let all = try request.configurations()
    guard request.prefersLatency else { return all }
    let fast = all.filter { $0.precision.bits >= 8 }
    return fast.isEmpty ? all : fast
  }

  private static func ordered(_ found: [Advice], _ situation: Situation) -> [Advice] {
    let standings = standings(of: found, situation)
    return zip(found, standings).map { advice, standing in
      (advice, Rank(advice, situation, standing: standing))
    }.sorted { $0.1 < $1.1 }.map(\.0)
  }

  /// The accuracy by which each is placed, on the scale of the published figures; nil for none.
  private static func standings(of found: [Advice], _ situation: Situation) -> [Double?] {
    var standings = found.map { $0.expected?.value }
    // Measured on a benchmark that the published figures are not about.
    var elsewhere: [(index: Int, published: Double)] = []
    for (index, advice) in found.enumerated() {
      guard let measurement = advice.measurement,
        let published = ExpectedAccuracy(advice.configuration, situation),
        !measurement.isAbout(published.benchmark)
      else { continue }
      elsewhere.append((index, published.value))
    }
    // They take each other's places, the most accurate the best.
    let places = elsewhere.map(\.published).sorted(by: >)
    let order = elsewhere.map(\.index).sorted {
      (found[$0].measurement?.accuracy ?? 0, $1) > (found[$1].measurement?.accuracy ?? 0, $0)
    }
    for (index, place) in zip(order, places) { standings[index] = place }
    return standings
  }

  /// The best of each model at each precision, in order.
  public static func bestOfEach(_ advice: [Advice]) -> [Advice] {
    struct Pair: Hashable {
      let model: String
      let precision: WeightPrecision
    }
    var seen: Set<Pair> = []
    return advice.filter {
      seen.insert(
        Pair(model: $0.configuration.model.name, precision: $0.configuration.precision)
      ).inserted
    }
  }
}
