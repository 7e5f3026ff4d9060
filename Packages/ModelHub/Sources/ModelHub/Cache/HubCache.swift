import Foundation
import SystemCalls

/// The cache in which the tools of Hugging Face keep what they downloaded, and this program too.
///
/// A model `org/name` lies in `models--org--name`: `blobs/ETAG` are the files by their digests,
/// `snapshots/COMMIT/PATH` are links to them, `refs/BRANCH` holds the commit that a branch stood
/// at, and `trees/COMMIT.json` lists all files of a commit. Source: huggingface_hub documentation,
/// "Understand caching" and "Environment variables", and its `file_download.py` and
/// `_tree_cache.py`.
public struct HubCache: Sendable, Hashable {
  /// The folder with the `models--…` folders.
  public let root: URL

  /// The cache at a known place.
  public init(root: URL) { self.root = root }

  /// The cache that these environment variables choose: `HF_HUB_CACHE`, `HUGGINGFACE_HUB_CACHE`,
  /// `HF_HOME`, `XDG_CACHE_HOME`, in this order, or else `~/.cache/huggingface/hub`.
  public init(environment: [String: String], home: URL) {
    func folder(_ variable: String) -> URL? {
      Self.folder(variable, environment: environment, home: home)
    }
    root =
      folder("HF_HUB_CACHE") ?? folder("HUGGINGFACE_HUB_CACHE")
      ?? Self.home(environment: environment, home: home).appendingPathComponent("hub")
  }

  /// The folder that a variable names, if it is set.
  static func folder(_ variable: String, environment: [String: String], home: URL) -> URL? {
    guard let path = environment[variable], !path.isEmpty else { return nil }
    guard path == "~" || path.hasPrefix("~/") else { return URL(fileURLWithPath: path) }
    return home.appendingPathComponent(String(path.dropFirst(2)))
  }

  /// The folder of the hub's tools, in which the cache and the token lie where nothing else is
  /// said.
  static func home(environment: [String: String], home: URL) -> URL {
    let caches =
      folder("XDG_CACHE_HOME", environment: environment, home: home)
      ?? home.appendingPathComponent(".cache")
    return folder("HF_HOME", environment: environment, home: home)
      ?? caches.appendingPathComponent("huggingface")
  }

  /// The folder of a repository, whether it is there or not.
  public func folder(of repository: RepositoryName) -> URL {
    root.appendingPathComponent(
      "\(repository.kind.plural)--\(repository.organisation)--\(repository.name)")
  }

  /// The folder of a commit of a repository, whether it is there or not.
  func snapshot(of repository: RepositoryName, commit: String) -> URL {
    folder(of: repository).appendingPathComponent("snapshots/\(commit)")
  }

  /// The commit that a name means by what is in the cache: itself where it is one, else what `refs`
  /// holds for the branch or tag, by default `main`. Another is never guessed.
  ///
  /// - Throws: `HubError.damaged` for a reference that names no commit.
  public func commit(of repository: RepositoryName) throws(HubError) -> String? {
    let revision = repository.revisionInForce
    if RepositoryName.isCommit(revision) { return revision }
    let file = folder(of: repository).appendingPathComponent("refs/\(revision)").path
    guard access(file, F_OK) == 0 else { return nil }
    let bytes = try onDisk { () throws(FileError) in
      try RegularFile.contents(of: file, atMost: 256)
    }
    let commit = String(decoding: bytes, as: UTF8.self)
      .trimmingCharacters(in: .whitespacesAndNewlines)
    // Other tools write only commits, but tests and people write short ones.
    guard !commit.isEmpty, commit.utf8.allSatisfy(Self.isWordByte) else {
      throw .damaged(file: file, reason: "names no commit")
    }
    return commit
  }

  private static func isWordByte(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20)
  }

  /// The folder with the files of a repository at the revision that its name means, or nil where it
  /// is not there.
  ///
  /// - Throws: `HubError.incomplete` where a download was begun and not finished, or where other
  ///   revisions are there.
  public func snapshot(of repository: RepositoryName) throws(HubError) -> URL? {
    guard let commit = try commit(of: repository) else {
      guard let other = try commits(of: repository).first, repository.revision == nil else {
        return nil
      }
      throw .incomplete(
        repository: repository.path, missing: "the revision 'main'",
        advice: "\(repository.path)@\(other) is there.")
    }
    let snapshot = snapshot(of: repository, commit: commit)
    if access(snapshot.path, F_OK) == 0 { return snapshot }
    guard repository.revision == nil || !RepositoryName.isCommit(repository.revisionInForce) else {
      return nil
    }
    throw .incomplete(
      repository: repository.path, missing: snapshot.path,
      advice: "refs/\(repository.revisionInForce) names it; the download was not finished.")
  }

  /// The commits of which files are there, sorted.
  ///
  /// - Throws: `HubError.file`.
  public func commits(of repository: RepositoryName) throws(HubError) -> [String] {
    try Self.names(in: folder(of: repository).appendingPathComponent("snapshots"))
      .filter { !$0.hasPrefix(".") }
  }

  /// The names in a folder, sorted; none where it is not there.
  static func names(in folder: URL) throws(HubError) -> [String] {
    guard access(folder.path, F_OK) == 0 else { return [] }
    do {
      return try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    } catch {
      throw .file(
        FileError(path: folder.path, action: "reading", reason: error.localizedDescription))
    }
  }
}
