import Foundation

extension EvaluationRun {
  /// The name of the benchmark that a journal is a run of, whether or not replies were edited.
  ///
  /// - Throws: ``EvaluationError`` when the journal is damaged or in use.
  public static func benchmarkName(of journal: URL) throws(EvaluationError) -> String {
    try Summary(journal: journal, allowsEdits: true).scenario.benchmark
  }

  /// Grades the texts of a journal again as they stand there, without generating anything. Replies
  /// that were edited since they were recorded are graded too, and counted in a note.
  ///
  /// - Parameters:
  ///   - journal: A journal, complete or not.
  ///   - definition: The definition whose extraction and grading to use. Its prompt has no effect.
  ///   - url: The new journal; it may be the old one. It appears complete or not at all.
  ///   - note: Told what a reader of the results has to know.
  /// - Returns: The results before and after.
  /// - Throws: ``EvaluationError`` when the journal is damaged, in use, or of another benchmark.
  public static func regrade(
    _ journal: URL, with definition: BenchmarkDefinition, into url: URL,
    note: (String) -> Void = { _ in }
  ) throws(EvaluationError) -> (before: Summary, after: Summary) {
    let before = try Summary(journal: journal, allowsEdits: true)
    let lock = try LockedFile(journal)
    defer { withExtendedLifetime(lock) {} }
    guard before.scenario.benchmark == definition.name else {
      throw .notComparable(
        reason: "\(journal.path) is a run of \(before.scenario.benchmark), not \(definition.name)")
    }
    guard !definition.grading.runsPrograms else {
      throw .notComparable(
        reason: "\(journal.path) holds programs, which are run when they come and not again")
    }
    let scenario = before.scenario.regraded(with: definition)
    let header = JournalHeader(scenario: scenario, shard: before.shard)
    try JournalFile.replace(url) { file throws(EvaluationError) in
      try file.append(JournalFile.line(header, file: url.path))
      let index = try JournalIndex.read(journal, allowsEdits: true) {
        record throws(EvaluationError) in
        let key = scenario.grading.canonical(record.key) ?? record.key
        let record = SampleRecord(
          item: record.item, index: record.index, sample: record.sample, seed: record.seed,
          order: record.order,
          key: key, group: record.group, response: record.response,
          grade: scenario.grading.grade(record.response, key: key, steps: scenario.extraction),
          fingerprint: header.fingerprint)
        try file.append(JournalFile.line(record, file: url.path))
      }
      if index.edited > 0 {
        note(
          "\(index.edited) replies were edited since they were recorded; they are graded as they stand"
        )
      }
    }
    return (before, try Summary(journal: url))
  }
}
