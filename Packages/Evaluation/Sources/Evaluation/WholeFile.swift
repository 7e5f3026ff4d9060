import Foundation
import SystemCalls

/// Reads files of limited size at once.
enum WholeFile {
  /// The bytes of a file.
  ///
  /// - Parameters:
  ///   - url: The file; a device or pipe is refused.
  ///   - limit: The most bytes it may have.
  /// - Returns: All its bytes.
  /// - Throws: ``EvaluationError/file(path:reason:)`` when it cannot be read or is larger.
  static func read(_ url: URL, atMost limit: Int) throws(EvaluationError) -> Data {
    try EvaluationError.wrapping { () throws(FileError) in
      try RegularFile.contents(of: url.path, atMost: limit)
    }
  }
}
