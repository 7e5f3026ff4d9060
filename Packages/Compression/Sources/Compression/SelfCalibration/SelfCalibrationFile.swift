import Foundation

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
    do { bytes = try Data(contentsOf: url) } catch { throw problem("cannot be read") }
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
    do {
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      if !FileManager.default.fileExists(atPath: url.path) { try Data().write(to: url) }
      let line = try encoder.encode(row) + [0x0A]
      let file = try FileHandle(forWritingTo: url)
      defer { try? file.close() }
      let end = try file.seekToEnd()
      do {
        try file.write(contentsOf: line)
        try file.synchronize()
      } catch {
        try? file.truncate(atOffset: end)
        throw error
      }
    } catch {
      throw problem("cannot be written: \(error.localizedDescription)")
    }
    texts[index] = ids
  }

  private func problem(_ reason: String, line: Int? = nil) -> CompressionError {
    .calibration(file: url.path, line: line, reason: reason)
  }
}
