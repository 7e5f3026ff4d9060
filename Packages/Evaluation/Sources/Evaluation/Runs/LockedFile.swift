import Foundation
import Synchronization

/// A file open for appending that no other process holds at the same time.
///
/// The lock is the kernel's (`flock`): it ends with the process, however that ends.
///
/// Appended bytes are in the system's hands at once, so a killed process loses none. A queue beside
/// forces them to the disk, so that the caller need not wait some milliseconds for each record.
final class LockedFile: Sendable {
  private let path: String
  private let descriptor: Int32
  private let disk = DispatchQueue(label: "bitbudget.journal")
  private let saving = Saving()

  /// How far the disk is behind. Queued saves hold this, not the file, so that the lock ends with the
  /// file.
  private final class Saving: Sendable {
    /// Whether a save is queued that will cover everything appended so far.
    let isQueued = Mutex(false)
    /// Why a save failed.
    let failure = Mutex(String?.none)
  }

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

  deinit {
    disk.sync {}
    close(descriptor)
  }

  /// Appends bytes and has them saved.
  ///
  /// - Throws: ``EvaluationError/file(path:reason:)``, for example when no space is left; also when an
  ///   earlier save has failed.
  func append(_ bytes: Data) throws(EvaluationError) {
    try checkSaving()
    var rest = bytes[...]
    while !rest.isEmpty {
      let written = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
      if written < 0 && errno == EINTR { continue }
      guard written > 0 else {
        throw .file(path: path, reason: "cannot be written: \(SystemError.text)")
      }
      rest = rest.dropFirst(written)
    }
    queueSave()
  }

  /// Waits until everything appended is on the disk.
  ///
  /// - Throws: ``EvaluationError/file(path:reason:)`` when a save has failed.
  func save() throws(EvaluationError) {
    disk.sync {}
    try checkSaving()
  }

  private func queueSave() {
    let isNew = saving.isQueued.withLock { isQueued in
      defer { isQueued = true }
      return !isQueued
    }
    guard isNew else { return }
    disk.async { [saving, descriptor] in
      saving.isQueued.withLock { $0 = false }
      if fsync(descriptor) != 0 {
        let reason = SystemError.text
        saving.failure.withLock { $0 = reason }
      }
    }
  }

  private func checkSaving() throws(EvaluationError) {
    if let reason = saving.failure.withLock(\.self) {
      throw .file(path: path, reason: "cannot be saved: \(reason)")
    }
  }

  /// Cuts the file to a length in bytes.
  func truncate(to length: UInt64) throws(EvaluationError) {
    guard ftruncate(descriptor, off_t(length)) == 0 else {
      throw .file(path: path, reason: "cannot be shortened: \(SystemError.text)")
    }
  }
}
