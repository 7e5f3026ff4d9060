import Foundation
import MemoryPlanner

/// The journals of a study: where each lies, how far it is, and what it says.
public struct StudyJournals: Sendable {
  /// The study.
  public let definition: StudyDefinition
  /// The folder that holds the journals.
  public let folder: URL

  /// The journals of a study in a folder, which need not exist yet.
  public init(_ definition: StudyDefinition, in folder: URL) {
    self.definition = definition
    self.folder = folder
  }

  /// What `evaluate` is told as the journal of a run; it adds the budget to the name.
  public func base(of run: StudyRun) -> URL {
    folder.appendingPathComponent(run.name).appendingPathExtension("jsonl")
  }

  /// The journal of a run at one budget.
  public func journal(of run: StudyRun, budget: Int) -> URL {
    folder.appendingPathComponent("\(run.name)-\(budget)").appendingPathExtension("jsonl")
  }

  /// How far a run is.
  public struct Progress: Sendable, Hashable {
    /// Replies that have a record, over all budgets.
    public let done: Int
    /// Replies that there will be; nil before the first has said how many problems there are.
    public let total: Int?
    /// Seconds that the replies at the longest budget took together.
    public let seconds: Double

    /// Whether no reply is missing.
    public var isComplete: Bool { done == total }
    /// Whether nothing is left to do: a run that was stopped behind its last reply has yet to bring
    /// its records into their order and to store its result.
    public let isFinished: Bool
  }

  /// How far a run is.
  ///
  /// - Throws: ``EvaluationError`` for a damaged journal.
  public func progress(of run: StudyRun) throws(EvaluationError) -> Progress {
    var (done, expected, seconds, isFinished) = (0, Int?.none, 0.0, true)
    for budget in run.budgets {
      let file = journal(of: run, budget: budget)
      guard FileManager.default.fileExists(atPath: file.path) else {
        isFinished = false
        continue
      }
      let isLongest = budget == run.budgets.last
      let index = try JournalIndex.read(file) { record in
        if isLongest { seconds += record.response.cost.seconds }
      }
      done += index.count
      expected = index.header?.expectedCount ?? expected
      isFinished =
        isFinished && index.isInOrder && index.count == index.header?.expectedCount
        && FileManager.default.fileExists(atPath: EvaluationRun.resultFile(of: file).path)
    }
    return Progress(
      done: done, total: expected.map { $0 * run.budgets.count }, seconds: seconds,
      isFinished: isFinished)
  }

  /// Everything that complete journals say of the study.
  ///
  /// - Parameters:
  ///   - parameters: How many parameters a model has, by its name.
  ///   - times: Seconds that were measured by themselves, which take the place of the replies' own.
  /// - Returns: Points in the order of the study's scenarios; those of incomplete journals are left
  ///   out.
  /// - Throws: ``EvaluationError`` for a damaged journal, for one that was made with other
  ///   settings, and for a model that `parameters` lacks.
  public func results(
    parameters: [String: Int], times: StudyTimes? = nil
  ) throws(EvaluationError) -> StudyResults {
    let timed = Set(times?.runs.map(\.source) ?? [])
    let runs = definition.runs
    var outcomes: [StudyScenario: StudyPoint] = [:]
    var scores: [StudyScenario: [Double]] = [:]
    let wanted = Dictionary(grouping: definition.scenarios) {
      Place(source: $0.source, budget: $0.budget)
    }
    var check = SettingsCheck(definition)
    for run in runs {
      guard let count = parameters[run.source.model] else {
        throw .setting(
          name: "the parameters of \(run.source.model)", value: "unknown", expected: "their number")
      }
      for budget in run.budgets {
        let file = journal(of: run, budget: budget)
        guard FileManager.default.fileExists(atPath: file.path) else { continue }
        let (header, tally) = try Summary.read(file)
        try check.take(header.scenario, of: run, budget: budget, file: file)
        let items = tally.outcomes
        guard items.reduce(0, { $0 + $1.count }) == header.expectedCount else { continue }
        var measured = Measured(tally, items, header.scenario, run, parameters: count)
        if let times, timed.contains(run.source),
          let seconds = try times.seconds(of: run, budget: budget, beside: header.scenario)
        {
          measured.seconds = seconds
        }
        for scenario in wanted[Place(source: run.source, budget: budget)] ?? [] {
          let found = measured.scores(samples: scenario.samples)
          scores[scenario] = found
          outcomes[scenario] = measured.point(
            of: scenario, task: definition.tasks[run.source.benchmark] ?? .math, scores: found)
        }
      }
    }
    let scenarios = definition.scenarios
    let measured = scenarios.filter { outcomes[$0] != nil }
    let points = measured.compactMap { outcomes[$0] }
    var results = StudyResults(
      study: definition.name, title: definition.title, concurrency: definition.concurrency,
      scenarios: scenarios.count, points: points)
    results.findings =
      StudyResampling(points, scores: measured.map { scores[$0] ?? [] }).findings
    let rules = try ruleOutcomes(outcomes)
    if !rules.isEmpty { results.rules = rules }
    return results
  }
}

