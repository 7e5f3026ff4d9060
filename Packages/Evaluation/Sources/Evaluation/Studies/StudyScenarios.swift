import KVLayout
import MemoryPlanner

/// One point of a study: a configuration on a benchmark.
public struct StudyScenario: Sendable, Hashable {
  /// What is generated for it.
  public let source: StudyRun.Source
  /// Tokens of thought.
  public let budget: Int
  /// Samples that vote.
  public let samples: Int
}

/// What is generated at once: one model with one KV policy on one benchmark. Every thought serves
/// all budgets, and every reply all group sizes.
public struct StudyRun: Sendable, Hashable {
  /// What names a run.
  public struct Source: Sendable, Hashable {
    /// The benchmark.
    public let benchmark: String
    /// The model.
    public let model: String
    /// Bits of its weights.
    public let bits: Int
    /// The scheme of weights and activations; nil where weights alone are quantized, or nothing.
    public let scheme: WeightScheme?
    /// Its KV policy.
    public let kv: KVPolicy

    /// What became of the weights, for names: 4bit, or a scheme's.
    public var weights: String { scheme?.rawValue ?? "\(bits)bit" }
  }

  /// What names it.
  public let source: Source
  /// Thinking budgets, growing.
  public let budgets: [Int]
  /// Replies to each problem.
  public let replies: Int

  /// A name for files: letters, digits, '-', '=' and '.'.
  public var name: String {
    let model = source.model.split(separator: "/").last.map(String.init) ?? source.model
    let text = "\(source.benchmark)-\(model)-\(source.weights)-\(source.kv)"
    return String(
      text.map { $0.isASCII && ($0.isLetter || $0.isNumber || "-=.".contains($0)) ? $0 : "-" })
  }

  /// Tokens of thought that one reply takes, and those that it would take if every budget were run
  /// alone.
  public var tokens: (shared: Int, separate: Int) {
    (budgets.max() ?? 0, budgets.reduce(0, +))
  }
}

extension StudyDefinition {
  /// Every scenario once, in the order of the grids.
  public var scenarios: [StudyScenario] {
    var seen: Set<StudyScenario> = []
    return grids.flatMap { grid in
      grid.sources.flatMap { source in
        grid.budgets.flatMap { budget in
          grid.samples.map { StudyScenario(source: source, budget: budget, samples: $0) }
        }
      }
    }.filter { seen.insert($0).inserted }
  }

  /// How many scenarios there are, without making a list of them.
  public var scenarioCount: Int {
    var grids: [StudyRun.Source: [Grid]] = [:]
    for grid in self.grids {
      for source in grid.sources { grids[source, default: []].append(grid) }
    }
    return grids.values.reduce(0) { sum, grids in
      if grids.count == 1 { return sum + grids[0].budgets.count * grids[0].samples.count }
      var samples: [Int: Set<Int>] = [:]
      for grid in grids {
        for budget in grid.budgets { samples[budget, default: []].formUnion(grid.samples) }
      }
      return sum + samples.values.reduce(0) { $0 + $1.count }
    }
  }

  /// The fewest runs that answer all scenarios: grids that share a model, policy and benchmark
  /// share the run.
  public var runs: [StudyRun] {
    var order: [StudyRun.Source] = []
    var needs: [StudyRun.Source: (budgets: Set<Int>, replies: Int)] = [:]
    for grid in grids {
      for source in grid.sources {
        if needs[source] == nil { order.append(source) }
        let known = needs[source] ?? ([], 0)
        needs[source] = (known.budgets.union(grid.budgets), max(known.replies, grid.replies))
      }
    }
    return order.compactMap { source in
      needs[source].map {
        StudyRun(source: source, budgets: $0.budgets.sorted(), replies: $0.replies)
      }
    }
  }

  /// Tokens of thought for one problem of every benchmark: shared as the runs share them, and
  /// naively, every scenario with the replies of its own grid.
  public var tokensPerProblem: (shared: Int, naive: Int) {
    let shared = runs.reduce(0) { $0 + $1.tokens.shared * $1.replies }
    let naive = grids.reduce(0) { sum, grid in
      let tokens = grid.budgets.reduce(0, +) * grid.sources.count
      return sum + tokens * grid.samples.count * grid.replies
    }
    return (shared, naive)
  }
}

extension StudyDefinition.Grid {
  /// Every benchmark, model, precision and policy.
  var sources: [StudyRun.Source] {
    let weights: [(bits: Int, scheme: WeightScheme?)] =
      bits.map { ($0, nil) } + schemes.map { ($0.bits, $0) }
    return benchmarks.flatMap { benchmark in
      models.flatMap { model in
        weights.flatMap { weights in
          kv.map {
            StudyRun.Source(
              benchmark: benchmark, model: model, bits: weights.bits, scheme: weights.scheme,
              kv: $0)
          }
        }
      }
    }
  }
}
