import Foundation
import SystemCalls

/// An open regular file, read with `pread`.
///
/// Nothing is memory-mapped: a file that someone truncates while it is mapped kills the process
/// with SIGBUS, whereas a short read is an error that can be told. Device, inode, size and
/// modification time are taken when the file is opened and compared after every read, so that a
/// file that was replaced or rewritten in the meantime is an error and never a mix of old and new.
final class FileSource: ByteSource {
  let file: String
  let count: Int
  private let descriptor: Int32
  private let identity: FileIdentity
  private let workers: Int

  /// Reads of more bytes than this are cut into pieces of this size for several threads.
  private static let sharedSize = 8 << 20
  /// Half of a second-level cache, so that what was read is still there when it is looked at.
  private static let pieceSize = 512 << 10

  /// Opens a file; large reads use up to `workers` threads.
  ///
  /// - Throws: `.missing`, `.system`, or `.malformed` when it is not a regular file.
  init(path: String, what: String, workers: Int = 1) throws(CheckpointError) {
    // Not blocking, so that opening a pipe does not wait for a writer.
    let descriptor: Int32
    do throws(FileError) {
      descriptor = try FileCalls.open(path, O_RDONLY | O_NONBLOCK)
    } catch {
      if error.code == ENOENT, FileCalls.isNamed(path) {
        throw .malformed(
          file: path,
          reason: "a link that leads nowhere: what it points to was removed or never fetched")
      }
      throw error.code == ENOENT || error.code == ENOTDIR
        ? .missing(path: path, what: what) : CheckpointError(error)
    }
    var status = stat()
    let result = fstat(descriptor, &status)
    guard result == 0, status.st_mode & S_IFMT == S_IFREG else {
      let code = errno
      close(descriptor)
      throw result == 0
        ? .malformed(file: path, reason: "not a regular file")
        : .system(path: path, action: "examining", code: code)
    }
    self.file = path
    self.count = Int(status.st_size)
    self.descriptor = descriptor
    self.identity = FileIdentity(status)
    self.workers = workers
  }

  deinit { close(descriptor) }

  func read(
    from offset: Int, of part: String, into target: UnsafeMutableRawBufferPointer
  ) throws(CheckpointError) {
    let shared = SharedTarget(target)
    let total = target.count
    let pieces = (total + Self.sharedSize - 1) / Self.sharedSize
    try forEachInParallel(pieces, workers: workers) { (piece) throws(CheckpointError) in
      let range = piece * Self.sharedSize..<min((piece + 1) * Self.sharedSize, total)
      try readPiece(from: offset + range.lowerBound, into: shared.part(range))
    }
    try verifyUnchanged()
  }

  func cuts(of range: Range<Int>) -> [Int] {
    Array(stride(from: range.lowerBound, to: range.upperBound, by: Self.pieceSize)) + [
      range.upperBound
    ]
  }

  private func readPiece(
    from offset: Int, into target: UnsafeMutableRawBufferPointer
  ) throws(CheckpointError) {
    var done = 0
    while done < target.count {
      let rest = UnsafeMutableRawBufferPointer(rebasing: target[done...])
      let result = pread(descriptor, rest.baseAddress, rest.count, off_t(offset + done))
      if result < 0 {
        guard errno == EINTR else { throw .system(path: file, action: "reading", code: errno) }
      } else if result == 0 {
        throw .truncated(file: file, expected: offset + target.count, found: offset + done)
      } else {
        done += result
      }
    }
  }

  func verifyUnchanged() throws(CheckpointError) {
    var now = stat()
    guard fstat(descriptor, &now) == 0 else {
      throw .system(path: file, action: "examining", code: errno)
    }
    guard Int(now.st_size) == count else {
      throw .changed(file: file, reason: "\(count) bytes when opened, \(now.st_size) now")
    }
    guard FileIdentity(now) == identity else {
      throw .changed(file: file, reason: "written to since it was opened")
    }
    guard stat(file, &now) == 0, FileIdentity(now) == identity else {
      throw .changed(file: file, reason: "replaced or removed since it was opened")
    }
  }

  /// Reads a small file whole.
  ///
  /// - Throws: as `init`, or `.malformed` when it has more than `limit` bytes.
  static func contents(
    of path: String, what: String, limit: Int
  ) throws(CheckpointError) -> [UInt8] {
    let source = try FileSource(path: path, what: what)
    guard source.count <= limit else {
      throw .malformed(file: path, reason: "\(source.count) bytes; at most \(limit) are read")
    }
    return try source.bytes(0..<source.count, of: what)
  }
}

/// What tells whether two looks at a path saw the same file in the same state.
private struct FileIdentity: Equatable {
  let device: UInt64
  let inode: UInt64
  let size: Int64
  let seconds: Int
  let nanoseconds: Int

  init(_ status: stat) {
    device = UInt64(truncatingIfNeeded: status.st_dev)
    inode = UInt64(truncatingIfNeeded: status.st_ino)
    size = Int64(status.st_size)
    #if canImport(Darwin)
      let modified = status.st_mtimespec
    #else
      let modified = status.st_mtim
    #endif
    seconds = modified.tv_sec
    nanoseconds = modified.tv_nsec
  }
}
