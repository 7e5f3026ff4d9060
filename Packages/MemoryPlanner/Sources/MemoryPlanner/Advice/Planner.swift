/// A configuration that fits, and why it stands where it stands.
public struct Advice: Sendable, Hashable {
  /// The configuration.
  public let configuration: Configuration
  /// Its bytes.
  public let memory: MemoryUse
  /// What was measured of it; nil where its place comes from the paper's findings alone.
  public let measurement: MeasuredAccuracy?
  /// What the findings say of it.
  public let judgements: [Judgement]

  /// Findings that it goes against.
  public var contradictions: Int { judgements.count { !$0.agrees } }
}

/// Ranks the configurations that fit into a memory.
///
/// Measured configurations come first, the most accurate first and of equals the smallest. The others follow by the
/// findings of arXiv:2510.10964, taken as an order: fewest contradictions, then what a finding says to spend on first.
/// Below the size of an 8-bit 4B model that is weights; from there on a nearly lossless cache (mathematics) or
/// parameters (knowledge), then long thought, then votes.
public enum Planner {
  /// Ranks what fits.
  ///
  /// - Parameters:
  ///   - request: what is on offer and what for.
  ///   - measurements: what studies found; those of other tasks are passed over.
  /// - Returns: all configurations that fit, best first.
  /// - Throws: `PlannerError.nothingFits` naming the least configuration, or `PlannerError.invalid`.
  public static func advise(
    _ request: PlanRequest, measurements: [MeasuredAccuracy] = []
  ) throws(PlannerError) -> [Advice] {
    let situation = Situation(
      memory: request.memory, task: request.task, prefersLatency: request.prefersLatency,
      largestModel: request.models.map(\.parameters).max() ?? .max)
    let measured = Dictionary(
      measurements.filter { $0.task == request.task }.map { ($0.key, $0) },
      uniquingKeysWith: { first, _ in first })
    var ranked: [(advice: Advice, rank: Rank)] = []
    var least: (Configuration, bytes: Int)?
    for configuration in try request.configurations() {
      let memory = configuration.memory(request.accounting)
      if memory.total < least?.bytes ?? .max { least = (configuration, memory.total) }
      guard memory.total <= request.memory else { continue }
      let advice = Advice(
        configuration: configuration, memory: memory,
        measurement: measured[configuration.measurementKey],
        judgements: situation.judgements(of: configuration))
      ranked.append((advice, Rank(advice, situation)))
    }
    guard !ranked.isEmpty else {
      throw .nothingFits(
        memory: request.memory, least: least?.bytes ?? 0,
        configuration: least.map { "\($0.0)" } ?? "")
    }
    return ranked.sorted { $0.rank < $1.rank }.map(\.advice)
  }

  /// The best of each model at each precision, in order.
  public static func bestOfEach(_ advice: [Advice]) -> [Advice] {
    struct Pair: Hashable {
      let model: String
      let bits: Int
    }
    var seen: Set<Pair> = []
    return advice.filter {
      seen.insert(
        Pair(model: $0.configuration.model.name, bits: $0.configuration.precision.bits)
      ).inserted
    }
  }
}
