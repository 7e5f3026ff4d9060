import Foundation
import SystemCalls

/// A new file that is written once from front to back, closed explicitly, and durable when `close`
/// returns.
final class OutputFile {
  let path: String
  /// Bytes written so far.
  private(set) var count = 0
  private var descriptor: Int32?
  private let limit: Int

  /// Creates the file, which must not exist; `limit` is the largest size the process may write,
  /// beyond which the system would answer with a signal.
  ///
  /// - Throws: `.system`.
  init(creating path: String, limit: Int = OutputFile.sizeLimit()) throws(CheckpointError) {
    descriptor = try CheckpointError.wrapping { () throws(FileError) in
      try FileCalls.open(path, O_RDWR | O_CREAT | O_EXCL, action: "creating")
    }
    self.path = path
    self.limit = limit
  }

  deinit { if let descriptor { Foundation.close(descriptor) } }

  /// Appends bytes.
  ///
  /// - Throws: `.system`; a full disk is `ENOSPC`, a file-size limit `EFBIG`.
  func write(_ bytes: UnsafeRawBufferPointer) throws(CheckpointError) {
    guard let descriptor else { throw .system(path: path, action: "writing", code: EBADF) }
    guard bytes.count <= limit - count else {
      throw .system(path: path, action: "writing", code: EFBIG)
    }
    try CheckpointError.wrapping { () throws(FileError) in
      try FileCalls.write(bytes, to: descriptor, path: path)
    }
    count += bytes.count
  }

  /// Appends bytes.
  ///
  /// - Throws: as above.
  func write(_ bytes: [UInt8]) throws(CheckpointError) {
    try bytes.withUnsafeBufferPointer { (bytes) throws(CheckpointError) in
      try write(UnsafeRawBufferPointer(bytes))
    }
  }

  /// Reads back bytes that were written.
  func read(
    from offset: Int, into target: UnsafeMutableRawBufferPointer
  ) throws(CheckpointError) {
    guard let descriptor else { throw .system(path: path, action: "reading", code: EBADF) }
    var done = 0
    while done < target.count {
      let rest = UnsafeMutableRawBufferPointer(rebasing: target[done...])
      let result = pread(descriptor, rest.baseAddress, rest.count, off_t(offset + done))
      if result < 0 {
        guard errno == EINTR else { throw .system(path: path, action: "reading", code: errno) }
      } else if result == 0 {
        throw .truncated(file: path, expected: count, found: offset + done)
      } else {
        done += result
      }
    }
  }

  /// Puts the file on disk and closes it.
  ///
  /// - Throws: `.system`: a disk may report only now that it is full.
  func close() throws(CheckpointError) {
    guard let descriptor else { return }
    self.descriptor = nil
    do throws(FileError) {
      try FileCalls.sync(descriptor, path: path)
    } catch {
      Foundation.close(descriptor)
      throw CheckpointError(error)
    }
    guard Foundation.close(descriptor) == 0 else {
      throw .system(path: path, action: "writing", code: errno)
    }
  }

  /// Writes a whole small file.
  ///
  /// - Throws: `.system`.
  static func write(_ bytes: [UInt8], to path: String) throws(CheckpointError) {
    let file = try OutputFile(creating: path)
    try file.write(bytes)
    try file.close()
  }

  /// The file-size limit of the process, in bytes.
  static func sizeLimit() -> Int {
    var limit = rlimit()
    #if canImport(Glibc)
      let resource = __rlimit_resource_t(RLIMIT_FSIZE.rawValue)
    #else
      let resource = RLIMIT_FSIZE
    #endif
    guard getrlimit(resource, &limit) == 0 else { return .max }
    return Int(clamping: limit.rlim_cur)
  }
}
