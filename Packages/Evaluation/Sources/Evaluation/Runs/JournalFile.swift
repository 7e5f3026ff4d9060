import Foundation

/// Whole journals: written beside their place and renamed when complete.
enum JournalFile {
  /// A value as a line of a journal.
  static func line(_ value: some Encodable, file: String) throws(EvaluationError) -> Data {
    do { return try CanonicalJSON.encode(value) + [10] } catch {
      throw .file(path: file, reason: "a record holds a number that JSON cannot hold")
    }
  }

  /// Writes the records of journals, sorted, as one journal. Their bytes are copied unchanged.
  ///
  /// - Parameters:
  ///   - header: The first line.
  ///   - parts: The journals and their indexes.
  ///   - url: The new journal; it may be one of the old ones.
  /// - Throws: ``EvaluationError/file(path:reason:)``; the new journal does not appear then.
  static func publish(
    _ header: JournalHeader, parts: [(url: URL, index: JournalIndex)], to url: URL
  ) throws(EvaluationError) {
    var handles: [FileHandle] = []
    for part in parts {
      do { handles.append(try FileHandle(forReadingFrom: part.url)) } catch {
        throw .file(
          path: part.url.path, reason: "cannot be opened: \(SystemError.text(of: error))")
      }
    }
    let entries = parts.enumerated().flatMap { number, part in
      part.index.entries.map { (part: number, entry: $0) }
    }.sorted { $0.entry.id < $1.entry.id }
    try replace(url) { file throws(EvaluationError) in
      try file.append(line(header, file: url.path))
      for (part, entry) in entries {
        guard (try? handles[part].seek(toOffset: entry.offset)) != nil,
          let bytes = try? handles[part].read(upToCount: entry.count), bytes.count == entry.count
        else {
          throw .file(path: parts[part].url.path, reason: "changed while it was read")
        }
        try file.append(bytes + [10])
      }
    }
  }

  /// Writes a journal line by line under its final name, complete or not at all.
  static func replace(
    _ url: URL, with body: (BufferedFile) throws(EvaluationError) -> Void
  ) throws(EvaluationError) {
    let temporary = url.deletingLastPathComponent().appending(
      path: ".\(url.lastPathComponent).\(getpid()).partial")
    do throws(EvaluationError) {
      let file = try BufferedFile(temporary)
      try body(file)
      try file.finish()
      guard rename(temporary.path, url.path) == 0 else {
        throw .file(path: url.path, reason: "cannot be replaced: \(SystemError.text)")
      }
    } catch {
      unlink(temporary.path)
      throw error
    }
    let folder = open(url.deletingLastPathComponent().path, O_RDONLY | O_CLOEXEC)
    if folder >= 0 {
      fsync(folder)
      close(folder)
    }
  }
}

/// A new file that collects bytes and saves them at the end.
final class BufferedFile {
  private let file: LockedFile
  private var pending = Data()

  fileprivate init(_ url: URL) throws(EvaluationError) {
    file = try LockedFile(url)
    try file.truncate(to: 0)
  }

  /// Adds bytes.
  func append(_ bytes: Data) throws(EvaluationError) {
    pending.append(bytes)
    if pending.count >= 4 << 20 { try write() }
  }

  private func write() throws(EvaluationError) {
    try file.append(pending)
    pending.removeAll(keepingCapacity: true)
  }

  /// Saves all bytes to the disk.
  fileprivate func finish() throws(EvaluationError) {
    try write()
    try file.save()
  }
}
