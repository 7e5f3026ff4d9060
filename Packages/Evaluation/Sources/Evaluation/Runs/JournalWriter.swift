import Foundation

/// Appends records to a journal that no other process may write meanwhile.
///
/// Every record is one line, written as a whole and then forced to the disk.
final class JournalWriter {
  /// What the journal held when it was opened.
  let existing: JournalIndex
  private let url: URL
  private let file: LockedFile
  private var length: UInt64

  /// Opens a journal, or begins one, and takes its lock.
  ///
  /// - Parameters:
  ///   - url: The file. Its folder has to exist.
  ///   - header: The run; a journal of another run is refused.
  ///   - damage: What to do about damaged lines.
  ///   - body: Called with each record that is already there.
  /// - Throws: ``EvaluationError``.
  init(
    _ url: URL, header: JournalHeader, damage: DamagePolicy,
    _ body: (SampleRecord) throws(EvaluationError) -> Void
  ) throws(EvaluationError) {
    var file = try LockedFile(url)
    let existing = try JournalIndex.read(url, damage: damage, body)
    if let found = existing.header { try Self.check(found, against: header, file: url.path) }
    if existing.hasGaps {
      try JournalFile.publish(existing.header ?? header, parts: [(url, existing)], to: url)
      file = try LockedFile(url)
    }
    let index = existing.hasGaps ? try JournalIndex.read(url) : existing
    self.url = url
    self.file = file
    self.existing = existing
    length = index.goodBytes
    try file.truncate(to: length)
    if index.header == nil {
      try append(header)
    } else if index.lacksLineFeed {
      try write(Data([10]))
    }
  }

  /// Adds one line.
  ///
  /// A line that cannot be written as a whole is taken back.
  func append(_ value: some Encodable) throws(EvaluationError) {
    try write(JournalFile.line(value, file: url.path))
  }

  /// Waits until all lines are on the disk.
  func save() throws(EvaluationError) { try file.save() }

  private func write(_ bytes: Data) throws(EvaluationError) {
    do throws(EvaluationError) { try file.append(bytes) } catch {
      try? file.truncate(to: length)
      throw error
    }
    length += UInt64(bytes.count)
  }

  /// Throws what is different where a journal belongs to another run.
  static func check(
    _ found: JournalHeader, against wanted: JournalHeader, file: String
  ) throws(EvaluationError) {
    var differences = found.scenario.differences(from: wanted.scenario)
    if found.shard != wanted.shard {
      differences.append("shard: \(found.shard), not \(wanted.shard)")
    }
    guard differences.isEmpty else { throw .otherRun(file: file, differences: differences) }
  }
}
