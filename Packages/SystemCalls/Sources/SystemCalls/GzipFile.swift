import Foundation

/// Reads files that are compressed with gzip, by the system's zlib, which is loaded when the first
/// one is read.
public enum GzipFile {
  private typealias Open =
    @convention(c) (UnsafePointer<CChar>, UnsafePointer<CChar>) -> UnsafeMutableRawPointer?
  private typealias Read =
    @convention(c) (UnsafeMutableRawPointer?, UnsafeMutableRawPointer?, UInt32) -> Int32
  private typealias Close = @convention(c) (UnsafeMutableRawPointer?) -> Int32

  /// Its interface has kept this number since 1996.
  private static let names = ["libz.so.1", "libz.1.dylib"]
  private static let piece = 1 << 20

  /// Decompresses a file.
  ///
  /// - Parameters:
  ///   - path: a regular file.
  ///   - limit: the most bytes that it may decompress to.
  /// - Returns: what the file holds.
  /// - Throws: `FileError`, also for a file that is no gzip file, is cut or damaged, or is larger, and
  ///   where the system has no zlib.
  public static func contents(of path: String, atMost limit: Int) throws(FileError) -> Data {
    func failure(_ reason: String) -> FileError {
      FileError(path: path, action: "decompressing", reason: reason)
    }
    guard try RegularFile(path).read(upTo: 2).elementsEqual([0x1f, 0x8b]) else {
      throw failure("it is no gzip file")
    }
    guard let zlib = names.lazy.compactMap({ dlopen($0, RTLD_NOW | RTLD_LOCAL) }).first,
      let open = dlsym(zlib, "gzopen"), let read = dlsym(zlib, "gzread"),
      let close = dlsym(zlib, "gzclose")
    else {
      throw failure("the system has no zlib (package zlib1g); gunzip makes a file that is read")
    }
    guard let file = unsafeBitCast(open, to: Open.self)(path, "rb") else {
      throw FileError(path: path, action: "opening", code: errno)
    }
    var bytes = Data()
    var buffer = [UInt8](repeating: 0, count: piece)
    var count: Int32 = 0
    repeat {
      count = unsafeBitCast(read, to: Read.self)(file, &buffer, UInt32(piece))
      if count > 0 { bytes.append(contentsOf: buffer[..<Int(count)]) }
    } while count > 0 && bytes.count <= limit
    // A file that is cut is told when it is closed.
    let isWhole = unsafeBitCast(close, to: Close.self)(file) == 0
    guard bytes.count <= limit else { throw failure("it holds more than \(limit) bytes") }
    guard count == 0, isWhole else { throw failure("it is cut or damaged") }
    return bytes
  }
}
