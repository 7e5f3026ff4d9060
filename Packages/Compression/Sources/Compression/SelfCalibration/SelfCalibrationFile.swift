import Foundation
import SystemCalls

/// The texts that a model wrote for its calibration, a JSON object a line. Each is on disk when
/// `append` returns; a line that a killed run left unfinished is cut off.
///
/// The rows hold the text as well, so that the file can be read, and given to `--calibration`.
final class SelfCalibrationFile {
  private struct Row: Codable {
    let index: Int
    let kind: String
    let ids: [Int32]
    let text: String
    let identity: String
  }

  /// A larger file is a mistake: no calibration reads that much.
  private static let mostBytes = 1 << 30

  /// Token ids by the texts' indices.
  private(set) var texts: [Int: [Int32]] = [:]
  private let url: URL
  private let identity: String

  /// Reads what is there.
  ///
  /// - Throws: `CompressionError.calibration` for a file that cannot be read or is another's.
  init(_ url: URL, identity: String) throws(CompressionError) {
    self.url = url
    self.identity = identity
    guard FileManager.default.fileExists(atPath: url.path) else { return }
    let bytes: Data
    do throws(FileError) {
      bytes = try RegularFile.contents(of: url.path, atMost: Self.mostBytes)
    } catch {
      throw problem("cannot be read: \(error.reason)")
    }
    var end = bytes.startIndex
    for (number, line) in bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
      .enumerated()
    where line.endIndex < bytes.endIndex {
      end = line.endIndex + 1
      guard let row = try? JSONDecoder().decode(Row.self, from: Data(line)) else {
        throw problem("is no row of self-written text", line: number + 1)
      }
      guard row.identity == identity else {
        throw problem("was written by another model, or by other rules", line: number + 1)
      }
      texts[row.index] = row.ids
    }
    if end < bytes.endIndex {
      guard truncate(url.path, end - bytes.startIndex) == 0 else {
        throw problem("ends within a line and cannot be shortened")
      }
    }
  }

  /// Adds a text.
  ///
  /// - Throws: `CompressionError.calibration` where it cannot be written; nothing of it stays then.
  func append(
    _ index: Int, _ kind: CalibrationPrompts.Kind, _ ids: [Int32], _ text: ([Int32]) -> String
  ) throws(CompressionError) {
    let row = Row(index: index, kind: kind.rawValue, ids: ids, text: text(ids), identity: identity)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let line = try? encoder.encode(row) + [0x0A] else { throw problem("holds no text") }
    do throws(FileError) { try append(line) } catch {
      throw problem("cannot be written: \(error.reason)")
    }
    texts[index] = ids
  }

  private func append(_ line: Data) throws(FileError) {
    try FileCalls.makeFolder(url.deletingLastPathComponent().path)
    let path = url.path
    let descriptor = try FileCalls.open(path, O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK)
    defer { close(descriptor) }
    let end = lseek(descriptor, 0, SEEK_END)
    let result = line.withUnsafeBytes { bytes in
      Result { () throws(FileError) in
        try FileCalls.write(bytes, to: descriptor, path: path)
        try FileCalls.sync(descriptor, path: path)
      }
    }
    if case .failure(let error) = result {
      if end >= 0 { _ = ftruncate(descriptor, end) }
      throw error
    }
  }

  private func problem(_ reason: String, line: Int? = nil) -> CompressionError {
    .calibration(file: url.path, line: line, reason: reason)
  }
}
