import Foundation
import KVLayout
import MemoryPlanner

/// What a study asks: grids over models, weight bits, KV policies, thinking budgets and votes.
public struct StudyDefinition: Sendable, Hashable {
  /// One grid: every combination of its lists.
  public struct Grid: Sendable, Hashable {
    /// Benchmarks by name.
    public let benchmarks: [String]
    /// Models by name or folder.
    public let models: [String]
    /// Bits of the weights; 16 is the model as it is.
    public let bits: [Int]
    /// Schemes of weights and activations beside them.
    public let schemes: [WeightScheme]
    /// KV policies.
    public let kv: [KVPolicy]
    /// Thinking budgets, in tokens.
    public let budgets: [Int]
    /// Group sizes.
    public let samples: [Int]
    /// Replies to each problem, from which the scores of all group sizes are computed.
    public let replies: Int
  }

  /// Its name, which is that of its folder too.
  public let name: String
  /// A line for the report.
  public let title: String
  /// What each benchmark asks.
  public let tasks: [String: TaskKind]
  /// How weights are quantized: `gptq`, `hqq` or `rtn`.
  public let method: String
  /// Inputs that share a scale.
  public let groupSize: Int
  /// Problems of each benchmark; nil for all.
  public let limit: Int?
  /// The seed of all runs.
  public let seed: UInt64
  /// Replies generated together.
  public let concurrency: Int
  /// Temperature of the sampler; nil for the models' own.
  public let temperature: Double?
  /// How weights meet activations, as `--numerics` has it; nil for the default of each format.
  public let numerics: String?
  /// How the output head is held, as `--head-bits` has it; nil for the default of each format.
  public let headBits: String?
  /// Rules that end votes, whose savings are worked out from the replies; needs no further run.
  public let voteRules: [VoteRule]
  /// Rules that end thoughts, likewise.
  public let thoughtRules: [StableAnswer]
  /// The grids.
  public let grids: [Grid]
}

extension StudyDefinition {
  /// Reads a study from its file.
  ///
  /// - Parameters:
  ///   - url: A YAML file of at most 1 MiB.
  ///   - evictions: What its KV policies may name.
  /// - Throws: ``EvaluationError`` naming the file, and the key that is unknown, missing or wrong.
  public init(
    contentsOf url: URL, evictions: EvictionCatalog = .standard
  ) throws(EvaluationError) {
    guard let text = String(validating: try WholeFile.read(url, atMost: 1 << 20), as: UTF8.self)
    else { throw .file(path: url.path, reason: "is not UTF-8") }
    try self.init(yaml: text, file: url.path, evictions: evictions)
  }

  /// Reads a study from a text; errors name `file`.
  ///
  /// - Throws: ``EvaluationError`` naming the key that is unknown, missing or wrong.
  public init(
    yaml: String, file: String, evictions: EvictionCatalog = .standard
  ) throws(EvaluationError) {
    let top = try YAMLSection(text: yaml, file: file)
    try top.allow([
      "name", "title", "tasks", "weights", "limit", "seed", "concurrency", "temperature",
      "numerics", "head-bits", "rules", "grids",
    ])
    name = try top.required("name", top.string("name"))
    guard name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) }),
      !name.hasPrefix(".")
    else { throw top.error("name", "may only hold letters, digits, '-', '_' and '.'") }
    title = try top.required("title", top.string("title"))
    let tasks = try top.required("tasks", top.section("tasks"))
    var kinds: [String: TaskKind] = [:]
    for benchmark in tasks.keys {
      kinds[benchmark] = try tasks.word(benchmark, TaskKind.self)
    }
    self.tasks = kinds
    let weights = try top.section("weights")
    try weights?.allow(["method", "group-size"])
    method = try weights?.string("method") ?? "gptq"
    groupSize = try weights?.whole("group-size", in: 1...65_536) ?? 128
    limit = try top.whole("limit", in: 1...100_000_000)
    seed = UInt64(try top.whole("seed", in: 0...Int.max) ?? 0)
    concurrency = try top.whole("concurrency", in: 1...4096) ?? 16
    temperature = try top.number("temperature")
    numerics = try top.string("numerics")
    headBits = try top.string("head-bits")
    var (votes, thoughts): ([VoteRule], [StableAnswer]) = ([], [])
    for text in try top.strings("rules") == nil ? [] : top.distinct("rules") {
      if let rule = VoteRule(parsing: text), rule != .all {
        votes.append(rule)
      } else if let rule = StableAnswer(parsing: text) {
        thoughts.append(rule)
      } else {
        throw top.error("rules", "holds '\(text)'; expected decided, beta:0.95 or stable:4")
      }
    }
    (voteRules, thoughtRules) = (votes, thoughts)
    var grids: [Grid] = []
    for section in try top.required("grids", top.sections("grids")) {
      grids.append(try Grid(section, tasks: kinds, evictions))
    }
    self.grids = grids
    let count = grids.reduce(0) { $0 + $1.count }
    guard count <= Self.mostScenarios else {
      throw top.error("grids", "hold \(count) scenarios; expected at most \(Self.mostScenarios)")
    }
  }

  /// More scenarios are a mistake.
  private static let mostScenarios = 1_000_000
}

