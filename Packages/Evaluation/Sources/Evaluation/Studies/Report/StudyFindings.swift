import Foundation
import MemoryPlanner

/// The tests of the six findings. Each compares numbers of the data alone.
struct StudyFindings {
  /// What one data set says of one finding.
  struct Test {
    let number: Int
    let claim: String
    /// Whether the data agree; nil where something is missing.
    var holds: Bool?
    var measures: [StudyFinding.Measure] = []
    var lack = ""

    /// The finding where nothing but the data set itself is known.
    var finding: StudyFinding {
      StudyFinding(
        number: number, claim: claim, verdict: holds.map { $0 ? .holds : .fails } ?? .unknown,
        support: nil, measures: measures, lack: lack)
    }
  }

  private let view: StudyView

  init(_ view: StudyView) { self.view = view }

  /// All six, in order.
  var all: [Test] { [length, precision, votes, speed, compression, eviction] }

  /// Finding 1: along the frontier memory goes into weights first, into thought later.
  private var length: Test {
    var test = Test(
      number: 1, claim: "Small models gain from weights before thought, large ones from thought.")
    let frontier = StudyView.frontier(view.serial(.math))
    guard frontier.count >= 6 else {
      test.lack = "The frontier has \(frontier.count) points; 6 are needed."
      return test
    }
    let half = frontier.count / 2
    let (low, high) = (Array(frontier.prefix(half)), Array(frontier.suffix(frontier.count - half)))
    func growth(_ part: [StudyPoint]) -> Double {
      guard let first = part.first, let last = part.last else { return 1 }
      return Double(last.weightsBytes) / Double(max(first.weightsBytes, 1))
    }
    let weights = (growth(low), growth(high))
    let thought = (mean(low) { Double($0.thinkBudget) }, mean(high) { Double($0.thinkBudget) })
    test.holds = weights.0 > weights.1 && thought.1 > thought.0
    test.measures = [
      .init("growth of the weights along the lower half of the frontier", weights.0, unit: "-fold"),
      .init("along the upper half", weights.1, unit: "-fold"),
      .init("tokens of thought on the lower half", thought.0),
      .init("on the upper half", thought.1),
    ]
    if let turn = turn(frontier) {
      let unit = ByteUnit(view.points)
      test.measures.append(
        .init(
          "memory from which it thinks longer", Double(turn) / unit.size, unit: " \(unit.name)"))
    }
    return test
  }

  /// The memory at which the thought of a frontier grows: the one step that fits the logarithms of
  /// its budgets best (least squares); nil where that step goes down.
  private func turn(_ frontier: [StudyPoint]) -> Int? {
    let lengths = frontier.map { log2(Double(max($0.thinkBudget, 1))) }
    func mean(_ part: ArraySlice<Double>) -> Double { part.reduce(0, +) / Double(part.count) }
    /// What a step before a point explains of the squares, with its sign.
    func explained(_ place: Int) -> Double {
      let (low, high) = (lengths[..<place], lengths[place...])
      let step = mean(high) - mean(low)
      return step * abs(step) * Double(low.count * high.count) / Double(lengths.count)
    }
    let places = (1..<frontier.count).map { ($0, explained($0)) }
    guard let best = places.max(by: { abs($0.1) < abs($1.1) }), best.1 > 0 else { return nil }
    return frontier[best.0].totalBytes
  }

  /// Finding 2: 4 bits for knowledge, more for mathematics.
  private var precision: Test {
    var test = Test(number: 2, claim: "Knowledge is best at 4 bits, mathematics at 8 or 16.")
    let fronts = [TaskKind.math, .knowledge].map { StudyView.frontier(view.serial($0)) }
    guard view.bits.contains(4), view.bits.count > 1, fronts.allSatisfy({ $0.count >= 3 }) else {
      test.lack =
        "It takes frontiers of 3 points on both kinds of task, with 4 bits and more; there are "
        + "\(fronts[0].count) and \(fronts[1].count) points."
      return test
    }
    let shares = fronts.map { front in Double(front.count { $0.bits == 4 }) / Double(front.count) }
    test.holds = shares[1] >= 0.5 && shares[0] < 0.5
    test.measures = [
      .init("4-bit weights' share of the frontier in mathematics", 100 * shares[0], unit: " %"),
      .init("where knowledge is asked", 100 * shares[1], unit: " %"),
    ]
    for (task, name) in [(TaskKind.math, "mathematics"), (.knowledge, "knowledge")] {
      guard let loss = lossOfFourBits(task) else { continue }
      test.measures.append(.init("points that 4 bits lose in \(name), on average", loss))
    }
    return test
  }

