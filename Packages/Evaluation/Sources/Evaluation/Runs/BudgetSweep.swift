import Foundation

/// Runs of a benchmark that differ in their thinking budget alone, computed together.
///
/// A responder that can branch generates each thought once, up to the longest budget, and answers
/// every smaller one on the way. Each run keeps its own journal, which is the one that it would
/// have alone, apart from times: a sweep can be stopped and continued, and its runs can be
/// continued one by one.
public struct BudgetSweep: Sendable {
  /// The runs.
  public let runs: [EvaluationRun]

  /// A sweep over runs.
  ///
  /// - Throws: ``EvaluationError/notComparable(reason:)`` for no runs, and for runs that differ in
  ///   more than budget and journal or share one of them.
  public init(_ runs: [EvaluationRun]) throws(EvaluationError) {
    guard let first = runs.first else { throw .notComparable(reason: "a sweep needs runs") }
    for run in runs.dropFirst() {
      let differences = run.scenario.withoutBudget.differences(from: first.scenario.withoutBudget)
      guard differences.isEmpty, run.shard == first.shard else {
        throw .notComparable(
          reason: "runs of a sweep may differ in their thinking budget only: "
            + (differences + (run.shard == first.shard ? [] : ["shard"])).joined(separator: "; "))
      }
    }
    let budgets = runs.compactMap(\.scenario.limits.thinking)
    guard runs.count == 1 || Set(budgets).count == runs.count else {
      throw .notComparable(reason: "every run of a sweep needs a thinking budget of its own")
    }
    guard Set(runs.map(\.journal.standardizedFileURL.path)).count == runs.count else {
      throw .notComparable(reason: "every run of a sweep needs a journal of its own")
    }
    self.runs = runs
  }

  /// A single run as a sweep.
  init(of run: EvaluationRun) { runs = [run] }

  /// Runs or continues until every reply of every run has a record.
  ///
  /// - Parameters:
  ///   - responder: Who answers.
  ///   - damage: What to do about damaged lines of existing journals.
  ///   - progress: Called at the start and after each record with sums over all runs; what it
  ///     throws ends the sweep.
  ///   - now: A clock in seconds, for progress.
  /// - Returns: The results of each run, computed from its journal alone, and what was left out of
  ///   that.
  /// - Throws: ``EvaluationError``, or whatever the responder or `progress` throws.
  public func run(
    with responder: some Responder, damage: DamagePolicy = .refuse,
    progress: (RunProgress) throws -> Void = { _ in },
    now: () -> Double = { ProcessInfo.processInfo.systemUptime }
  ) throws -> [(summary: Summary, notes: [String])] {
    let openRuns = try runs.map { run throws(EvaluationError) in try OpenRun(run, damage: damage) }
    let requests = requests(openRuns)
    let start = now()
    var fresh = 0
    func report() throws {
      try progress(
        RunProgress(
          done: openRuns.reduce(0) { $0 + $1.done }, total: openRuns.reduce(0) { $0 + $1.total },
          correct: openRuns.reduce(0) { $0 + $1.correct }, fresh: fresh, seconds: now() - start))
    }
    func append(_ graded: BackgroundGrading.Graded) throws {
      try openRuns.append(graded)
      fresh += 1
      try report()
    }
    try report()
    let grading = requests.isEmpty ? nil : runs[0].grading
    defer { grading?.end() }
    func take(_ request: SampleRequest, _ response: SampleResponse) throws {
      let budget = request.limits.thinking
      guard let index = runs.firstIndex(where: { $0.scenario.limits.thinking == budget }) else {
        throw EvaluationError.unexpectedResponse(item: request.item, sample: request.sample)
      }
      try openRuns[index].take(request, response)
      let run = runs[index]
      guard let grading else {
        return try append((index, .success(run.record(of: request, response))))
      }
      grading.add(index) { isWanted in
        Result { () throws(EvaluationError) in
          try run.record(of: request, response, isWanted: isWanted)
        }
      }
      while let graded = grading.next(leaving: BackgroundGrading.most) { try append(graded) }
    }
    do {
      if !requests.isEmpty { try responder.respond(to: requests, each: take) }
    } catch {
      // What is graded is not lost.
      while let graded = grading?.next(leaving: .max) { try openRuns.append(graded) }
      throw error
    }
    while let graded = grading?.next(leaving: 0) { try append(graded) }
    for run in openRuns { try run.save() }
    for run in openRuns { try run.checkComplete() }
    return try zip(runs, openRuns).map { run, open in
      try run.sortJournal()
      return (try Summary(journal: run.journal), open.notes)
    }
  }

