import Crypto
import Foundation
import JSON
import SystemCalls

extension HubClient {
  /// Bytes of a file that is fetched from outside the hub.
  static let webFileLimit = 1 << 30

  /// Fetches a file that lies outside the hub, such as the data of a benchmark; it appears whole or
  /// not at all.
  ///
  /// - Parameters:
  ///   - url: where it lies; the hub's token is not sent there.
  ///   - sha256: its digest in hexadecimal digits.
  ///   - path: where to put it; the folder is made.
  /// - Throws: `HubError`.
  public func fetch(_ url: URL, sha256: String, to path: String) throws(HubError) {
    if let by = settings.offlineBy { throw .offline(repository: url.shown, by: by) }
    try onDisk { () throws(FileError) in
      try FileCalls.makeFolder((path as NSString).deletingLastPathComponent)
    }
    var attempts = Attempts(settings)
    while true {
      do throws(HubError) {
        let file = try onDisk { () throws(FileError) in try AtomicFile(path) }
        let receiver = FileReceiver(file, limit: Self.webFileLimit)
        _ = try get(url, to: receiver) { response, message, url in
          response.status == 429
            ? .tooManyRequests(url: url.shown, seconds: response.retryAfter())
            : .status(url: url.shown, status: response.status, message: message)
        }
        if let failure = receiver.failure { throw failure }
        let found = receiver.digest
        guard found == sha256 else {
          throw .wrongDigest(file: url.shown, expected: sha256, found: found)
        }
        return try onDisk { () throws(FileError) in try file.finish() }
      } catch {
        try attempts.failed(error, isCancelled: isCancelled)
      }
    }
  }
}

/// Writes a body into a file and takes its digest.
private final class FileReceiver: BodyReceiver, @unchecked Sendable {
  private(set) var failure: HubError?
  private let file: AtomicFile
  private let limit: Int
  private var count = 0
  private var hash = SHA256()

  init(_ file: AtomicFile, limit: Int) {
    self.file = file
    self.limit = limit
  }

  var digest: String { hash.finalize().hexadecimal }

  func begin(_ response: HTTPResponse) -> Bool { true }

  func take(_ bytes: UnsafeRawBufferPointer) -> Bool {
    count += bytes.count
    hash.update(bufferPointer: bytes)
    do throws(HubError) {
      guard count <= limit else {
        throw .malformed(url: file.path, expected: "at most \(limit) bytes", found: "more")
      }
      try onDisk { () throws(FileError) in try file.write(bytes) }
    } catch {
      failure = error
    }
    return failure == nil
  }
}