  /// Points of accuracy that 4 bits lose beside the most bits, over models and budgets that have both.
  private func lossOfFourBits(_ task: TaskKind) -> Double? {
    struct Place: Hashable {
      let benchmark: String
      let model: String
      let budget: Int
    }
    var pairs: [Place: (most: Double?, four: Double?)] = [:]
    for point in view.serial(task) {
      let place = Place(
        benchmark: point.benchmark, model: point.model, budget: point.thinkBudget)
      if point.bits == view.bits.first { pairs[place, default: (nil, nil)].most = point.accuracy }
      if point.bits == 4 { pairs[place, default: (nil, nil)].four = point.accuracy }
    }
    // In one order: that of a dictionary changes the last bit of a sum.
    let losses = pairs.values.compactMap { pair in
      pair.most.flatMap { most in pair.four.map { 100 * (most - $0) } }
    }.sorted()
    return losses.isEmpty ? nil : losses.reduce(0, +) / Double(losses.count)
  }

  /// Finding 3: votes pay for large models only, more of them with more memory.
  private var votes: Test {
    var test = Test(
      number: 3, claim: "Votes pay for large models only, and more of them with more memory.")
    let points = view.parallel(.math)
    let serial = StudyView.frontier(points.filter { $0.samples == 1 })
    guard points.contains(where: { $0.samples > 1 }), serial.count >= 3 else {
      test.lack = "The study has no votes."
      return test
    }
    let voted = StudyView.frontier(points).filter { point in
      guard point.samples > 1, let rival = StudyView.best(serial, within: point.totalBytes) else {
        return false
      }
      return point.accuracy - rival.accuracy > error(point, rival)
    }
    test.measures = [
      .init(
        "points with votes that beat the frontier without by more than a standard error",
        Double(voted.count))
    ]
    guard !voted.isEmpty else {
      test.holds = false
      return test
    }
    let sizes = Set(points.map(\.weightsBytes)).sorted()
    let middle = sizes[sizes.count / 2]
    let large = Double(voted.count { $0.weightsBytes >= middle }) / Double(voted.count)
    let half = voted.count / 2
    let (few, many) = (
      mean(Array(voted.prefix(half))) { Double($0.samples) },
      mean(Array(voted.suffix(max(half, 1)))) { Double($0.samples) }
    )
    test.holds = large > 0.5 && (voted.count < 2 || many > few)
    test.measures.append(
      .init("share of them in the larger half of the weights", 100 * large, unit: " %"))
    if half > 0 {
      test.measures += [
        .init("samples of a vote on the lower half of their memory", few),
        .init("on the upper half", many),
      ]
    }
    return test
  }

  /// Finding 4: no 4-bit weights on the frontiers of time.
  private var speed: Test {
    var test = Test(
      number: 4, claim: "4-bit weights are never on the frontier of accuracy and time.")
    let points = view.serial(.math).filter { $0.seconds > 0 }
    let front = StudyView.frontier(points, cost: \.seconds)
    guard view.bits.contains(4), view.bits.count > 1, front.count >= 3 else {
      test.lack = "It takes times at 4 bits and more; the frontier has \(front.count) points."
      return test
    }
    let count = front.count { $0.bits == 4 }
    test.holds = count == 0
    test.measures = [
      .init("points on the frontier of accuracy and seconds a reply", Double(front.count)),
      .init("of them with 4-bit weights", Double(count)),
    ]
    return test
  }

  /// Finding 5: a compressed cache moves the frontier at every precision.
  private var compression: Test {
    var test = Test(
      number: 5,
      claim: "A compressed KV cache moves the frontier at every precision of the weights.")
    var gains: [Double] = []
    for bits in view.bits {
      let points = view.caches(.math).filter { $0.bits == bits }
      let whole = points.filter { view.cache($0) == .whole }
      let compressed = points.filter { view.cache($0) != .whole }
      guard let gain = gain(of: compressed, over: whole) else { continue }
      gains.append(gain)
      test.measures.append(
        .init(
          "points that compressed caches gain at the memories of the whole cache's frontier, \(bits)-bit weights",
          gain))
    }
    if gains.isEmpty {
      test.lack = "No cache was compressed."
    } else {
      test.holds = gains.allSatisfy { $0 > 0 }
    }
    return test
  }

  /// Finding 6: eviction rather than quantization for small models.
  private var eviction: Test {
    var test = Test(
      number: 6,
      claim: "Small models evict rather than quantize their cache; for large ones both are good.")
    let points = view.caches(.math)
    let kinds = Set(points.map(view.cache))
    guard kinds.isSuperset(of: [.evicted, .quantized]) else {
      test.lack =
        "It takes evicted and quantized caches; the study has "
        + (kinds.contains(.evicted) ? "evicted ones only." : "no evicted ones.")
      return test
    }
    let half = Set(view.models.prefix(max(view.models.count / 2, 1)))
    func gain(_ isSmall: Bool) -> Double? {
      let chosen = points.filter { half.contains($0.model) == isSmall }
      return self.gain(
        of: chosen.filter { view.cache($0) == .evicted },
        over: chosen.filter { view.cache($0) == .quantized })
    }
    guard let small = gain(true), let large = gain(false) else {
      test.lack = "Evicted and quantized caches were not measured for the same models."
      return test
    }
    test.holds = small > 0 && small > large
    test.measures = [
      .init(
        "points that eviction gains at the memories of the quantized frontier, smaller half of the models",
        small), .init("larger half", large),
    ]
    return test
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
}
