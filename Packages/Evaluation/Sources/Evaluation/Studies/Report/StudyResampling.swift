/// What the findings would be on other problems of the same kind: the bootstrap over problems (Efron, 1979).
///
/// All configurations are scored on the same problems drawn with replacement, so differences between them are paired.
struct StudyResampling {
  /// How often problems are drawn anew where nobody says.
  static let usualDraws = 1000

  private let view: StudyView
  /// By point of the view: the score of each problem.
  private let scores: [[Double]]
  /// By benchmark: how many problems there are.
  private let problems: [String: Int]
  private let draws: Int

  /// Resamples of some points.
  ///
  /// - Parameters:
  ///   - points: of a study.
  ///   - scores: by point, the scores of the problems, in the same order for all points of a benchmark.
  ///   - draws: how many.
  init(_ points: [StudyPoint], scores: [[Double]], draws: Int = usualDraws) {
    self.draws = draws
    view = StudyView(points)
    self.scores = zip(points, scores).filter { StudyView.contains($0.0) }.map(\.1)
    var problems: [String: Int] = [:]
    for (point, scores) in zip(view.points, self.scores) {
      problems[point.benchmark] = min(problems[point.benchmark] ?? .max, scores.count)
    }
    self.problems = problems
  }

  /// The six findings with intervals and verdicts.
  var findings: [StudyFinding] {
    let measured = StudyFindings(view).all
    var values = measured.map { $0.measures.map { _ in [Double]() } }
    var verdicts = measured.map { _ in [Bool]() }
    for draw in 0..<draws {
      for (place, test) in StudyFindings(view.with(accuracies(draw))).all.enumerated() {
        if let holds = test.holds { verdicts[place].append(holds) }
        for (index, measure) in measured[place].measures.enumerated() {
          if let same = test.measures.first(where: { $0.name == measure.name }) {
            values[place][index].append(same.value)
          }
        }
      }
    }
    return measured.enumerated().map { place, test in
      var test = test
      for index in test.measures.indices {
        test.measures[index].interval = Self.interval(values[place][index])
      }
      return Self.finding(test, verdicts[place])
    }
  }

  /// The finding of a test whose verdicts on the resamples are known: one that holds in nearly all of them, or in
  /// hardly any, is decided.
  private static func finding(_ test: StudyFindings.Test, _ verdicts: [Bool]) -> StudyFinding {
    guard test.holds != nil, !verdicts.isEmpty else { return test.finding }
    let support = Double(verdicts.count(where: \.self)) / Double(verdicts.count)
    return StudyFinding(
      number: test.number, claim: test.claim,
      verdict: support >= 0.975 ? .holds : support <= 0.025 ? .fails : .open, support: support,
      measures: test.measures, lack: test.lack)
  }

  /// The accuracy of every point on one resample.
  private func accuracies(_ draw: Int) -> [Double] {
    let counts = problems.reduce(into: [String: [Double]]()) { counts, benchmark in
      var generator = SplitMix64(
        state: SampleSeed.derive(
          run: 0, item: benchmark.key, sample: draw, purpose: "study resample"))
      var times = [Double](repeating: 0, count: benchmark.value)
      for _ in times { times[generator.next(below: benchmark.value)] += 1 }
      counts[benchmark.key] = times
    }
    return zip(view.points, scores).map { point, scores in
      let times = counts[point.benchmark] ?? []
      var sum = 0.0
      for (score, times) in zip(scores, times) { sum += score * times }
      return sum / Double(max(times.count, 1))
    }
  }

  /// The middle 95 % of some values; nil for none.
  private static func interval(_ values: [Double]) -> ClosedRange<Double>? {
    guard !values.isEmpty else { return nil }
    let sorted = values.sorted()
    let last = Double(sorted.count - 1)
    return sorted[Int((0.025 * last).rounded(.down))]...sorted[Int((0.975 * last).rounded(.up))]
  }
}
