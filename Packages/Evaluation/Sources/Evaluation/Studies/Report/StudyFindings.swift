import MemoryPlanner

/// One of the six findings of arXiv:2510.10964, tested on a study's data.
public struct StudyFinding: Sendable, Hashable {
  /// What the data says of it.
  public enum Verdict: String, Sendable, Hashable {
    /// The data agree.
    case holds
    /// The data disagree.
    case fails = "does not hold"
    /// The study lacks what it takes to say.
    case unknown = "not enough data"
  }

  /// Its number, 1 to 6.
  public let number: Int
  /// What the paper found, in short.
  public let claim: String
  /// What the data says of it.
  public let verdict: Verdict
  /// The figures it rests on, in a sentence.
  public let evidence: String
}

/// The tests. Each compares numbers of the data alone; a difference counts when it exceeds its
/// standard error.
struct StudyFindings {
  private let view: StudyView

  init(_ results: StudyResults) { view = StudyView(results) }

  /// All six, in order.
  var all: [StudyFinding] { [length, precision, votes, speed, compression, eviction] }

  /// Finding 1: along the frontier memory goes into weights first, into thought later.
  private var length: StudyFinding {
    let frontier = StudyView.frontier(view.serial(.math))
    let claim = "Small models gain from weights before thought, large ones from thought."
    guard frontier.count >= 6 else {
      return StudyFinding(
        number: 1, claim: claim, verdict: .unknown,
        evidence: "The frontier has \(frontier.count) points; 6 are needed.")
    }
    let half = frontier.count / 2
    let (low, high) = (Array(frontier.prefix(half)), Array(frontier.suffix(frontier.count - half)))
    func growth(_ part: [StudyPoint], _ value: (StudyPoint) -> Int) -> Double {
      guard let first = part.first, let last = part.last else { return 1 }
      return Double(value(last)) / Double(max(value(first), 1))
    }
    let weights = (growth(low) { $0.weightsBytes }, growth(high) { $0.weightsBytes })
    let thought = (mean(low) { Double($0.thinkBudget) }, mean(high) { Double($0.thinkBudget) })
    return StudyFinding(
      number: 1, claim: claim,
      verdict: weights.0 > weights.1 && thought.1 > thought.0 ? .holds : .fails,
      evidence:
        "On the lower half of the frontier the weights grow \(times(weights.0)) at \(tokens(thought.0)) tokens of thought on "
        + "average, on the upper half \(times(weights.1)) at \(tokens(thought.1)).")
  }

  /// Finding 2: 4 bits for knowledge, more for mathematics.
  private var precision: StudyFinding {
    let claim = "Knowledge is best at 4 bits, mathematics at 8 or 16."
    let fronts = [TaskKind.math, .knowledge].map { StudyView.frontier(view.serial($0)) }
    guard view.bits.contains(4), view.bits.count > 1, fronts.allSatisfy({ $0.count >= 3 }) else {
      return StudyFinding(
        number: 2, claim: claim, verdict: .unknown,
        evidence:
          "It takes frontiers of 3 points on both kinds of task, with 4 bits and more; there are "
          + "\(fronts[0].count) and \(fronts[1].count) points.")
    }
    let shares = fronts.map { front in Double(front.count { $0.bits == 4 }) / Double(front.count) }
    return StudyFinding(
      number: 2, claim: claim, verdict: shares[1] >= 0.5 && shares[0] < 0.5 ? .holds : .fails,
      evidence: "4-bit weights make up \(percent(shares[0])) of the frontier in mathematics "
        + "(\(fronts[0].count) points) and \(percent(shares[1])) where knowledge is asked (\(fronts[1].count))."
    )
  }

  /// Finding 3: votes pay for large models only, more of them with more memory.
  private var votes: StudyFinding {
    let claim = "Votes pay for large models only, and more of them with more memory."
    let points = view.parallel(.math)
    let serial = StudyView.frontier(points.filter { $0.samples == 1 })
    let voted = StudyView.frontier(points).filter { point in
      guard point.samples > 1, let rival = StudyView.best(serial, within: point.totalBytes) else {
        return false
      }
      return point.accuracy - rival.accuracy > error(point, rival)
    }
    guard points.contains(where: { $0.samples > 1 }), serial.count >= 3 else {
      return StudyFinding(
        number: 3, claim: claim, verdict: .unknown, evidence: "The study has no votes.")
    }
    guard !voted.isEmpty else {
      return StudyFinding(
        number: 3, claim: claim, verdict: .fails,
        evidence: "No vote beats the frontier without votes by more than its standard error.")
    }
    let sizes = Set(points.map(\.weightsBytes)).sorted()
    let middle = sizes[sizes.count / 2]
    let large = voted.count { $0.weightsBytes >= middle }
    let half = voted.count / 2
    let (few, many) = (
      mean(Array(voted.prefix(half))) { Double($0.samples) },
      mean(Array(voted.suffix(max(half, 1)))) { Double($0.samples) }
    )
    let grows = voted.count < 2 || many > few
    return StudyFinding(
      number: 3, claim: claim,
      verdict: Double(large) > 0.5 * Double(voted.count) && grows ? .holds : .fails,
      evidence:
        "Of \(voted.count) points with votes that beat the frontier without by more than a standard error, \(large) belong to "
        + "the larger half of the weights; their groups have \(tokens(few)) samples on the lower half of the memory and \(tokens(many)) on the upper."
    )
  }