extension StudyDefinition.Grid {
  fileprivate init(
    _ section: YAMLSection, tasks: [String: TaskKind], _ evictions: EvictionCatalog
  ) throws(EvaluationError) {
    try section.allow([
      "benchmarks", "models", "bits", "schemes", "kv", "budgets", "samples", "replies",
    ])
    benchmarks = try section.distinct("benchmarks")
    for benchmark in benchmarks where tasks[benchmark] == nil {
      throw section.error(
        "benchmarks",
        "names \(benchmark), of which 'tasks' does not say whether it is math or knowledge")
    }
    models = try section.distinct("models")
    bits = try section.numbers("bits", among: WeightPrecision.knownBits)
    var schemes: [WeightScheme] = []
    for text in try section.strings("schemes") == nil ? [] : section.distinct("schemes") {
      guard let scheme = WeightScheme(rawValue: text) else {
        let known = WeightScheme.allCases.map(\.rawValue).joined(separator: ", ")
        throw section.error("schemes", "holds '\(text)'; expected \(known)")
      }
      schemes.append(scheme)
    }
    self.schemes = schemes
    var policies: [KVPolicy] = []
    for text in try section.distinct("kv") {
      do { policies.append(try KVPolicy(parsing: text, evictions: evictions)) } catch {
        throw section.error("kv", "\(error)")
      }
    }
    kv = policies
    budgets = try section.numbers("budgets", in: 1...1 << 30)
    samples = try section.numbers("samples", in: 1...Scenario.mostSamples)
    let most = samples.max() ?? 1
    replies = try section.whole("replies", in: 1...Scenario.mostSamples) ?? most
    guard replies >= most else {
      throw section.error("replies", "is \(replies); groups of \(most) need as many at least")
    }
  }

  /// How many scenarios the grid has.
  fileprivate var count: Int {
    [
      benchmarks.count, models.count, bits.count + schemes.count, kv.count, budgets.count,
      samples.count,
    ]
    .reduce(1) { $0.multipliedReportingOverflow(by: $1).overflow ? .max : $0 * $1 }
  }
}

extension YAMLSection {
  /// An integer within bounds, or nil when the key is absent.
  fileprivate func whole(_ key: String, in range: ClosedRange<Int>) throws(EvaluationError) -> Int?
  {
    guard let value = try integer(key) else { return nil }
    guard range.contains(value) else {
      throw error(key, "is \(value); expected \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }

  /// A list that must be there, of different texts.
  fileprivate func distinct(_ key: String) throws(EvaluationError) -> [String] {
    let texts = try required(key, strings(key))
    var seen: Set<String> = []
    for text in texts where !seen.insert(text).inserted {
      throw error(key, "holds \(text) twice")
    }
    return texts
  }

  /// A list that must be there, of different integers within bounds.
  fileprivate func numbers(
    _ key: String, in range: ClosedRange<Int> = 0...Int.max, among known: [Int]? = nil
  ) throws(EvaluationError) -> [Int] {
    var values: [Int] = []
    var seen: Set<Int> = []
    for text in try distinct(key) {
      let expected =
        known.map { "one of \($0.map(String.init).joined(separator: ", "))" }
        ?? "\(range.lowerBound) to \(range.upperBound)"
      guard let value = Int(text), range.contains(value), known?.contains(value) ?? true,
        seen.insert(value).inserted
      else { throw error(key, "holds '\(text)'; expected \(expected)") }
      values.append(value)
    }
    return values
  }
}
