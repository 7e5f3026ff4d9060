import Foundation

/// Reads files of limited size at once.
enum WholeFile {
  /// The bytes of a file.
  ///
  /// - Parameters:
  ///   - url: The file; a device or pipe is read no further than the limit.
  ///   - limit: The most bytes it may have.
  /// - Returns: All its bytes.
  /// - Throws: ``EvaluationError/file(path:reason:)`` when it cannot be read or is larger.
  static func read(_ url: URL, atMost limit: Int) throws(EvaluationError) -> Data {
    let bytes: Data?
    do {
      let handle = try FileHandle(forReadingFrom: url)
      defer { try? handle.close() }
      bytes = try handle.read(upToCount: limit + 1)
    } catch {
      throw .file(path: url.path, reason: "cannot be read: \(SystemError.text(of: error))")
    }
    guard let bytes else { return Data() }
    guard bytes.count <= limit else {
      throw .file(path: url.path, reason: "is larger than \(limit) bytes")
    }
    return bytes
  }
}

/// What the system says about errors.
enum SystemError {
  /// The error of the last system call.
  static var text: String { String(cString: strerror(errno)) }

  /// The cause of an error of a file operation.
  static func text(of error: any Error) -> String {
    let error = error as NSError
    let cause = error.userInfo[NSUnderlyingErrorKey] as? NSError ?? error
    return cause.domain == NSPOSIXErrorDomain
      ? String(cString: strerror(Int32(truncatingIfNeeded: cause.code)))
      : cause.localizedDescription
  }
}