  /// Finding 4: no 4-bit weights on the frontiers of time.
  private var speed: StudyFinding {
    let claim = "4-bit weights are never on the frontier of accuracy and time."
    let points = view.serial(.math).filter { $0.seconds > 0 }
    let front = StudyView.frontier(points, cost: \.seconds)
    guard view.bits.contains(4), view.bits.count > 1, front.count >= 3 else {
      return StudyFinding(
        number: 4, claim: claim, verdict: .unknown,
        evidence: "It takes times at 4 bits and more; the frontier has \(front.count) points.")
    }
    let count = front.count { $0.bits == 4 }
    return StudyFinding(
      number: 4, claim: claim, verdict: count == 0 ? .holds : .fails,
      evidence:
        "\(count) of the \(front.count) points on the frontier of accuracy and seconds a reply have 4-bit weights."
    )
  }

  /// Finding 5: a compressed cache moves the frontier at every precision.
  private var compression: StudyFinding {
    let claim = "A compressed KV cache moves the frontier at every precision of the weights."
    var gains: [(bits: Int, gain: Double)] = []
    for bits in view.bits {
      let points = view.caches(.math).filter { $0.bits == bits }
      let gain = gain(of: points.filter { !$0.isFullCache }, over: points.filter(\.isFullCache))
      if let gain { gains.append((bits, gain)) }
    }
    guard !gains.isEmpty else {
      return StudyFinding(
        number: 5, claim: claim, verdict: .unknown, evidence: "No cache was compressed.")
    }
    let text = gains.map { "\($0.bits) bits: \(signed($0.gain))" }.joined(separator: ", ")
    return StudyFinding(
      number: 5, claim: claim, verdict: gains.allSatisfy { $0.gain > 0 } ? .holds : .fails,
      evidence:
        "At the memories of the whole cache's frontier, compressed caches are better by (points of accuracy, on average) \(text)."
    )
  }

  /// Finding 6: eviction rather than quantization for small models.
  private var eviction: StudyFinding {
    let claim = "Small models evict rather than quantize their cache; for large ones both are good."
    let points = view.caches(.math)
    guard points.contains(where: \.isEvicting), points.contains(where: \.isQuantizing) else {
      return StudyFinding(
        number: 6, claim: claim, verdict: .unknown,
        evidence: "It takes evicted and quantized caches; the study has "
          + (points.contains(where: \.isEvicting) ? "evicted ones only." : "no evicted ones."))
    }
    let half = Set(view.models.prefix(max(view.models.count / 2, 1)))
    func gain(_ isSmall: Bool) -> Double? {
      let chosen = points.filter { half.contains($0.model) == isSmall }
      return self.gain(of: chosen.filter(\.isEvicting), over: chosen.filter(\.isQuantizing))
    }
    guard let small = gain(true), let large = gain(false) else {
      return StudyFinding(
        number: 6, claim: claim, verdict: .unknown,
        evidence: "Evicted and quantized caches were not measured for the same models.")
    }
    return StudyFinding(
      number: 6, claim: claim, verdict: small > 0 && small > large ? .holds : .fails,
      evidence:
        "At the memories of the quantized frontier, eviction is better by \(signed(small)) points of accuracy "
        + "for the smaller half of the models and by \(signed(large)) for the larger.")
  }

  /// By how many points of accuracy the best of `points` beat the frontier of `others` at its
  /// memories, on average.
  private func gain(of points: [StudyPoint], over others: [StudyPoint]) -> Double? {
    let gains = StudyView.frontier(others).compactMap { rival in
      StudyView.best(points, within: rival.totalBytes).map { 100 * ($0.accuracy - rival.accuracy) }
    }
    return gains.isEmpty ? nil : gains.reduce(0, +) / Double(gains.count)
  }

  /// The standard error of a difference, the two taken as independent.
  private func error(_ left: StudyPoint, _ right: StudyPoint) -> Double {
    let errors = [left, right].map { $0.standardError ?? 0 }
    return (errors[0] * errors[0] + errors[1] * errors[1]).squareRoot()
  }

  private func mean(_ points: [StudyPoint], _ value: (StudyPoint) -> Double) -> Double {
    points.isEmpty ? 0 : points.reduce(0) { $0 + value($1) } / Double(points.count)
  }

  private func percent(_ share: Double) -> String { "\(Int((100 * share).rounded())) %" }
  private func tokens(_ value: Double) -> String { "\((value * 10).rounded() / 10)" }
  private func times(_ value: Double) -> String { "\((value * 10).rounded() / 10)-fold" }
  private func signed(_ value: Double) -> String {
    let rounded = (value * 10).rounded() / 10
    return rounded > 0 ? "+\(rounded)" : "\(rounded)"
  }
}
