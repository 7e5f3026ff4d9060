import Foundation

/// What a path that is to be written stands for.
///
/// Links are followed, so that a link stays and what it points at changes.
public enum OutputPlace: Hashable, Sendable {
  /// A regular file at this path, which exists or not: a new one takes its place when complete.
  case file(String)
  /// A terminal, device or pipe at this path: bytes go through it, and the node stays.
  case stream(String)

  /// Looks at a path.
  ///
  /// - Throws: `FileError` for a folder, a disk, a socket, a file that may not be written, and
  ///   links that end nowhere.
  public init(_ path: String) throws(FileError) {
    var status = stat()
    guard stat(path, &status) == 0 else {
      guard errno == ENOENT else { throw FileError(path: path, action: "writing", code: errno) }
      self = .file(try Self.target(ofLinks: path))
      return
    }
    switch status.st_mode & S_IFMT {
    case S_IFREG:
      guard access(path, W_OK) == 0 else {
        throw FileError(path: path, action: "writing", code: errno)
      }
      guard let resolved = realpath(path, nil) else {
        throw FileError(path: path, action: "writing", code: errno)
      }
      self = .file(String(cString: resolved))
      free(resolved)
    case S_IFCHR, S_IFIFO: self = .stream(path)
    case S_IFDIR: throw FileError(path: path, action: "writing", code: EISDIR)
    case S_IFBLK: throw FileError(path: path, action: "writing", reason: "it is a disk")
    default: throw FileError(path: path, action: "writing", reason: "it is no regular file")
    }
  }

  /// The path that does not exist yet and that `path` names directly or by links.
  private static func target(ofLinks path: String) throws(FileError) -> String {
    var path = path
    for _ in 0..<40 {
      var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
      let length = readlink(path, &buffer, buffer.count - 1)
      guard length >= 0 else { return path }
      let bytes = buffer[..<length].map { UInt8(bitPattern: $0) }
      let next = String(decoding: bytes, as: UTF8.self)
      path = next.hasPrefix("/") ? next : folder(of: path) + "/" + next
    }
    throw FileError(path: path, action: "writing", code: ELOOP)
  }

  /// The folder that a path lies in.
  static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// The last part of a path.
  static func name(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
  }
}
