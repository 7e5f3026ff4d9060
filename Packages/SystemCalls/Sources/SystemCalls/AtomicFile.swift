import Foundation
import Synchronization

/// A file that is written once from front to back and appears under its name whole or not at all.
///
/// It grows beside its place under a hidden name and is renamed when it is on the disk. Where its
/// place is a device or pipe, bytes go there at once.
public final class AtomicFile {
  /// The path as it was given, for messages.
  public let path: String
  private let place: OutputPlace
  private let temporary: String
  private var descriptor: Int32?

  /// Numbers the files of this process.
  private static let made = Atomic<Int>(0)

  /// Starts a file; nothing at `path` changes yet.
  ///
  /// - Throws: `FileError` for what cannot be written, see `OutputPlace`.
  public init(_ path: String) throws(FileError) {
    self.path = path
    place = try OutputPlace(path)
    switch place {
    case .stream(let node):
      temporary = ""
      // A pipe that nobody reads is refused instead of waited for.
      let descriptor = try FileCalls.open(node, O_WRONLY | O_NONBLOCK | O_NOCTTY)
      _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) & ~O_NONBLOCK)
      self.descriptor = descriptor
    case .file(let target):
      let number = Self.made.add(1, ordering: .relaxed).newValue
      let name = OutputPlace.name(of: target).prefix(50)
      temporary = OutputPlace.folder(of: target) + "/.\(name).\(getpid())-\(number).partial"
      unlink(temporary)
      do throws(FileError) {
        descriptor = try FileCalls.open(temporary, O_WRONLY | O_CREAT | O_EXCL)
      } catch {
        throw FileError(path: path, action: "writing", code: error.code)
      }
    }
  }

  deinit { discard() }

  /// Appends bytes.
  ///
  /// - Throws: `FileError`; a full disk is `ENOSPC`.
  public func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
    guard let descriptor else { throw FileError(path: path, action: "writing", code: EBADF) }
    try FileCalls.write(bytes, to: descriptor, path: path)
  }

  /// Appends bytes.
  ///
  /// - Throws: as above.
  public func write(_ bytes: some ContiguousBytes) throws(FileError) {
    let result = bytes.withUnsafeBytes { bytes in
      Result { () throws(FileError) in try write(bytes) }
    }
    try result.get()
  }

  /// Puts the file on the disk and gives it its name.
  ///
  /// - Throws: `FileError`; what was there before is there still.
  public func finish() throws(FileError) {
    guard let descriptor else { throw FileError(path: path, action: "writing", code: EBADF) }
    guard case .file(let target) = place else {
      self.descriptor = nil
      guard close(descriptor) == 0 else {
        throw FileError(path: path, action: "writing", code: errno)
      }
      return
    }
    do throws(FileError) {
      var earlier = stat()
      if stat(target, &earlier) == 0 { fchmod(descriptor, earlier.st_mode & 0o7777) }
      try FileCalls.sync(descriptor, path: path)
      self.descriptor = nil
      guard close(descriptor) == 0 else {
        throw FileError(path: path, action: "writing", code: errno)
      }
      try FileCalls.rename(temporary, to: target)
    } catch {
      unlink(temporary)
      discard()
      throw error
    }
    try FileCalls.syncFolder(OutputPlace.folder(of: target))
  }

  /// Gives up: what was written is removed.
  public func discard() {
    guard let descriptor else { return }
    self.descriptor = nil
    close(descriptor)
    if !temporary.isEmpty { unlink(temporary) }
  }

  /// Writes a whole file.
  ///
  /// - Throws: `FileError`.
  public static func write(_ bytes: some ContiguousBytes, to path: String) throws(FileError) {
    let file = try AtomicFile(path)
    try file.write(bytes)
    try file.finish()
  }
}
