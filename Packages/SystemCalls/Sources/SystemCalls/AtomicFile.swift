import Foundation
import Synchronization

/// A file that is written once from front to back and appears under its name whole or not at all.
///
/// It grows beside its place under a hidden name, locked, and is renamed when it is on the disk. Where its
/// place is a device or pipe, bytes go there at once. What a killed process left beside a place is known by its lock
/// being free, and the next file of that name removes it.
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
      let start = OutputPlace.folder(of: target) + "/.\(OutputPlace.name(of: target).prefix(50))."
      Self.removeLeftovers(start)
      var made: (path: String, descriptor: Int32)?
      do throws(FileError) {
        repeat {
          let number = Self.made.add(1, ordering: .relaxed).newValue
          let name = "\(start)\(getpid())-\(number)\(Self.ending)"
          made = try Self.make(name).map { (name, $0) }
        } while made == nil
      } catch {
        throw FileError(path: path, action: "writing", code: error.code)
      }
      temporary = made?.path ?? ""
      descriptor = made?.descriptor
    }
  }

  private static let ending = ".partial"

  /// Creates and locks a file; nil where somebody else has one of that name, or takes it for a leftover in the moment
  /// before it is locked.
  private static func make(_ path: String) throws(FileError) -> Int32? {
    let descriptor: Int32
    do throws(FileError) {
      descriptor = try FileCalls.open(path, O_WRONLY | O_CREAT | O_EXCL)
    } catch {
      guard error.code == EEXIST else { throw error }
      return nil
    }
    // Where a disk knows no locks, nobody can take this for a leftover either.
    let isTaken = flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK
    guard !isTaken, FileCalls.isNamed(path) else {
      close(descriptor)
      return nil
    }
    return descriptor
  }

  /// Removes the files whose path begins with `start` that grew here and that no process holds.
  private static func removeLeftovers(_ start: String) {
    let (folder, prefix) = (OutputPlace.folder(of: start), OutputPlace.name(of: start))
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    for name in names where name.hasPrefix(prefix) && name.hasSuffix(ending) {
      let number = name.dropFirst(prefix.count).dropLast(ending.count)
      guard number.allSatisfy({ $0 == "-" || $0.isASCII && $0.isNumber }) else { continue }
      let path = folder + "/" + name
      let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
      guard descriptor >= 0 else { continue }
      if flock(descriptor, LOCK_EX | LOCK_NB) == 0, leads(path, to: descriptor) { unlink(path) }
      close(descriptor)
    }
  }

  /// Whether a path leads to the regular file that is open.
  private static func leads(_ path: String, to descriptor: Int32) -> Bool {
    var (opened, named) = (stat(), stat())
    return fstat(descriptor, &opened) == 0 && lstat(path, &named) == 0
      && opened.st_ino == named.st_ino && opened.st_dev == named.st_dev
      && opened.st_mode & S_IFMT == S_IFREG
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
      try FileCalls.rename(temporary, to: target)
    } catch {
      discard()
      throw error
    }
    // Now only, as the lock ends with it; all bytes are on the disk.
    self.descriptor = nil
    close(descriptor)
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
