import Foundation

/// A regular file that is open for reading. Anything else is refused at once: opening a pipe would
/// wait for its writer, and what is read from a device never ends.
public final class RegularFile {
  /// The path, for messages.
  public let path: String
  /// Bytes it had when it was opened.
  public let count: Int
  private let descriptor: Int32

  /// Opens a file.
  ///
  /// - Throws: `FileError`; folders, pipes and devices are refused in words.
  public init(_ path: String) throws(FileError) {
    do throws(FileError) {
      descriptor = try FileCalls.open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY)
    } catch {
      guard error.code == ENOENT, FileCalls.isNamed(path) else { throw error }
      throw FileError(path: path, action: "reading", reason: "it is a link that leads nowhere")
    }
    self.path = path
    var status = stat()
    let isKnown = fstat(descriptor, &status) == 0
    let kind = status.st_mode & S_IFMT
    count = isKnown ? Int(status.st_size) : 0
    guard isKnown, kind == S_IFREG else {
      let code = errno
      close(descriptor)
      if !isKnown { throw FileError(path: path, action: "opening", code: code) }
      if kind == S_IFDIR { throw FileError(path: path, action: "reading", code: EISDIR) }
      throw FileError(path: path, action: "reading", reason: "it is no regular file")
    }
  }

  deinit { close(descriptor) }

  /// The next bytes, at most `limit`; none at the end of the file.
  ///
  /// - Throws: `FileError`.
  public func read(upTo limit: Int) throws(FileError) -> Data {
    var bytes = Data(count: max(0, limit))
    var result = 0
    repeat {
      result = bytes.withUnsafeMutableBytes {
        Foundation.read(descriptor, $0.baseAddress, $0.count)
      }
    } while result < 0 && errno == EINTR
    guard result >= 0 else { throw FileError(path: path, action: "reading", code: errno) }
    bytes.removeLast(bytes.count - result)
    return bytes
  }

  /// Bytes from `offset` on, fewer than `count` where the file ends.
  ///
  /// - Throws: `FileError`.
  public func read(from offset: Int, count: Int) throws(FileError) -> Data {
    guard lseek(descriptor, off_t(offset), SEEK_SET) >= 0 else {
      throw FileError(path: path, action: "reading", code: errno)
    }
    var bytes = Data()
    while bytes.count < count {
      let more = try read(upTo: count - bytes.count)
      if more.isEmpty { break }
      bytes = bytes.isEmpty ? more : bytes + more
    }
    return bytes
  }

  /// All bytes of a file of limited size.
  ///
  /// - Throws: `FileError`, also for a file of more than `limit` bytes.
  public static func contents(of path: String, atMost limit: Int) throws(FileError) -> Data {
    let file = try RegularFile(path)
    // A file of the system's own may be longer than it says.
    let bytes = try file.read(from: 0, count: min(max(file.count, 1 << 16), limit) + 1)
    guard bytes.count <= limit else {
      throw FileError(path: path, action: "reading", reason: "it is larger than \(limit) bytes")
    }
    return bytes
  }
}
