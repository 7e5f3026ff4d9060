import Foundation
import SystemCalls

/// Runs a benchmark: asks for every reply that the journal lacks, grades it and records it.
///
/// A run can be stopped at any moment, even by kill -9, and continued with the same call: replies
/// with a record are not generated again, others are, from the same seeds. A finished journal is
/// sorted by item and sample, so that it does not depend on the order in which replies came.
public struct EvaluationRun: Sendable {
  /// What is asked.
  public let benchmark: Benchmark
  /// The settings.
  public let scenario: Scenario
  /// The part of the run that is computed here.
  public let shard: Shard
  /// The file with the records.
  public let journal: URL
  /// Where replies that are programs are run.
  public let sandbox: Sandbox?

  /// Describes a run; nothing is read or written yet.
  ///
  /// - Throws: ``EvaluationError/otherRun(file:differences:)`` when the scenario was made for
  ///   another benchmark.
  public init(
    benchmark: Benchmark, scenario: Scenario, shard: Shard = .whole, journal: URL,
    sandbox: Sandbox? = nil
  ) throws(EvaluationError) {
    guard scenario.data == benchmark.digest, scenario.definition == benchmark.definition.digest
    else {
      throw .otherRun(
        file: journal.path,
        differences: ["the scenario is of \(scenario.benchmark) with other data or definition"])
    }
    self.benchmark = benchmark
    self.scenario = scenario
    self.shard = shard
    self.journal = journal
    self.sandbox = sandbox
  }

  /// The file beside a journal in which the results of its run are stored.
  public static func resultFile(of journal: URL) -> URL {
    journal.deletingPathExtension().appendingPathExtension("result.json")
  }

  /// Whether the journal is there and belongs to this run. What is wrong with it is said when it is
  /// run.
  public var isBegun: Bool {
    guard access(journal.path, F_OK) == 0,
      let header = (try? JournalIndex.read(journal, damage: .drop, allowsEdits: true))?.header
    else { return false }
    return header.scenario == scenario
  }

  /// The request for one reply, whose index must be that of an item of the benchmark.
  public func request(for id: SampleID) -> SampleRequest {
    let item = benchmark.items[id.index]
    let order = benchmark.choiceOrder(of: item, sample: id.sample, seed: scenario.seed)
    func seed(_ sample: Int) -> UInt64 {
      SampleSeed.derive(run: scenario.seed, item: item.id, sample: sample, purpose: "reply")
    }
    var request = SampleRequest(
      id: id, of: item.id, question: benchmark.question(id.index, order: order),
      seed: seed(id.sample), sampling: scenario.sampling, limits: scenario.limits)
    request.itemSeed = seed(0)
    return request
  }

  /// Runs or continues until every reply has a record.
  ///
  /// - Parameters:
  ///   - responder: Who answers.
  ///   - damage: What to do about damaged lines of an existing journal.
  ///   - progress: Called at the start and after each record; what it throws ends the run.
  ///   - now: A clock in seconds, for progress.
  /// - Returns: The results, computed from the journal alone, and what was left out of it.
  /// - Throws: ``EvaluationError``, or whatever the responder or `progress` throws.
  public func run(
    with responder: some Responder, damage: DamagePolicy = .refuse,
    progress: (RunProgress) throws -> Void = { _ in },
    now: () -> Double = { ProcessInfo.processInfo.systemUptime }
  ) throws -> (summary: Summary, notes: [String]) {
    let results = try BudgetSweep(of: self).run(
      with: responder, damage: damage, progress: progress, now: now)
    return results[0]
  }

  /// What grades replies beside the model; nil where that takes no time.
  var grading: BackgroundGrading? {
    guard scenario.grading.runsPrograms, let sandbox else { return nil }
    return BackgroundGrading(threads: sandbox.runsTogether)
  }

  /// A reply with its grade; a program is ended where it is no longer wanted.
  func record(
    of request: SampleRequest, _ response: SampleResponse,
    isWanted: @Sendable () -> Bool = { true }
  ) throws(EvaluationError) -> SampleRecord {
    let item = benchmark.items[request.index]
    let order = benchmark.choiceOrder(of: item, sample: request.sample, seed: scenario.seed)
    let key = benchmark.key(of: item, order: order)
    let grade = try scenario.grading.grade(
      response, key: key, steps: scenario.extraction, in: sandbox, isWanted: isWanted)
    return SampleRecord(
      item: item.id, index: request.index, sample: request.sample, seed: request.seed,
      order: order.isEmpty ? nil : order,
      key: scenario.grading.runsPrograms ? ProgramTest.recorded(key) : key, group: item.group,
      response: response, grade: grade, fingerprint: scenario.fingerprint)
  }

  /// Whether the journal is whole, complete and in order.
  func isFinished(damage: DamagePolicy) throws(EvaluationError) -> Bool {
    let path = journal.path
    do throws(FileError) {
      guard case .file = try OutputPlace(path) else {
        throw FileError(path: path, action: "opening", reason: "it is no regular file")
      }
    } catch {
      throw .file(path: path, reason: "cannot be opened for writing: \(error.reason)")
    }
    guard access(path, F_OK) == 0 else { return false }
    let index = try JournalIndex.read(journal, damage: damage)
    guard let found = index.header else { return false }
    let header = JournalHeader(scenario: scenario, shard: shard)
    try JournalWriter.check(found, against: header, file: journal.path)
    return index.leftOut.isEmpty && !index.lacksLineFeed
      && index.entries.map(\.id).elementsEqual(header.expected)
  }

  /// Brings the records of a complete journal into their order.
  func sortJournal() throws(EvaluationError) {
    let index = try JournalIndex.read(journal)
    guard let header = index.header, !index.isInOrder else { return }
    try JournalFile.publish(header, parts: [(journal, index)], to: journal)
  }
}
