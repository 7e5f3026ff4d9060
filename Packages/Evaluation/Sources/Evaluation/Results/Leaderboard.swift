import Foundation

/// Benchmarks whose scores are averaged, as a YAML file says.
public struct Leaderboard: Sendable, Hashable {
  /// What guessing scores.
  enum Chance: Sendable, Hashable {
    /// Nothing, or scores that are not normalised.
    case none
    /// The same everywhere.
    case share(Double)
    /// One over the number of the group's options, which the benchmark fixes.
    case options
    /// By how the groups' names begin.
    case groups([String: Double])
  }

  /// One benchmark of it.
  struct Member: Sendable, Hashable {
    let bench: String
    /// Scores whose mean is the benchmark's; empty for its main score.
    let scores: [String]
    let chance: Chance

    /// See ``Score/slope``.
    var slope: Double? {
      guard scores.isEmpty else { return nil }
      switch chance {
      case .none: return 1
      case .share(let share): return 1 / (1 - share)
      case .options, .groups: return nil
      }
    }
  }

  /// The short name.
  public let name: String
  /// What it is.
  public let title: String
  let members: [Member]

  /// The benchmarks, in order.
  public var benchmarks: [String] { members.map(\.bench) }

  /// Reads a definition.
  ///
  /// - Throws: ``EvaluationError`` naming the file, and the key that is unknown, missing or wrong.
  public init(contentsOf url: URL) throws(EvaluationError) {
    let bytes = try WholeFile.read(url, atMost: 1 << 20)
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw .file(path: url.path, reason: "is not UTF-8")
    }
    let top = try YAMLSection(text: text, file: url.path)
    try top.allow(["name", "title", "members"])
    name = try top.required("name", top.string("name"))
    title = try top.required("title", top.string("title"))
    var members: [Member] = []
    for section in try top.required("members", top.sections("members")) {
      members.append(try Member(section))
    }
    self.members = members
  }

  /// What a run of one of the benchmarks counts for.
  public struct Score: Sendable {
    /// The benchmark.
    public let bench: String
    /// The mean of its scores, 0 to 1.
    public let raw: Double
    /// The same counted from what guessing gives, 0 to 1; below that 0. Of groups with chances of
    /// their own the mean over groups.
    public let normalized: Double
    /// The standard errors of both; nil where a score has none. Scores of the same items are taken to
    /// err together, groups of items independently.
    public let errors: (raw: Double?, normalized: Double?)
    /// How much the normalised score changes where the run's main score does; nil where it is made of
    /// several scores, or of groups with chances of their own.
    let slope: Double?
  }

  /// The scores of runs; runs of other benchmarks are passed over, of one benchmark the last
  /// counts.
  ///
  /// - Parameters:
  ///   - summaries: Results of runs.
  ///   - catalog: Where fixed options of benchmarks are found.
  /// - Returns: One for each benchmark that a run is of, in the board's order.
  /// - Throws: ``EvaluationError`` for a run that lacks a score, or a group without a chance.
  public func scores(
    of summaries: [Summary], _ catalog: BenchmarkCatalog
  ) throws(EvaluationError) -> [Score] {
    var scores: [Score] = []
    for member in members {
      guard let summary = summaries.last(where: { $0.scenario.benchmark == member.bench }) else {
        continue
      }
      scores.append(try score(member, summary, catalog))
    }
    return scores
  }

  private func score(
    _ member: Member, _ summary: Summary, _ catalog: BenchmarkCatalog
  ) throws(EvaluationError) -> Score {
    var raw: [Estimate] = []
    for name in member.scores {
      guard let found = summary.scores?.first(where: { $0.name == name && $0.group == nil }) else {
        throw .notComparable(reason: "the run of \(member.bench) has no score '\(name)'")
      }
      raw.append(found.estimate)
    }
    if raw.isEmpty, let accuracy = summary.accuracy { raw = [accuracy] }
    guard !raw.isEmpty else {
      throw .notComparable(reason: "the run of \(member.bench) holds no replies")
    }
    let mean = raw.reduce(0) { $0 + $1.value } / Double(raw.count)
    let known = raw.compactMap(\.standardError)
    let error = known.count == raw.count ? known.reduce(0, +) / Double(raw.count) : nil
    let normalized: (value: Double, error: Double?)
    switch member.chance {
    case .none: normalized = (mean, error)
    case .share(let chance):
      normalized = (Self.normalized(mean, chance), error.map { $0 / (1 - chance) })
    case .groups(let chances):
      normalized = try byGroup(summary) { group in
        chances.first { group.hasPrefix($0.key) }?.value
      }
    case .options:
      let fixed = try catalog.definition(named: member.bench).choices?.fixed ?? [:]
      normalized = try byGroup(summary) { fixed[$0].map { 1 / Double($0.count) } }
    }
    return Score(
      bench: member.bench, raw: mean, normalized: normalized.value,
      errors: (error, normalized.error), slope: member.slope)
  }

  /// The mean over groups of their scores, each counted from its own chance.
  private func byGroup(
    _ summary: Summary, _ chance: (String) -> Double?
  ) throws(EvaluationError) -> (value: Double, error: Double?) {
    let main = summary.scenario.grading.mainScore
    var normalized: [Double] = []
    var variances: [Double] = []
    for score in summary.scores ?? [] where score.name == main {
      guard let group = score.group else { continue }
      guard let chance = chance(group) else {
        throw .notComparable(
          reason: "\(name) has no chance for group '\(group)' of \(summary.scenario.benchmark)")
      }
      normalized.append(Self.normalized(score.estimate.value, chance))
      if let error = score.estimate.standardError {
        variances.append(error * error / ((1 - chance) * (1 - chance)))
      }
    }
    guard !normalized.isEmpty else {
      throw .notComparable(reason: "the run of \(summary.scenario.benchmark) has no groups")
    }
    let count = Double(normalized.count)
    return (
      normalized.reduce(0, +) / count,
      variances.count == normalized.count ? variances.reduce(0, +).squareRoot() / count : nil
    )
  }

  /// A score counted from what guessing gives.
  static func normalized(_ score: Double, _ chance: Double) -> Double {
    max(0, (score - chance) / (1 - chance))
  }
}

extension Leaderboard.Member {
  fileprivate init(_ section: YAMLSection) throws(EvaluationError) {
    try section.allow(["bench", "scores", "chance", "chances"])
    bench = try section.required("bench", section.string("bench"))
    scores = try section.strings("scores") ?? []
    if let groups = try section.section("chances") {
      var chances: [String: Double] = [:]
      for key in groups.keys { chances[key] = try groups.number(key) }
      chance = .groups(chances)
    } else if try section.string("chance") == "options" {
      chance = .options
    } else if let share = try section.number("chance") {
      guard (0..<1).contains(share) else {
        throw section.error("chance", "is \(share); expected 0 or more and less than 1")
      }
      chance = .share(share)
    } else {
      chance = .none
    }
  }
}

extension BenchmarkCatalog {
  /// The names of the shipped leaderboards, in alphabetical order.
  public var leaderboards: [String] {
    let files = try? FileManager.default.contentsOfDirectory(atPath: boards.path)
    return (files ?? []).filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(5)) }.sorted()
  }

  /// A shipped leaderboard; nil for a name that is none.
  ///
  /// - Throws: ``EvaluationError`` where its definition is wrong.
  public func leaderboard(named name: String) throws(EvaluationError) -> Leaderboard? {
    guard leaderboards.contains(name) else { return nil }
    return try Leaderboard(contentsOf: boards.appending(path: "\(name).yaml"))
  }

  private var boards: URL { folder.appending(path: "leaderboards") }
}
