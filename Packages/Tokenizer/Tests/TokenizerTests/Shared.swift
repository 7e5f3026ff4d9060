import Foundation
import JSON
import Testing
import Tokenizer

/// Golden data and real tokenizers, which lie beside the repository where they are present.
enum Shared {
  /// `BITBUDGET_GOLDENS`, or `../shared/goldens` seen from the repository root.
  static let goldens: URL? = {
    if let path = ProcessInfo.processInfo.environment["BITBUDGET_GOLDENS"] {
      return URL(fileURLWithPath: path)
    }
    return existing(besideRoot.appendingPathComponent("goldens"))
  }()

  /// `../shared/data` seen from the repository root.
  static let data = existing(besideRoot.appendingPathComponent("data"))

  private static let besideRoot: URL = {
    var root = URL(fileURLWithPath: #filePath)
    for _ in 0..<5 { root.deleteLastPathComponent() }
    return root.deletingLastPathComponent().appendingPathComponent("shared")
  }()

  private static func existing(_ url: URL) -> URL? {
    FileManager.default.fileExists(atPath: url.path) ? url : nil
  }

  /// The golden document `name`, or nil where it is absent.
  static func golden(_ name: String) -> URL? {
    goldens.flatMap { existing($0.appendingPathComponent(name)) }
  }

  /// The folder of a real tokenizer, or nil where it is absent.
  static func tokenizer(_ family: String) -> URL? {
    data.flatMap { existing($0.appendingPathComponent("tokenizers/\(family)")) }
  }

  /// Reads a JSON document.
  static func json(_ url: URL) throws -> JSONValue {
    try JSONValue(parsing: try Data(contentsOf: url), file: url.lastPathComponent)
  }
}

extension JSONValue {
  /// The elements of an array of integers.
  var ids: [Int32]? { array?.compactMap { $0.integer.map(Int32.init) } }
}
