import Foundation
import Synchronization
import SystemCalls

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
  /// A finished journal is replaced by its sorted form, which whoever waits for the lock then opens.
  ///
  /// - Throws: ``EvaluationError/journalInUse(file:)`` or ``EvaluationError/file(path:reason:)``.
  init(_ url: URL) throws(EvaluationError) {
    path = url.path
    let held: Int32?
    do throws(FileError) {
      held = try FileLock.take(url.path, flags: O_APPEND)
    } catch {
      throw .file(path: url.path, reason: "cannot be opened for writing: \(error.reason)")
    }
    guard let held else { throw .journalInUse(file: url.path) }
    descriptor = held
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
    let result = bytes.withUnsafeBytes { bytes in
      Result { () throws(FileError) in
        try FileCalls.write(bytes, to: descriptor, path: path)
      }
    }
    if case .failure(let error) = result { throw EvaluationError(error) }
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
    disk.async { [saving, descriptor, path] in
      saving.isQueued.withLock { $0 = false }
      do throws(FileError) { try FileCalls.sync(descriptor, path: path) } catch {
        saving.failure.withLock { $0 = error.reason }
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
      throw .file(path: path, reason: "cannot be shortened: \(String(cString: strerror(errno)))")
    }
  }
}
