import Foundation

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

  /// Describes a run; nothing is read or written yet.
  ///
  /// - Throws: ``EvaluationError/otherRun(file:differences:)`` when the scenario was made for
  ///   another benchmark.
  public init(
    benchmark: Benchmark, scenario: Scenario, shard: Shard = .whole, journal: URL
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
  }

  /// The request for one reply, whose index must be that of an item of the benchmark.
  public func request(for id: SampleID) -> SampleRequest {
    let item = benchmark.items[id.index]
    let order = benchmark.choiceOrder(of: item, sample: id.sample, seed: scenario.seed)
    return SampleRequest(
      item: item.id, index: id.index, sample: id.sample,
      prompt: benchmark.definition.prompt.render(
        question: item.question, choices: order.map { item.choices[$0] }),
      seed: SampleSeed.derive(
        run: scenario.seed, item: item.id, sample: id.sample, purpose: "reply"),
      sampling: scenario.sampling, limits: scenario.limits)
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
    let header = JournalHeader(scenario: scenario, shard: shard)
    var correct = 0
    let writer = try JournalWriter(journal, header: header, damage: damage) {
      correct += $0.correct ? 1 : 0
    }
    let expected = Array(header.expected)
    let done = Set(writer.existing.entries.map(\.id))
    var pending = Set(expected).subtracting(done)
    let requests = expected.filter(pending.contains).map(request)
    let start = now()
    func report() throws {
      let fresh = requests.count - pending.count
      try progress(
        RunProgress(
          done: done.count + fresh, total: expected.count, correct: correct, fresh: fresh,
          seconds: now() - start))
    }
    try report()
    if !requests.isEmpty {
      try responder.respond(to: requests) { request, response in
        let id = SampleID(index: request.index, sample: request.sample)
        guard pending.remove(id) != nil else {
          throw EvaluationError.unexpectedResponse(item: request.item, sample: request.sample)
        }
        guard response.isPlausible else {
          throw EvaluationError.setting(
            name: "the reply to sample \(request.sample) of \(request.item)",
            value: "\(response.cost)",
            expected: "counts and times that are not negative")
        }
        let record = record(of: request, response)
        try writer.append(record)
        correct += record.correct ? 1 : 0
        try report()
      }
    }
    try writer.save()
    guard pending.isEmpty else { throw missing(pending) }
    try sortJournal(header)
    return (try Summary(journal: journal), writer.existing.notes)
  }

  private func record(of request: SampleRequest, _ response: SampleResponse) -> SampleRecord {
    let item = benchmark.items[request.index]
    let order = benchmark.choiceOrder(of: item, sample: request.sample, seed: scenario.seed)
    return SampleRecord(
      item: item.id, index: request.index, sample: request.sample, seed: request.seed,
      order: order.isEmpty ? nil : order, key: benchmark.key(of: item, order: order),
      response: response, extraction: scenario.extraction, grading: scenario.grading)
  }

  private func missing(_ pending: Set<SampleID>) -> EvaluationError {
    let examples = pending.sorted().prefix(3).map { "\(benchmark.items[$0.index].id)#\($0.sample)" }
    return .samplesMissing(file: journal.path, count: pending.count, examples: Array(examples))
  }

  /// Brings the records of a complete journal into their order.
  private func sortJournal(_ header: JournalHeader) throws(EvaluationError) {
    let index = try JournalIndex.read(journal)
    let ids = index.entries.map(\.id)
    if zip(ids, ids.dropFirst()).allSatisfy({ $0 < $1 }) { return }
    try JournalFile.publish(header, parts: [(journal, index)], to: journal)
  }
}