/// What one journal serves.
private struct Place: Hashable {
  let source: StudyRun.Source
  let budget: Int
}

/// Holds the journals of a study against each other: only its own axes may differ.
private struct SettingsCheck {
  private let definition: StudyDefinition
  private var first: [String: Scenario] = [:]
  private var digests: [String: String] = [:]

  init(_ definition: StudyDefinition) { self.definition = definition }

  mutating func take(
    _ scenario: Scenario, of run: StudyRun, budget: Int, file: URL
  ) throws(EvaluationError) {
    let expected: [(String, String, String?)] = [
      ("thinking budget", "\(budget)", scenario.limits.thinking.map { "\($0)" }),
      ("benchmark", run.source.benchmark, scenario.benchmark),
      ("replies", "\(run.replies)", "\(scenario.samples)"),
      ("seed", "\(definition.seed)", "\(scenario.seed)"),
      (
        "temperature",
        (definition.temperature ?? scenario.sampling.temperature).map { "\($0)" } ?? "none",
        scenario.sampling.temperature.map { "\($0)" } ?? "none"
      ),
      // A benchmark may have fewer problems than asked for, never more.
      (
        "problems", "\(min(definition.limit ?? .max, scenario.items))", "\(scenario.items)"
      ),
    ]
    var differences = expected.compactMap { name, wanted, found in
      wanted == found ? nil : "\(name): \(found ?? "none"), not \(wanted)"
    }
    let model = "\(run.source.model) at \(run.source.weights)"
    let digest = scenario.engine["weights digest"] ?? ""
    if let known = digests[model], known != digest {
      differences.append("the weights of \(model) changed between runs")
    }
    digests[model] = digest
    // Problems, seed, sampler and wording have to be the same in all runs of a benchmark.
    if let other = first[run.source.benchmark] {
      let mine = scenario.facts.filter { Self.isShared($0.key) }
      let theirs = other.facts.filter { Self.isShared($0.key) }
      for key in Set(mine.keys).union(theirs.keys).sorted() where mine[key] != theirs[key] {
        differences.append("\(key): \(mine[key] ?? "none"), not \(theirs[key] ?? "none")")
      }
    } else {
      first[run.source.benchmark] = scenario
    }
    if !differences.isEmpty { throw .otherRun(file: file.path, differences: differences) }
  }

  /// Settings that are no axis of a study.
  private static func isShared(_ key: String) -> Bool {
    let axes = ["thinking budget", "samples", "token limit"]
    return !axes.contains(key) && (!key.hasPrefix("engine ") || key == "engine forced")
  }
}

/// What one complete journal says.
private struct Measured {
  private let items: [ItemOutcomes]
  private let votes: [VoteCounts]
  private let tally: Tally
  private let replies: Int
  private let parameters: Int
  private let engine: [String: String]
  /// Of a reply.
  var seconds: Double

  init(
    _ tally: Tally, _ items: [ItemOutcomes], _ scenario: Scenario, _ run: StudyRun,
    parameters: Int
  ) {
    self.tally = tally
    self.items = items
    votes = items.map { VoteCounts($0, grading: scenario.grading) }
    replies = items.reduce(0) { $0 + $1.count }
    self.parameters = parameters
    engine = scenario.engine
    seconds = tally.cost.seconds / Double(max(replies, 1))
  }

  /// By problem, the share of right replies, or what a vote of so many is expected to score.
  func scores(samples: Int) -> [Double] {
    samples == 1
      ? items.map(\.mean) : votes.map { MajorityVote.expectedCredit($0, size: samples) }
  }

  func point(of scenario: StudyScenario, task: TaskKind, scores: [Double]) -> StudyPoint? {
    guard let estimate = Estimate(itemMeans: scores), replies > 0 else { return nil }
    return StudyPoint(
      benchmark: scenario.source.benchmark, task: task, model: scenario.source.model,
      parameters: parameters, bits: scenario.source.bits, kv: "\(scenario.source.kv)",
      thinkBudget: scenario.budget, samples: scenario.samples,
      accuracy: min(max(estimate.value, 0), 1), standardError: estimate.standardError,
      replies: replies, weightsBytes: Int(tally.cost.weightsBytes ?? 0),
      kvBytes: Int(tally.cost.kvBytes ?? 0) * scenario.samples,
      seconds: seconds,
      tokens: Double(tally.tokens.generated + tally.tokens.injected) / Double(replies),
      numerics: engine["numerics"] ?? "exact", scheme: scenario.source.scheme?.rawValue,
      headBits: engine["head bits"] ?? "16")
  }
}
