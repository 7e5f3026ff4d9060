/// What share of questions a configuration is expected to answer right, within which range, and how
/// that is known.
public struct ExpectedAccuracy: Sendable, Hashable, Codable {
  /// How a figure is known.
  public enum Origin: String, Sendable, Hashable, Codable {
    /// A study measured this very configuration.
    case measured
    /// The model's makers published it for this configuration.
    case published
    /// Computed from a published figure by the findings of arXiv:2510.10964.
    case derived
  }

  /// The share, 0 to 1.
  public let value: Double
  /// The range in which it is expected, 0 to 1: two standard errors where it was measured, else
  /// also what the steps of the derivation may be wrong by.
  public let range: ClosedRange<Double>
  /// How it is known.
  public let origin: Origin
  /// The benchmark that it is about.
  public let benchmark: String
  /// Where the figure that it rests on stands.
  public let source: String
  /// What was multiplied with or added to the published figure, in words; empty unless derived.
  public let steps: [String]

  /// Whether what is known cannot tell two configurations apart.
  public func overlaps(_ other: ExpectedAccuracy) -> Bool { range.overlaps(other.range) }
}

extension ExpectedAccuracy {
  /// A measured figure.
  init(_ measurement: MeasuredAccuracy) {
    let error = 2 * (measurement.standardError ?? 0.5)
    self.init(
      value: measurement.accuracy,
      range: max(0, measurement.accuracy - error)...min(1, measurement.accuracy + error),
      origin: .measured, benchmark: measurement.benchmark, source: measurement.study, steps: [])
  }

  /// The figure of a configuration by what is published of its model; nil where nothing is.
  ///
  /// Each step is a factor with a relative uncertainty of its own; the uncertainties are added
  /// as squares. The factors reproduce every comparison that arXiv:2510.10964 makes in words
  /// (section 4: `PlannerTests.comparisonsOfSection4`); between those they are interpolations, and
  /// their ranges say so.
  init?(_ configuration: Configuration, _ situation: Situation) {
    let task = situation.task
    guard let base = PublishedAccuracy.of(configuration.model.name, task) else { return nil }
    let steps =
      [
        Step.weights(configuration, task), Step.scheme(configuration, task),
        Step.thought(configuration, task, base), Step.cache(configuration),
      ].compactMap(\.self) + Step.stops(configuration, task)
    var (value, variance) = (base.accuracy, (base.error / max(base.accuracy, 0.01)).squared)
    for step in steps {
      value *= step.factor
      variance += step.uncertainty.squared
    }
    var words = steps.map(\.text)
    var spread = value * variance.squareRoot()
    if let votes = Step.votes(configuration, situation, single: value) {
      value += votes.gain
      spread = (spread.squared + (votes.gain / 2).squared).squareRoot()
      words.append(votes.text)
    }
    self.init(
      value: value, range: max(0, value - 2 * spread)...min(1, value + 2 * spread),
      origin: words.isEmpty ? .published : .derived, benchmark: base.benchmark,
      source: base.source, steps: words)
  }

  /// A factor of the derivation.
  private struct Step {
    let factor: Double
    /// One standard deviation, as a part of the factor's figure.
    let uncertainty: Double
    let text: String

    /// Finding 2: mathematics suffers from 4-bit weights, knowledge hardly; 8 bits cost next to
    /// nothing. Below 4 bits the paper has no figures; docs/quantization.md shows how wide they
    /// are.
    static func weights(_ configuration: Configuration, _ task: TaskKind) -> Step? {
      let bits = configuration.precision.bits
      // What is known of schemes of 4 bits on both sides is known of both together.
      if let scheme = configuration.precision.scheme,
        SchemeAccuracy.of(scheme, configuration.model.name, task)?.holdsWeights == true
      {
        return nil
      }
      switch (bits, task) {
      case (16..., _): return nil
      case (8, _): return Step(factor: 0.99, uncertainty: 0.01, text: "8-bit weights x 0.99")
      case (4, .math): return Step(factor: 0.88, uncertainty: 0.05, text: "4-bit weights x 0.88")
      case (4, .knowledge):
        return Step(factor: 0.97, uncertainty: 0.02, text: "4-bit weights x 0.97")
      case (3, _): return Step(factor: 0.6, uncertainty: 0.3, text: "3-bit weights x 0.60")
      default: return Step(factor: 0.1, uncertainty: 1, text: "\(bits)-bit weights x 0.10")
      }
    }

    /// What was published or measured of a scheme.
    static func scheme(_ configuration: Configuration, _ task: TaskKind) -> Step? {
      guard let scheme = configuration.precision.scheme,
        let known = SchemeAccuracy.of(scheme, configuration.model.name, task)
      else { return nil }
      return Step(
        factor: known.recovery, uncertainty: known.error,
        text: "\(scheme.rawValue) x \(known.recovery.thousandths) (\(known.source))")
    }

