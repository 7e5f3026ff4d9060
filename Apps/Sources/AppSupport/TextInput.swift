import Foundation
import JSON

/// Texts that users hand in: UTF-8, without the byte order mark that some editors put first.
public enum TextInput {
  /// Stands for standard input in place of a file.
  public static let standardInput = "-"

  /// The bytes of a file, or of what a pipe brings.
  ///
  /// - Throws: `UserError` with the reason.
  public static func bytes(of path: String) throws -> Data {
    if path == standardInput {
      do { return try FileHandle.standardInput.readToEnd() ?? Data() } catch {
        throw UserError("standard input: cannot be read: \(error.localizedDescription)")
      }
    }
    var isFolder: ObjCBool = false
    guard !path.isEmpty else { throw UserError("a file name is empty") }
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw UserError("\(path): not found")
    }
    if isFolder.boolValue { throw UserError("\(path): is a folder; a file is expected") }
    guard access(path, R_OK) == 0 else {
      throw UserError("\(path): cannot be read: \(String(cString: strerror(errno)))")
    }
    do {
      let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
      return try handle.readToEnd() ?? Data()
    } catch {
      throw UserError("\(path): cannot be read: \(error.localizedDescription)")
    }
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