  /// The results where nothing is left to do, for which no responder has to be made.
  ///
  /// - Returns: Nil where a reply has no record yet or a journal has to be mended, which `run`
  ///   does.
  /// - Throws: ``EvaluationError`` for journals that `run` would refuse.
  public func finished(
    damage: DamagePolicy = .refuse
  ) throws(EvaluationError) -> [(summary: Summary, notes: [String])]? {
    for run in runs {
      guard try run.isFinished(damage: damage) else { return nil }
    }
    return try runs.map { run throws(EvaluationError) in
      (try Summary(journal: run.journal), try JournalIndex.read(run.journal).notes)
    }
  }

  /// One request for each reply that any run lacks, at the longest budget that lacks it.
  private func requests(_ openRuns: [OpenRun]) -> [SampleRequest] {
    let longestFirst = openRuns.sorted {
      $0.run.scenario.limits.thinking ?? 0 > $1.run.scenario.limits.thinking ?? 0
    }
    let wanted = openRuns.reduce(into: Set<SampleID>()) { $0.formUnion($1.pending) }
    return wanted.sorted().compactMap { id in
      let lacking = longestFirst.filter { $0.pending.contains(id) }
      var request = lacking.first?.run.request(for: id)
      request?.budgets = lacking.dropFirst().compactMap(\.run.scenario.limits.thinking).reversed()
      return request
    }
  }
}

extension [OpenRun] {
  /// Records a reply to one of the runs.
  fileprivate func append(_ graded: BackgroundGrading.Graded) throws(EvaluationError) {
    try self[graded.run].append(graded.record.get())
  }
}

/// A run whose journal is open for writing.
private final class OpenRun {
  let run: EvaluationRun
  /// How many replies a complete journal has.
  let total: Int
  /// Replies without a record.
  private(set) var pending: Set<SampleID>
  /// Those of them that have come.
  private var taken: Set<SampleID> = []
  /// Right replies so far.
  private(set) var correct = 0
  private let writer: JournalWriter

  init(_ run: EvaluationRun, damage: DamagePolicy) throws(EvaluationError) {
    let header = JournalHeader(scenario: run.scenario, shard: run.shard)
    var correct = 0
    writer = try JournalWriter(run.journal, header: header, damage: damage) {
      correct += $0.correct ? 1 : 0
    }
    self.run = run
    self.correct = correct
    total = header.expectedCount
    pending = Set(header.expected).subtracting(writer.existing.entries.map(\.id))
  }

  /// What was left out of the journal.
  var notes: [String] { writer.existing.notes }
  /// Replies that have a record.
  var done: Int { total - pending.count }

  /// Takes a reply, whose record is to be appended.
  func take(_ request: SampleRequest, _ response: SampleResponse) throws(EvaluationError) {
    let id = SampleID(index: request.index, sample: request.sample)
    guard pending.contains(id), taken.insert(id).inserted else {
      throw .unexpectedResponse(item: request.item, sample: request.sample)
    }
    guard response.isPlausible else {
      throw .setting(
        name: "the reply to sample \(request.sample) of \(request.item)",
        value: "\(response.cost)", expected: "counts and times that are not negative")
    }
  }

  /// Records a reply that was taken.
  func append(_ record: SampleRecord) throws(EvaluationError) {
    try writer.append(record)
    pending.remove(SampleID(index: record.index, sample: record.sample))
    correct += record.correct ? 1 : 0
  }

  /// Waits until all records are on the disk.
  func save() throws(EvaluationError) { try writer.save() }

  /// Throws what is missing.
  func checkComplete() throws(EvaluationError) {
    guard !pending.isEmpty else { return }
    let examples = pending.sorted().prefix(3).map {
      "\(run.benchmark.items[$0.index].id)#\($0.sample)"
    }
    throw .samplesMissing(
      file: run.journal.path, count: pending.count, examples: Array(examples))
  }
}