    /// Accuracy grows with the logarithm of the thought until the model has thought enough (the
    /// curves of arXiv:2505.09388, section 4.7, and of Figure 1 of arXiv:2510.10964): mathematics
    /// from 1/60 of that length on, knowledge by 6 % of the figure for every doubling.
    static func thought(
      _ configuration: Configuration, _ task: TaskKind, _ base: PublishedAccuracy
    ) -> Step? {
      let doublings = Logarithm.ofTwo(
        Double(base.longestThought) / Double(max(configuration.load.thinkBudget, 1)))
      guard doublings > 0 else { return nil }
      let missing = task == .math ? doublings / Logarithm.ofTwo(60) : 0.06 * doublings
      let factor = max(0.02, 1 - missing)
      return Step(
        factor: factor, uncertainty: 0.3 * (1 - factor),
        text: "\(configuration.load.thinkBudget) of \(base.longestThought) tokens of thought x "
          + factor.hundredths)
    }

    /// Findings 5 and 6: an eviction budget of 8192 tokens keeps the accuracy of a 4B model
    /// (section 5), smaller ones cost more; 8-bit caches cost next to nothing, 4-bit ones cost
    /// models below 8-bit 8B much, 2-bit ones all.
    static func cache(_ configuration: Configuration) -> Step? {
      let kv = configuration.kv
      var (factor, variance) = (1.0, 0.0)
      let isSmall = configuration.effectiveSize < PaperThresholds.eightBit8B
      switch kv.fewestBits {
      case 16...: break
      case 8: (factor, variance) = (0.99, 0.01.squared)
      case 4: (factor, variance) = isSmall ? (0.85, 0.06.squared) : (0.96, 0.02.squared)
      default: (factor, variance) = (0.5, 0.25.squared)
      }
      if let eviction = kv.eviction {
        let isLong = configuration.model.contextLength >= 32_768
        // The budgets of small models are of their own scale: what part of the sequence stays.
        let kept =
          isLong
          ? Double(eviction.budget) / 8192
          : 1.5 * Double(eviction.budget) / Double(configuration.load.sequenceTokens)
        let lost = kept >= 1 ? 0.02 : 0.02 + 0.06 * Logarithm.ofTwo(1 / kept)
        factor *= max(0.1, 1 - lost)
        variance += (0.01 + lost / 2).squared
      }
      guard factor < 1 else { return nil }
      return Step(
        factor: factor, uncertainty: variance.squareRoot(), text: "KV \(kv) x \(factor.hundredths)")
    }

    /// What rules that are not exact lose of votes and thoughts.
    static func stops(_ configuration: Configuration, _ task: TaskKind) -> [Step] {
      configuration.rules.filter { $0.rule != TokenSaving.exact }.map { part, rule in
        guard
          let known = TokenSaving.known(
            part, rule, task, samples: configuration.load.samples)
        else {
          return Step(factor: 1, uncertainty: 0.1, text: "\(rule), of which nothing is known")
        }
        return Step(
          factor: known.recovery, uncertainty: known.error,
          text: "\(rule) x \(known.recovery.thousandths) (\(known.source))")
      }
    }

    /// Finding 3: votes pay from the size of an 8-bit 4B model on. A majority gains most where
    /// half of the answers are right: 2 points for each doubling of the group there (Figure 5). On
    /// knowledge the paper has no votes: half of that is assumed.
    /// A larger group than the paper found to pay at a memory is given nothing for it.
    static func votes(
      _ configuration: Configuration, _ situation: Situation, single: Double
    ) -> (gain: Double, text: String)? {
      let samples = configuration.load.samples
      guard samples > 2, samples <= situation.payingSamples(configuration) else { return nil }
      let most = situation.task == .math ? 0.02 : 0.01
      let gain = most * Logarithm.ofTwo(Double(samples)) * 4 * single * (1 - single)
      return (gain, "\(samples) votes + \((100 * gain).tenths)")
    }
  }
}

extension Double {
  fileprivate var squared: Double { self * self }
  /// With two decimals.
  fileprivate var hundredths: String {
    let whole = Int((self * 100).rounded())
    return "\(whole / 100).\(whole % 100 < 10 ? "0" : "")\(whole % 100)"
  }
  /// With three decimals.
  fileprivate var thousandths: String {
    let whole = Int((self * 1000).rounded())
    let digits = String(1000 + whole % 1000).dropFirst()
    return "\(whole / 1000).\(digits)"
  }
  /// With one decimal.
  fileprivate var tenths: String {
    let whole = Int((self * 10).rounded())
    return "\(whole / 10).\(whole % 10)"
  }
}

/// The logarithm to base 2, by the exponent and a series: this package imports no C library.
enum Logarithm {
  static func ofTwo(_ value: Double) -> Double {
    guard value > 0, value.isFinite else { return 0 }
    // ln(m) = 2 artanh((m - 1) / (m + 1)) for m in 1..<2.
    let mantissa = value.significand
    let ratio = (mantissa - 1) / (mantissa + 1)
    var (term, sum) = (ratio, 0.0)
    for odd in stride(from: 1.0, through: 41, by: 2) {
      sum += term / odd
      term *= ratio * ratio
    }
    return Double(value.exponent) + 2 * sum / 0.693147180559945309
  }
}
