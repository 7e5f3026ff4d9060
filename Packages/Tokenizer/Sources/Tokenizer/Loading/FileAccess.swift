import Foundation
import JSON

/// Reading the files of a model folder.
enum FileAccess {
  /// The bytes of `name` in `directory`; nil when there is no such file.
  static func read(_ name: String, in directory: URL) throws(TokenizerError) -> [UInt8]? {
    let url = directory.appendingPathComponent(name)
    guard FileManager.default.fileExists(atPath: url.path) else { return nil }
    do {
      return Array(try Data(contentsOf: url))
    } catch {
      throw .unreadable(file: url.path, reason: error.localizedDescription)
    }
  }

  /// The JSON document `name` in `directory`; nil when there is no such file.
  static func readJSON(_ name: String, in directory: URL) throws(TokenizerError) -> ConfigNode? {
    guard let bytes = try read(name, in: directory) else { return nil }
    let file = path(name, in: directory)
    return ConfigNode(
      value: try JSONValue(
        parsing: bytes, file: file, dialect: .python, failure: TokenizerError.self),
      file: file, key: "")
  }

  /// The path of `name` in `directory`, as errors show it.
  static func path(_ name: String, in directory: URL) -> String {
    directory.appendingPathComponent(name).path
  }
}
