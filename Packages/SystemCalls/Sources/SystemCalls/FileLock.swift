import Foundation

/// An exclusive lock (`flock`) on an open file: it ends with the descriptor, so with the process at
/// the latest, however that ends.
public enum FileLock {
  /// Seconds in which a holder that was killed a moment ago gives its memory and then its locks
  /// back.
  public static let patience = 3.0

  /// Opens or creates the file at `path` and locks it.
  ///
  /// - Parameters:
  ///   - path: a regular file, or nothing yet.
  ///   - flags: more flags for opening it.
  ///   - patience: seconds to wait for its holder.
  /// - Returns: the descriptor; nil when it is still held.
  /// - Throws: `FileError`; what is no regular file is refused in words.
  public static func take(
    _ path: String, flags: Int32 = 0, patience: Double = FileLock.patience
  ) throws(FileError) -> Int32? {
    let started = ContinuousClock.now
    while true {
      var named = stat()
      if stat(path, &named) == 0, ![S_IFREG, S_IFDIR].contains(named.st_mode & S_IFMT) {
        throw FileError(path: path, action: "writing", reason: "it is no regular file")
      }
      let descriptor = try FileCalls.open(path, O_RDWR | O_CREAT | O_NONBLOCK | flags)
      let isHeld = flock(descriptor, LOCK_EX | LOCK_NB) != 0
      let code = errno
      // Whoever held it may have removed or replaced the file between opening and locking it: then
      // this lock is on a file without a name.
      var opened = stat()
      if !isHeld, fstat(descriptor, &opened) == 0, stat(path, &named) == 0,
        opened.st_ino == named.st_ino, opened.st_dev == named.st_dev
      {
        return descriptor
      }
      close(descriptor)
      guard isHeld else { continue }
      guard code == EWOULDBLOCK || code == EINTR else {
        throw FileError(path: path, action: "locking", code: code)
      }
      if ContinuousClock.now - started >= .seconds(patience) { return nil }
      usleep(20_000)
    }
  }
}
