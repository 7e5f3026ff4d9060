import Foundation
import JSON
import SystemCalls

/// `trees/COMMIT.json` in the folder of a repository: all files that a commit has, so that without
/// the hub it can be told whether a snapshot is whole.
///
/// Source: huggingface_hub, `_tree_cache.py`, format version 1; written with the same bytes.
enum TreeFile {
  private static let version = 1
  private static let limit = HubClient.answerLimit

  /// Keeps a listing.
  ///
  /// - Throws: `HubError.file`.
  static func write(_ listing: HubListing, in cache: HubCache) throws(HubError) {
    let file = path(listing.repository, listing.commit, cache)
    if access(file, F_OK) == 0 { return }
    let text = text(listing.files)
    try onDisk { () throws(FileError) in
      try FileCalls.makeFolder(cache.folder(of: listing.repository).path + "/trees")
      try AtomicFile.write(Data(text.utf8), to: file)
    }
  }

  /// The listing of a commit that was kept; nil where none was, or where it cannot be read: it is a
  /// help, no need.
  static func read(
    _ repository: RepositoryName, _ commit: String, in cache: HubCache
  ) -> HubListing? {
    let file = path(repository, commit, cache)
    guard let bytes = try? RegularFile.contents(of: file, atMost: limit),
      let value = try? JSONValue(parsing: bytes, file: file),
      value["format_version"]?.integer == version, let entries = value["files"]?.object
    else { return nil }
    var files: [HubFile] = []
    for (path, entry) in entries.members {
      guard let id = entry["blob_id"]?.string,
        let size = (entry["lfs_size"] ?? entry["size"])?.integer,
        let file = try? HubFile(
          path: path, size: size, blobID: id, sha256: entry["lfs_sha256"]?.string,
          xetHash: entry["xet_hash"]?.string, in: repository.path)
      else { return nil }
      files.append(file)
    }
    return HubListing(repository: repository, commit: commit, files: files)
  }

  private static func path(
    _ repository: RepositoryName, _ commit: String, _ cache: HubCache
  ) -> String {
    cache.folder(of: repository).path + "/trees/\(commit).json"
  }

  /// As Python's `json.dump` writes it with an indent of 1.
  static func text(_ files: [HubFile]) -> String {
    let sorted = files.sorted {
      $0.path.unicodeScalars.lexicographicallyPrecedes($1.path.unicodeScalars)
    }
    let entries = sorted.map { file in
      var members = ["\"size\": \(file.size)", "\"blob_id\": \"\(file.blobID)\""]
      if let sha256 = file.sha256 {
        members += ["\"lfs_sha256\": \"\(sha256)\"", "\"lfs_size\": \(file.size)"]
      }
      if let hash = file.xetHash { members.append("\"xet_hash\": \"\(hash)\"") }
      return "  \(quoted(file.path)): {\n" + members.map { "   " + $0 }.joined(separator: ",\n")
        + "\n  }"
    }
    let list = entries.isEmpty ? "{}" : "{\n" + entries.joined(separator: ",\n") + "\n }"
    return "{\n \"format_version\": \(version),\n \"files\": \(list)\n}"
  }

  /// In quotation marks, everything beyond ASCII as `\uXXXX`.
  private static func quoted(_ text: String) -> String {
    JSONValue.quoted(text).utf16.map { unit in
      if unit <= 0x7E { return String(UnicodeScalar(UInt8(unit))) }
      let digits = String(unit, radix: 16)
      return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    }.joined()
  }
}
