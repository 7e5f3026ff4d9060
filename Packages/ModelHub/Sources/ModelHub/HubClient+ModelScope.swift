import Crypto
import Foundation
import JSON

/// The protocol of ModelScope, a second hub: `GET /api/v1/models/ORG/NAME/repo/files` lists files
/// with their SHA-256, `GET /api/v1/models/ORG/NAME/repo` gives one.
///
/// Source: modelscope/modelscope, `hub/api.py` and `hub/file_download.py`. There are no commits in
/// its answers, so that a listing is known by a digest of its files; the cache is the same.
extension HubClient {
  /// The branch that is meant where none is named.
  static let modelScopeBranch = "master"

  /// All files of a repository at ModelScope.
  ///
  /// - Throws: `HubError`.
  func modelScopeListing(of repository: RepositoryName) throws(HubError) -> HubListing {
    guard repository.kind == .model else {
      throw .badSetting(
        variable: "HF_ENDPOINT", value: settings.endpoint.absoluteString,
        expected: "the hub of Hugging Face, where data sets are fetched from")
    }
    let url = try Self.modelScopeURL(
      settings.endpoint, repository, "repo/files",
      query: "Revision=\(Self.escaped(Self.revision(of: repository)))&Recursive=true")
    let answer = try json(url, of: repository).value
    guard let entries = answer["Data"]?["Files"]?.array, entries.count <= Self.fileLimit else {
      throw .malformed(
        url: url.shown, expected: "Data.Files, a list of files",
        found: answer["Message"]?.string ?? answer.summary)
    }
    var files: [HubFile] = []
    for entry in entries where entry["Type"]?.string != "tree" {
      guard let path = entry["Path"]?.string, let size = entry["Size"]?.integer,
        let digest = entry["Sha256"]?.string
      else {
        throw .malformed(
          url: url.shown, expected: "Path, Size and Sha256 of a file", found: entry.summary)
      }
      files.append(
        try HubFile(
          path: path, size: size, blobID: Self.pointerID(sha256: digest, size: size),
          sha256: digest, in: repository.path))
    }
    return HubListing(repository: repository, commit: Self.commit(of: files), files: files)
  }

  /// The address of a file at ModelScope.
  func modelScopeAddress(
    of file: HubFile, _ repository: RepositoryName
  ) throws(HubError) -> URL {
    try Self.modelScopeURL(
      settings.endpoint, repository, "repo",
      query: "Revision=\(Self.escaped(Self.revision(of: repository)))"
        + "&FilePath=\(Self.escaped(file.path))")
  }

  private static func revision(of repository: RepositoryName) -> String {
    repository.revision ?? modelScopeBranch
  }

  private static func modelScopeURL(
    _ endpoint: URL, _ repository: RepositoryName, _ path: String, query: String
  ) throws(HubError) -> URL {
    try url(
      endpoint.appendingPathComponent("api/v1/models").appendingPathComponent(repository.path),
      path, query: query)
  }

  /// The digest by which Git knows the pointer that stands for a large file.
  private static func pointerID(sha256: String, size: Int) -> String {
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:\(sha256)\nsize \(size)\n"
    return sha1("blob \(pointer.utf8.count)\0" + pointer)
  }

  /// 40 digits that are the same for the same files.
  private static func commit(of files: [HubFile]) -> String {
    sha1(files.map { "\($0.etag) \($0.path)\n" }.sorted().joined())
  }

  private static func sha1(_ text: String) -> String {
    Insecure.SHA1.hash(data: Data(text.utf8)).hexadecimal
  }
}
