import Foundation
import SystemCalls

/// An exclusive lock on a file that exists only while it is held.
final class OutputLock {
  private let path: String
  private var descriptor: Int32?

  /// Takes the lock, or fails when it stays taken.
  ///
  /// - Throws: `.occupied` when another process or writer holds it; `.system`.
  init(_ path: String) throws(CheckpointError) {
    self.path = path
    descriptor = try CheckpointError.wrapping { () throws(FileError) in try FileLock.take(path) }
    guard descriptor != nil else {
      throw .occupied(path: path, reason: "another run is writing this output")
    }
  }

  deinit { release() }

  func release() {
    guard let descriptor else { return }
    self.descriptor = nil
    unlink(path)
    close(descriptor)
  }
}
