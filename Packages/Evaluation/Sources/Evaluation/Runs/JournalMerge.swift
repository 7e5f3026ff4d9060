import Foundation

extension EvaluationRun {
  /// Joins the journals of all shards into the journal of the undivided run.
  ///
  /// The lines of the shards are copied unchanged, in the order of items and samples, so the result
  /// has the bytes of an undivided run but for times.
  ///
  /// - Parameters:
  ///   - journals: One journal of each shard, in any order.
  ///   - url: The new journal. It appears complete or not at all.
  /// - Returns: The results of the whole run.
  /// - Throws: ``EvaluationError`` when a journal is damaged, belongs to another run, occurs twice,
  ///   or when replies are missing.
  @discardableResult
  public static func merge(
    _ journals: [URL], into url: URL
  ) throws(EvaluationError) -> Summary {
    guard !FileManager.default.fileExists(atPath: url.path) else {
      throw .file(path: url.path, reason: "exists")
    }
    var parts: [(url: URL, index: JournalIndex)] = []
    var header: JournalHeader?
    var places: [SampleID: URL] = [:]
    for journal in journals {
      let index = try JournalIndex.read(journal)
      let found = try index.header(of: journal)
      if let header, header.fingerprint != found.fingerprint {
        throw .otherRun(
          file: journal.path, differences: found.scenario.differences(from: header.scenario))
      }
      for entry in index.entries {
        if let other = places.updateValue(journal, forKey: entry.id) {
          throw .journalLine(
            file: journal.path, line: entry.line,
            reason: "repeats sample \(entry.id.sample) of item \(entry.id.index) of \(other.path)")
        }
      }
      header = JournalHeader(
        scenario: found.scenario, shard: .whole,
        format: min(found.format, header?.format ?? found.format))
      parts.append((journal, index))
    }
    guard let header else { throw .notComparable(reason: "there are no journals to merge") }
    guard places.count == header.expectedCount else {
      let missing = header.expected.lazy.filter { places[$0] == nil }.prefix(3)
      throw .samplesMissing(
        file: journals.map(\.path).joined(separator: " + "),
        count: header.expectedCount - places.count,
        examples: missing.map { "\($0.index)#\($0.sample)" })
    }
    try JournalFile.publish(header, parts: parts, to: url)
    return try Summary(journal: url)
  }
}
