import Foundation

/// What a journal holds of a run, apart from what each reply cost.
struct Journal: Equatable {
  /// The first line.
  let header: String
  /// Every sample's record without times and memory, in the order of the file.
  let samples: [String]

  init(_ text: String) throws {
    let lines = text.split(separator: "\n").map(String.init)
    header = lines.first ?? ""
    samples = try lines.dropFirst().map { line in
      var record = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
      var response = record["response"] as? [String: Any] ?? [:]
      response["cost"] = nil
      record["response"] = response
      let data = try JSONSerialization.data(withJSONObject: record, options: .sortedKeys)
      return String(decoding: data, as: UTF8.self)
    }
  }
}
