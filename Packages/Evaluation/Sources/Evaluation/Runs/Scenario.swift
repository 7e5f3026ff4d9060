import Foundation

/// Everything that decides the texts and scores of a run. Times and places are no part of it.
public struct Scenario: Sendable, Hashable, Codable {
  /// The benchmark's name.
  public let benchmark: String
  /// The version of its definition.
  public private(set) var version: Int
  /// SHA-256 of the parts of the definition that matter.
  public private(set) var definition: String
  /// SHA-256 of the benchmark's items.
  public let data: String
  /// How many items are asked: the first ones of the data.
  public let items: Int
  /// How many replies each item gets.
  public let samples: Int
  /// The seed of the run.
  public let seed: UInt64
  /// The steps that look for answers.
  public private(set) var extraction: [ExtractionStep]
  /// When an answer is right.
  public private(set) var grading: GradingRule
  /// The sampler's effective settings.
  public let sampling: Sampling
  /// How many tokens a reply may take.
  public private(set) var limits: TokenLimits
  /// What the app knows about the model: digest of the weights, formats of weights and KV cache,
  /// budget policy, template, program version and the like, by name. Names of digests end in
  /// `digest`; tables for readers leave these out.
  public let engine: [String: String]

  /// Describes a run of a benchmark.
  ///
  /// - Parameters:
  ///   - benchmark: What is asked.
  ///   - limit: Ask only this many items, or nil for all.
  ///   - samples: Replies per item, or nil for the benchmark's default; at most 1000.
  ///   - seed: The seed of the run.
  ///   - sampling: The effective settings.
  ///   - limits: The effective limits.
  ///   - engine: What else decides the texts, by name.
  /// - Throws: ``EvaluationError/setting(name:value:expected:)``.
  public init(
    _ benchmark: Benchmark, limit: Int? = nil, samples: Int? = nil, seed: UInt64,
    sampling: Sampling, limits: TokenLimits, engine: [String: String]
  ) throws(EvaluationError) {
    if let limit, limit < 1 {
      throw .setting(name: "limit", value: "\(limit)", expected: "1 or more")
    }
    let samples = samples ?? benchmark.definition.samples
    guard (1...Self.mostSamples).contains(samples) else {
      throw .setting(
        name: "samples", value: "\(samples)", expected: "1 to \(Self.mostSamples)")
    }
    self.benchmark = benchmark.definition.name
    self.version = benchmark.definition.version
    self.definition = benchmark.definition.digest
    self.data = benchmark.digest
    self.items = min(limit ?? .max, benchmark.items.count)
    self.samples = samples
    self.seed = seed
    self.extraction = benchmark.definition.extraction
    self.grading = benchmark.definition.grading
    self.sampling = sampling
    self.limits = limits
    self.engine = engine
  }

  /// The same run, graded by another version of its benchmark.
  func regraded(with definition: BenchmarkDefinition) -> Scenario {
    var scenario = self
    scenario.version = definition.version
    scenario.definition = definition.digest
    scenario.extraction = definition.extraction
    scenario.grading = definition.grading
    return scenario
  }

  /// The same run without its thinking budget: what the runs of a ``BudgetSweep`` have in common.
  var withoutBudget: Scenario {
    var scenario = self
    scenario.limits = limits.shortened(to: nil)
    return scenario
  }

  /// More replies per item would overflow the counts of subsets in the statistics.
  static let mostSamples = 1000

  /// SHA-256 over all of it, in hexadecimal. Only runs with one fingerprint belong together.
  public var fingerprint: String { CanonicalJSON.digest(of: self) }

  /// SHA-256 of a text in hexadecimal: stands in `engine` for a text too long to be listed.
  public static func digest(of text: String) -> String {
    CanonicalJSON.hexadecimalDigest(of: Array(text.utf8))
  }

  /// What differs from another scenario, as `name: this, not that`.
  public func differences(from other: Scenario) -> [String] {
    let (mine, theirs) = (facts, other.facts)
    return Set(mine.keys).union(theirs.keys).sorted().compactMap { name in
      let (here, there) = (mine[name] ?? "nothing", theirs[name] ?? "nothing")
      return here == there ? nil : "\(name): \(here), not \(there)"
    }
  }

  /// Every setting by name, as text.
  public var facts: [String: String] {
    var facts = [
      "benchmark": benchmark, "version": "\(version)", "definition": definition, "data": data,
      "items": "\(items)", "samples": "\(samples)", "seed": "\(seed)",
      "extraction": extraction.map(\.rawValue).joined(separator: ", "), "grading": "\(grading)",
      "token limit": "\(limits.tokens)",
    ]
    facts["thinking budget"] = limits.thinking.map { "\($0)" }
    facts["temperature"] = sampling.temperature.map { "\($0)" }
    facts["top-p"] = sampling.topP.map { "\($0)" }
    facts["top-k"] = sampling.topK.map { "\($0)" }
    facts["min-p"] = sampling.minP.map { "\($0)" }
    facts["penalties"] = sampling.penalties.map { "\($0)" }
    return facts.merging(engine.map { ("engine \($0.key)", $0.value) }) { first, _ in first }
  }
}
