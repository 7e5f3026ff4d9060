import Foundation

extension EvaluationRun {
  /// Grades the stored texts of a journal again, without generating anything.
  ///
  /// - Parameters:
  ///   - journal: A journal, complete or not.
  ///   - definition: The definition whose extraction and grading to use. Its prompt has no effect.
  ///   - url: The new journal; it may be the old one. It appears complete or not at all.
  /// - Returns: The results before and after.
  /// - Throws: ``EvaluationError`` when the journal is damaged, in use, or of another benchmark.
  public static func regrade(
    _ journal: URL, with definition: BenchmarkDefinition, into url: URL
  ) throws(EvaluationError) -> (before: Summary, after: Summary) {
    let before = try Summary(journal: journal)
    let lock = try LockedFile(journal)
    defer { withExtendedLifetime(lock) {} }
    guard before.scenario.benchmark == definition.name else {
      throw .notComparable(
        reason: "\(journal.path) is a run of \(before.scenario.benchmark), not \(definition.name)")
    }
    let scenario = before.scenario.regraded(with: definition)
    let header = JournalHeader(scenario: scenario, shard: before.shard)
    try JournalFile.replace(url) { file throws(EvaluationError) in
      try file.append(JournalFile.line(header, file: url.path))
      _ = try JournalIndex.read(journal) { record throws(EvaluationError) in
        let record = SampleRecord(
          item: record.item, index: record.index, sample: record.sample, seed: record.seed,
          order: record.order,
          key: scenario.grading.canonical(record.key) ?? record.key, response: record.response,
          extraction: scenario.extraction, grading: scenario.grading,
          fingerprint: header.fingerprint)
        try file.append(JournalFile.line(record, file: url.path))
      }
    }
    return (before, try Summary(journal: url))
  }
}
