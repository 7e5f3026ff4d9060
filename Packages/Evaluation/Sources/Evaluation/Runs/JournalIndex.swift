import Foundation

/// What to do about a damaged line that is not the last.
public enum DamagePolicy: Sendable, Hashable {
  /// Stop with an error that names the line.
  case refuse
  /// Leave the line out, with a note; its reply is generated again when the run continues.
  case drop
  /// Leave out replies that could not be had, which are then asked for again; stop at damage.
  case dropFailed
}

/// A journal as it was read, without the texts.
public struct JournalIndex: Sendable {
  /// Where a record stands in the file.
  struct Entry: Sendable {
    let id: SampleID
    let line: Int
    let offset: UInt64
    let count: Int
  }

  /// The run; nil for an empty file or one whose first line was torn.
  public let header: JournalHeader?
  /// The records in the order of the file.
  let entries: [Entry]
  /// What had to be left out.
  let leftOut: [String]
  /// How many records have no digest, so that nothing tells whether they were edited.
  let undigested: Int
  /// How many records no longer have the digest that they state, where such are read.
  let edited: Int
  /// Where the last good line ends, line feed included, in bytes.
  let goodBytes: UInt64
  /// Whether a line in the middle was left out.
  let hasGaps: Bool
  /// Whether the last good line lacks its line feed.
  let lacksLineFeed: Bool

  /// How many replies have a record.
  public var count: Int { entries.count }

  /// Whether the records stand in the order of items and samples, as those of a finished run do.
  var isInOrder: Bool { zip(entries, entries.dropFirst()).allSatisfy { $0.id < $1.id } }

  /// What a reader of the results has to know: what had to be left out, and what cannot be checked.
  public var notes: [String] {
    guard undigested > 0 else { return leftOut }
    return leftOut + [
      "\(undigested) replies were recorded without a digest, by an earlier version: nothing tells whether they were edited"
    ]
  }

  /// The run, for those who can do nothing without.
  ///
  /// - Parameter url: The file that was read.
  /// - Returns: Its header.
  /// - Throws: ``EvaluationError/journalLine(file:line:reason:)`` where it has no header.
  func header(of url: URL) throws(EvaluationError) -> JournalHeader {
    guard let header else {
      throw .journalLine(file: url.path, line: 1, reason: "has no header")
    }
    return header
  }

  /// Reads a journal and checks every line.
  ///
  /// A last line without line feed that is no JSON was torn by a crash and is left out. Memory: the
  /// longest line, and a few words per record.
  ///
  /// - Parameters:
  ///   - url: The file.
  ///   - damage: What to do about other damaged lines.
  ///   - allowsEdits: Whether records that were edited are read, and counted, instead of refused.
  ///   - body: Called with each record, in the order of the file.
  /// - Returns: Where the records stand, and what was left out.
  /// - Throws: ``EvaluationError`` naming file and line, or what `body` throws.
  public static func read(
    _ url: URL, damage: DamagePolicy = .refuse, allowsEdits: Bool = false,
    _ body: (SampleRecord) throws(EvaluationError) -> Void = { _ in }
  ) throws(EvaluationError) -> JournalIndex {
    var reader = try LineReader(url)
    var header: JournalHeader?
    var entries: [Entry] = []
    var lines: [SampleID: Int] = [:]
    var notes: [String] = []
    var goodBytes: UInt64 = 0
    var (undigested, edited, failed) = (0, 0, 0)
    var (hasGaps, lacksLineFeed) = (false, false)
    while let line = try reader.next() {
      if line.bytes.allSatisfy(\.isBlank), line.isTerminated {
        goodBytes = line.offset + UInt64(line.bytes.count) + 1
        continue
      }
      do throws(EvaluationError) {
        if let header {
          let record = try record(in: line, header: header, file: url.path)
          if damage == .dropFailed, record.response.finish == .failed {
            failed += 1
            goodBytes = line.offset + UInt64(line.bytes.count) + (line.isTerminated ? 1 : 0)
            continue
          }
          if let digest = record.digest, digest != record.digest(in: header.fingerprint) {
            guard allowsEdits else {
              throw .journalLine(
                file: url.path, line: line.number,
                reason: "was edited: it is not what its digest \(digest) was made of")
            }
            edited += 1
          }
          if let earlier = lines.updateValue(line.number, forKey: record.id) {
            throw .journalLine(
              file: url.path, line: line.number,
              reason: "repeats sample \(record.sample) of \(record.item) of line \(earlier)")
          }
          if record.digest == nil { undigested += 1 }
          try body(record)
          entries.append(
            Entry(
              id: record.id, line: line.number, offset: line.offset, count: line.bytes.count))
        } else {
          header = try Self.header(in: line, file: url.path)
        }
        goodBytes = line.offset + UInt64(line.bytes.count) + (line.isTerminated ? 1 : 0)
        lacksLineFeed = !line.isTerminated
      } catch {
        if !line.isTerminated, header != nil || JournalHeader.mayBegin(with: line.bytes) {
          notes.append("line \(line.number) was torn by a crash and is left out")
          continue
        }
        guard damage == .drop, header != nil else { throw error }
        notes.append("\(error)".replacingOccurrences(of: "\n", with: " ") + " (left out)")
        hasGaps = true
      }
    }
    if failed > 0 {
      notes.append("\(failed) replies that could not be had are asked for again")
      hasGaps = true
    }
    return JournalIndex(
      header: header, entries: entries, leftOut: notes, undigested: undigested, edited: edited,
      goodBytes: goodBytes, hasGaps: hasGaps, lacksLineFeed: lacksLineFeed)
  }

  private static func header(
    in line: LineReader.Line, file: String
  ) throws(EvaluationError) -> JournalHeader {
    let header: JournalHeader = try decode(line, file: file)
    if let fault = header.fault {
      throw .journalLine(file: file, line: line.number, reason: fault)
    }
    return header
  }

  private static func record(
    in line: LineReader.Line, header: JournalHeader, file: String
  ) throws(EvaluationError) -> SampleRecord {
    let record: SampleRecord = try decode(line, file: file)
    let scenario = header.scenario
    guard (0..<scenario.items).contains(record.index),
      (0..<scenario.samples).contains(record.sample),
      header.shard.contains(item: record.index, sample: record.sample, of: scenario.samples)
    else {
      throw .journalLine(
        file: file, line: line.number,
        reason: "has sample \(record.sample) of item \(record.index), which is no part of the run")
    }
    guard record.response.isPlausible else {
      throw .journalLine(
        file: file, line: line.number, reason: "has a negative or impossible count or time")
    }
    if record.digest == nil, header.format > 1 {
      throw .journalLine(file: file, line: line.number, reason: "has no field 'digest'")
    }
    return record
  }

  private static func decode<Value: Decodable>(
    _ line: LineReader.Line, file: String
  ) throws(EvaluationError) -> Value {
    do { return try JSONDecoder().decode(Value.self, from: line.bytes) } catch {
      throw .journalLine(file: file, line: line.number, reason: reason(error))
    }
  }

  private static func reason(_ error: any Error) -> String {
    switch error as? DecodingError {
    case .keyNotFound(let key, _): "has no field '\(key.stringValue)'"
    case .typeMismatch(_, let context), .valueNotFound(_, let context):
      "has a wrong value in field '\(context.codingPath.map(\.stringValue).joined(separator: "."))'"
    default: "is no valid JSON record"
    }
  }
}
