import Foundation
import Synchronization
import SystemCalls

/// A file open for appending that no other process holds at the same time.
///
/// The lock is the kernel's (`flock`): it ends with the process, however that ends.
///
/// Appended bytes are in the system's hands at once, so a killed process loses none. A thread
/// beside forces them to the disk, so that the caller need not wait some milliseconds for each
/// record.
final class LockedFile: Sendable {
  private let path: String
  private let descriptor: Int32
  private let saving: Saving
  /// Nil where the system gives no thread: then every append waits for the disk.
  private let thread: SavingThread?

  /// Opens or creates a file and takes its lock.
  ///
  /// A finished journal is replaced by its sorted form, which a waiting process then opens.
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
    let saving = Saving(path: url.path, descriptor: held)
    self.saving = saving
    thread = SavingThread(saving)
  }

  deinit {
    thread?.stop()
    close(descriptor)
  }

  /// Appends bytes and has them saved.
  ///
  /// - Throws: ``EvaluationError/file(path:reason:)``, for example when no space is left; also when
  ///   an earlier save has failed.
  func append(_ bytes: Data) throws(EvaluationError) {
    try checkSaving()
    let result = bytes.withUnsafeBytes { bytes in
      Result { () throws(FileError) in
        try FileCalls.write(bytes, to: descriptor, path: path)
      }
    }
    if case .failure(let error) = result { throw EvaluationError(error) }
    if let thread { thread.wake() } else { saving.run() }
  }

  /// Waits until everything appended is on the disk.
  ///
  /// - Throws: ``EvaluationError/file(path:reason:)`` when a save has failed.
  func save() throws(EvaluationError) {
    saving.run()
    try checkSaving()
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

/// Forces one file to the disk, and keeps why that failed.
private final class Saving: Sendable {
  private let path: String
  private let descriptor: Int32
  let failure = Mutex(String?.none)

  init(path: String, descriptor: Int32) {
    self.path = path
    self.descriptor = descriptor
  }

  func run() {
    do throws(FileError) { try FileCalls.sync(descriptor, path: path) } catch {
      failure.withLock { $0 = error.reason }
    }
  }
}

/// A thread that saves a file whenever it is woken; several wakes while it works are one.
private final class SavingThread: Sendable {
  private final class State: Sendable {
    let isAsked = Mutex(false)
    let isStopping = Mutex(false)
    let signal = DispatchSemaphore(value: 0)
  }

  private let state = State()
  private let thread: SystemThread

  /// Nil where the system gives no thread.
  init?(_ saving: Saving) {
    let state = state
    let made = SystemThread {
      while true {
        state.signal.wait()
        if state.isStopping.withLock(\.self) { return }
        state.isAsked.withLock { $0 = false }
        saving.run()
      }
    }
    guard let made else { return nil }
    thread = made
  }

  func wake() {
    let isNew = state.isAsked.withLock { isAsked in
      defer { isAsked = true }
      return !isAsked
    }
    if isNew { state.signal.signal() }
  }

  /// Ends the thread; what was asked for before is not waited for.
  func stop() {
    state.isStopping.withLock { $0 = true }
    state.signal.signal()
    thread.join()
  }
}
