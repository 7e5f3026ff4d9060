import Foundation
import JSON

/// Texts that users hand in: UTF-8, without the byte order mark that some editors put first.
public enum TextInput {
  /// Stands for standard input in place of a file.
  public static let standardInput = "-"

  /// The most bytes that are read.
  static let mostBytes = 64 << 20

  /// The bytes of a file, or of what a pipe brings.
  ///
  /// - Throws: `UserError` with the reason.
  public static func bytes(of path: String) throws -> Data {
    if path == standardInput { return try bytes(from: STDIN_FILENO, of: "standard input") }
    guard !path.isEmpty else { throw UserError("a file name is empty") }
    // A pipe that nobody writes to is not waited for.
    let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY)
    guard descriptor >= 0 else {
      throw UserError(
        errno == ENOENT
          ? "\(path): not found" : "\(path): cannot be read: \(String(cString: strerror(errno)))")
    }
    defer { close(descriptor) }
    var status = stat()
    let kind = fstat(descriptor, &status) == 0 ? status.st_mode & S_IFMT : 0
    switch kind {
    case S_IFREG: break
    case S_IFIFO: _ = fcntl(descriptor, F_SETFL, 0)
    case S_IFDIR: throw UserError("\(path): is a folder; a file is expected")
    default: throw UserError("\(path): is no regular file; a file or a pipe is expected")
    }
    return try bytes(from: descriptor, of: path)
  }

  private static func bytes(from descriptor: Int32, of name: String) throws -> Data {
    let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: false)
    var bytes = Data()
    do {
      while bytes.count <= mostBytes, let more = try handle.read(upToCount: 1 << 20), !more.isEmpty
      {
        bytes += more
      }
    } catch {
      throw UserError("\(name): cannot be read: \(error.localizedDescription)")
    }
    guard bytes.count <= mostBytes else {
      throw UserError("\(name): is larger than the \(mostBytes) bytes that a text may have")
    }
    return bytes
  }

  /// The text of a file.
  ///
  /// - Throws: `UserError` with the reason, or the offset of the first byte that is no UTF-8.
  public static func text(of path: String) throws -> String {
    try text(bytes(of: path), of: path)
  }

  /// Bytes as text; `path` is where they come from.
  ///
  /// - Throws: `UserError` with the offset of the first byte that is no UTF-8.
  public static func text(_ bytes: Data, of path: String) throws -> String {
    do { return try UTF8Text.text(of: bytes) } catch {
      throw UserError("\(path == standardInput ? "standard input" : path): \(error)")
    }
  }

  /// Makes sure that the arguments of the process are UTF-8, which `CommandLine` takes for granted.
  ///
  /// - Throws: `UserError` with the number of the argument and the offset.
  public static func checkArguments() throws {
    for index in 0..<Int(CommandLine.argc) {
      guard let argument = CommandLine.unsafeArgv[index] else { continue }
      let bytes = UnsafeRawBufferPointer(start: argument, count: strlen(argument))
      do { _ = try UTF8Text.text(of: bytes) } catch {
        throw UserError("argument \(index): \(error)")
      }
    }
  }
}
