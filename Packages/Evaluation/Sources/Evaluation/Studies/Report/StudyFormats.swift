import MemoryPlanner

/// Which format of weights and activations serves best: every one that a study has, at its longest
/// thinking budget, with one sample and the whole cache.
struct StudyFormats {
  /// One format of one model on one benchmark.
  struct Row {
    let benchmark: String
    let model: String
    /// A scheme's name, or bits of the weights.
    let form: String
    /// Share of right answers.
    let accuracy: Double
    let standardError: Double?
    /// Weights and cache.
    let bytes: Int
    /// Of one reply among those that were decoded together.
    let tokensPerSecond: Double
  }

  /// All of them; none where the study has no scheme.
  let rows: [Row]
  private let concurrency: Int

  init(_ results: StudyResults) {
    concurrency = results.concurrency
    let points = results.points.filter { $0.samples == 1 && $0.cache == .whole }
    // Benchmarks and models for which there is a scheme to compare.
    func place(_ point: StudyPoint) -> String { "\(point.benchmark) \(point.model)" }
    let compared = Set(points.filter { $0.scheme != nil }.map(place))
    var longest: [String: Int] = [:]
    for point in points {
      longest[place(point)] = max(longest[place(point)] ?? 0, point.thinkBudget)
    }
    rows = points.filter { compared.contains(place($0)) && $0.thinkBudget == longest[place($0)] }
      .map {
        Row(
          benchmark: $0.benchmark, model: $0.model, form: $0.form, accuracy: $0.accuracy,
          standardError: $0.standardError, bytes: $0.totalBytes,
          tokensPerSecond: $0.seconds > 0 ? $0.tokens / $0.seconds : 0)
      }
  }

  /// The formats that are fastest and smallest among those that answer as well as the best of their
  /// model, within two standard errors of the difference.
  var answer: String {
    var fastest: [String: Int] = [:]
    var smallest: [String: Int] = [:]
    let groups = Dictionary(grouping: rows) { "\($0.benchmark) \($0.model)" }
    for group in groups.values {
      guard let best = group.max(by: { $0.accuracy < $1.accuracy }) else { continue }
      let good = group.filter { row in
        let (a, b) = (row.standardError ?? 0, best.standardError ?? 0)
        return best.accuracy - row.accuracy <= 2 * (a * a + b * b).squareRoot()
      }
      if let quick = good.max(by: { $0.tokensPerSecond < $1.tokensPerSecond }) {
        fastest[quick.form, default: 0] += 1
      }
      if let small = good.min(by: { $0.bytes < $1.bytes }) { smallest[small.form, default: 0] += 1 }
    }
    func list(_ counts: [String: Int]) -> String {
      counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        .map { "\($0.key) (\($0.value) of \(groups.count))" }.joined(separator: ", ")
    }
    let together =
      concurrency == 1
      ? "one reply at a time, which is latency"
      : "\(concurrency) replies together, which is throughput; a study of concurrency 1 answers for latency"
    return
      "Among formats that answer as well as the best of their model within two standard errors, the fastest is "
      + "\(list(fastest)), the smallest \(list(smallest)). Measured with \(together)."
  }
}
