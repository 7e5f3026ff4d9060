import JSON

/// The ids of special tokens that a model's configuration files name. The first file that names a
/// token decides.
public struct SpecialTokenIDs: Sendable {
  /// The ids that end a text; empty where no file names one.
  public let ends: [Int]
  /// The id that begins a text; nil where no file names one.
  public let start: Int?

  /// An id as it stands in a file.
  private struct Entry {
    let file: String
    let key: String
    let id: Int
  }

  private let entries: [Entry]

  /// What is said where an id is no token, by key.
  private static let consequences = [
    "eos_token_id": "; no text ends by it", "bos_token_id": "; no text begins with it",
    "pad_token_id": "",
  ]

  /// Reads the files, the one that decides first.
  ///
  /// - Throws: `CheckpointError.value` for what is neither an id nor a list of ids, in any of them.
  init(_ files: [JSONObject]) throws(CheckpointError) {
    var (entries, ends, start) = ([Entry](), [Int](), Int?.none)
    for file in files {
      for key in Self.consequences.keys.sorted() {
        let ids = try Self.ids(key, in: file)
        if key == "eos_token_id", ends.isEmpty { ends = ids }
        if key == "bos_token_id", start == nil { start = ids.first }
        entries += ids.map { Entry(file: file.file, key: key, id: $0) }
      }
    }
    (self.entries, self.ends, self.start) = (entries, ends, start)
  }

  private static func ids(_ key: String, in file: JSONObject) throws(CheckpointError) -> [Int] {
    let value = file.members[key] ?? .null
    if value == .null { return [] }
    let elements = value.array ?? [value]
    let ids = elements.compactMap { element -> Int? in
      guard case .integer(let id) = element else { return nil }
      return id
    }
    guard ids.count == elements.count else {
      throw file.wrong(key, expected: "a token id, or a list of token ids")
    }
    return ids
  }

  /// The ids that are no token of a vocabulary of so many, for warnings: file, key, id and what comes
  /// of it. By -1 files say that a text has no beginning and no padding.
  public func strangers(vocabulary: Int) -> [String] {
    entries.filter { entry in
      !(0..<vocabulary).contains(entry.id) && !(entry.id == -1 && entry.key != "eos_token_id")
    }.map { entry in
      "\(entry.file): \(entry.key): \(entry.id) is none of the \(vocabulary) tokens"
        + (Self.consequences[entry.key] ?? "")
    }
  }
}

extension Checkpoint {
  /// The special tokens that `generation_config.json` names, or else `config.json`, which may hold
  /// those of a text model in an object of its own.
  ///
  /// - Throws: `CheckpointError.value` for what is no id.
  public func specialTokenIDs() throws(CheckpointError) -> SpecialTokenIDs {
    try SpecialTokenIDs(
      [generationConfig, config, config.objectIfPresent("text_config")].compactMap(\.self))
  }
}
