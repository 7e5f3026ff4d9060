import Foundation

/// A file open for appending that no other process holds at the same time.
///
/// The lock is the kernel's (`flock`): it ends with the process, however that ends.
final class LockedFile {
  private let path: String
  private let descriptor: Int32

  /// Opens or creates a file and takes its lock.
  ///
  /// A finished journal is replaced by its sorted form; who opened the old file just before has to
  /// look again, hence the loop.
  ///
  /// - Throws: ``EvaluationError/journalInUse(file:)`` or ``EvaluationError/file(path:reason:)``.
  init(_ url: URL) throws(EvaluationError) {
    path = url.path
    while true {
      let file = open(url.path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
      guard file >= 0 else {
        throw .file(path: url.path, reason: "cannot be opened for writing: \(SystemError.text)")
      }
      guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
        let isBusy = errno == EWOULDBLOCK
        let reason = SystemError.text
        close(file)
        throw isBusy
          ? .journalInUse(file: url.path)
          : .file(path: url.path, reason: "cannot be locked: \(reason)")
      }
      var (opened, named) = (stat(), stat())
      if fstat(file, &opened) == 0, stat(url.path, &named) == 0,
        opened.st_ino == named.st_ino, opened.st_dev == named.st_dev
      {
        descriptor = file
        return
      }
      close(file)
    }
  }

  deinit { close(descriptor) }

  /// Appends bytes and waits until they are on the disk.
  ///
  /// - Throws: ``EvaluationError/file(path:reason:)``, for example when no space is left.
  func append(_ bytes: Data) throws(EvaluationError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let written = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
      if written < 0 && errno == EINTR { continue }
      guard written > 0 else {
        throw .file(path: path, reason: "cannot be written: \(SystemError.text)")
      }
      rest = rest.dropFirst(written)
    }
    guard fsync(descriptor) == 0 else {
      throw .file(path: path, reason: "cannot be saved: \(SystemError.text)")
    }
  }

  /// Cuts the file to a length in bytes.
  func truncate(to length: UInt64) throws(EvaluationError) {
    guard ftruncate(descriptor, off_t(length)) == 0 else {
      throw .file(path: path, reason: "cannot be shortened: \(SystemError.text)")
    }
  }
}

/// The error of the last system call.
enum SystemError {
  /// What the system says about it.
  static var text: String { String(cString: strerror(errno)) }
}
