import Foundation
import SystemCalls

/// Whole journals: written beside their place and renamed when complete.
enum JournalFile {
  /// A value as a line of a journal.
  static func line(_ value: some Encodable, file: String) throws(EvaluationError) -> Data {
    guard let text = CanonicalJSON.encode(value) else {
      throw .file(path: file, reason: "a record holds a number that JSON cannot hold")
    }
    return text + [10]
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
    var files: [RegularFile] = []
    for part in parts {
      files.append(
        try EvaluationError.wrapping { () throws(FileError) in try RegularFile(part.url.path) })
    }
    let entries = parts.enumerated().flatMap { number, part in
      part.index.entries.map { (part: number, entry: $0) }
    }.sorted { $0.entry.id < $1.entry.id }
    try replace(url) { file throws(EvaluationError) in
      try file.append(line(header, file: url.path))
      for (part, entry) in entries {
        let bytes = try EvaluationError.wrapping { () throws(FileError) in
          try files[part].read(from: Int(entry.offset), count: entry.count)
        }
        guard bytes.count == entry.count else {
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
    let path = url.path
    try EvaluationError.wrapping { () throws(FileError) in
      guard case .file = try OutputPlace(path) else {
        throw FileError(path: path, action: "writing", reason: "it is no regular file")
      }
    }
    let file = try BufferedFile(path)
    try body(file)
    try file.finish()
  }
}

/// A new file that collects bytes and saves them at the end.
final class BufferedFile {
  private let file: AtomicFile
  private var pending = Data()

  fileprivate init(_ path: String) throws(EvaluationError) {
    file = try EvaluationError.wrapping { () throws(FileError) in try AtomicFile(path) }
  }

  /// Adds bytes.
  func append(_ bytes: Data) throws(EvaluationError) {
    pending.append(bytes)
    if pending.count >= 4 << 20 { try write() }
  }

  private func write() throws(EvaluationError) {
    try EvaluationError.wrapping { () throws(FileError) in try file.write(pending) }
    pending.removeAll(keepingCapacity: true)
  }

  /// Saves all bytes to the disk and gives the file its name.
  fileprivate func finish() throws(EvaluationError) {
    try write()
    try EvaluationError.wrapping { () throws(FileError) in try file.finish() }
  }
}
