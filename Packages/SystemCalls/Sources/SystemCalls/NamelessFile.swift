import Foundation

/// A file of a folder in which it has no name: it goes when the last process that holds it open ends, however that ends.
///
/// A program can be given its descriptor as input or output. Whoever shares a descriptor shares its position; what is read
/// here is read from the front, and leaves the position as it is.
public final class NamelessFile {
  /// Where bytes are read and written.
  public let descriptor: Int32
  /// Its folder, for messages.
  public let folder: String

  /// Makes a file whose position is in front of its bytes.
  ///
  /// - Parameters:
  ///   - folder: The folder whose disk it takes room of.
  ///   - bytes: What it holds.
  /// - Throws: `FileError`.
  public init(in folder: String, holding bytes: Data = Data()) throws(FileError) {
    self.folder = folder
    descriptor = try Self.open(in: folder)
    let result = bytes.withUnsafeBytes { [descriptor] bytes in
      Result { () throws(FileError) in
        try FileCalls.write(bytes, to: descriptor, path: folder)
      }
    }
    do throws(FileError) { try result.get() } catch {
      close(descriptor)
      throw error
    }
    lseek(descriptor, 0, SEEK_SET)
  }

  deinit { close(descriptor) }

  private static func open(in folder: String) throws(FileError) -> Int32 {
    #if os(Linux)
      // `O_TMPFILE`, a macro that Swift does not see: there never is a name that a process could leave when it is killed.
      let made = try? FileCalls.open(folder, O_RDWR | O_DIRECTORY | 0o20_000_000, mode: 0o600)
      if let made { return made }
    #endif
    // Not every file system can do that.
    let path = "\(folder)/.nameless-\(UUID().uuidString)"
    let descriptor = try FileCalls.open(path, O_RDWR | O_CREAT | O_EXCL, mode: 0o600)
    unlink(path)
    return descriptor
  }

  /// Bytes that it holds now.
  public var count: Int {
    var status = stat()
    return fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0
  }

  /// Its first bytes, at most `limit`.
  ///
  /// - Throws: `FileError`.
  public func contents(atMost limit: Int) throws(FileError) -> Data {
    var bytes = Data(count: min(count, max(0, limit)))
    var done = 0
    while done < bytes.count {
      let result = bytes.withUnsafeMutableBytes { [descriptor] in
        pread(descriptor, $0.baseAddress.map { $0 + done }, $0.count - done, off_t(done))
      }
      if result == 0 { break }
      if result > 0 {
        done += result
      } else if errno != EINTR {
        throw FileError(path: folder, action: "reading", code: errno)
      }
    }
    return bytes.prefix(done)
  }
}
