import Foundation
import SystemCalls

/// Reads files of limited size at once, and writes values as files.
enum WholeFile {
  /// The bytes of a file, without the byte order mark that some editors put first.
  ///
  /// - Parameters:
  ///   - url: The file; a device or pipe is refused.
  ///   - limit: The most bytes it may have.
  /// - Returns: All its bytes.
  /// - Throws: ``EvaluationError/file(path:reason:)`` when it cannot be read or is larger.
  static func read(_ url: URL, atMost limit: Int) throws(EvaluationError) -> Data {
    let bytes = try EvaluationError.wrapping { () throws(FileError) in
      try RegularFile.contents(of: url.path, atMost: limit)
    }
    return bytes.starts(with: byteOrderMark) ? Data(bytes.dropFirst(byteOrderMark.count)) : bytes
  }

  private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

  /// Writes a value as JSON, with sorted keys; the file appears whole or not at all.
  ///
  /// - Throws: ``EvaluationError/file(path:reason:)``, also for a value with a figure that is no
  ///   number.
  static func write(_ value: some Encodable, to url: URL) throws(EvaluationError) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    guard let bytes = try? encoder.encode(value) + Data("\n".utf8) else {
      throw .file(path: url.path, reason: "cannot be written: a figure is no number")
    }
    try EvaluationError.wrapping { () throws(FileError) in
      try AtomicFile.write(bytes, to: url.path)
    }
  }
}
