import Foundation
import SystemCalls

extension HubCache {
  /// A commit of a repository that is in the cache, with the branches and tags that stand at it.
  public struct Snapshot: Sendable, Hashable {
    /// The repository, without revision.
    public let repository: RepositoryName
    /// The commit.
    public let commit: String
    /// Branches and tags that stand at it.
    public let references: [String]
    /// Where its files lie.
    public let folder: URL
    /// Bytes of its files; those it shares with other commits count for each.
    public let bytes: Int

    /// The name by which it is found: with the revision where that is not `main`.
    public var name: String {
      if references.contains("main") { return repository.path }
      return repository.path + "@" + (references.first ?? commit)
    }

    /// Its GGUF files, of split ones the first part, with the variant that tells them from each
    /// other.
    public var ggufFiles: [(variant: String?, file: URL)] {
      GGUFVariant.models(HubCache.paths(in: folder)).map { variant, path in
        (variant, folder.appendingPathComponent(path))
      }
    }
  }

  /// All commits of which files are in the cache, by repository.
  ///
  /// - Throws: `HubError.file`; what others put beside the repositories is passed over.
  public func snapshots(_ kind: RepositoryName.Kind = .model) throws(HubError) -> [Snapshot] {
    var found: [Snapshot] = []
    for name in try Self.names(in: root) {
      guard let repository = Self.repository(ofFolder: name, kind) else { continue }
      let references = try references(of: repository)
      for commit in try commits(of: repository) {
        let folder = snapshot(of: repository, commit: commit)
        found.append(
          Snapshot(
            repository: repository, commit: commit,
            references: references.filter { $0.value == commit }.map(\.key).sorted(),
            folder: folder, bytes: Self.bytes(in: folder)))
      }
    }
    return found
  }

  /// Bytes of files that were begun and not finished.
  public func unfinishedBytes(of repository: RepositoryName) throws(HubError) -> Int {
    let blobs = folder(of: repository).appendingPathComponent("blobs")
    return try Self.names(in: blobs).filter { $0.hasSuffix(".incomplete") }
      .reduce(0) { $0 + Self.size(blobs.path + "/" + $1) }
  }

  /// Removes a repository from the cache, or one revision of it with the files that no other one
  /// has.
  ///
  /// - Returns: bytes that became free.
  /// - Throws: `HubError.unknownModel` for what is not there; `HubError.file`.
  public func remove(_ repository: RepositoryName) throws(HubError) -> Int {
    let folder = folder(of: repository)
    guard access(folder.path, F_OK) == 0 else {
      throw .unknownModel(name: repository.description, advice: "Looked in \(root.path).")
    }
    let before = Self.bytesOnDisk(in: folder)
    if repository.revision == nil {
      try Self.delete(folder)
      try Self.delete(locks(of: repository))
      return before
    }
    guard let commit = try commit(of: repository),
      access(snapshot(of: repository, commit: commit).path, F_OK) == 0
    else {
      throw .unknownModel(name: repository.description, advice: "Looked in \(root.path).")
    }
    for (name, other) in try references(of: repository) where other == commit {
      try Self.delete(folder.appendingPathComponent("refs/\(name)"))
    }
    try Self.delete(snapshot(of: repository, commit: commit))
    try Self.delete(folder.appendingPathComponent("trees/\(commit).json"))
    let left = try commits(of: repository)
    guard !left.isEmpty else {
      try Self.delete(folder)
      try Self.delete(locks(of: repository))
      return before
    }
    var used: Set<String> = []
    for commit in left {
      let snapshot = snapshot(of: repository, commit: commit)
      for path in Self.paths(in: snapshot) {
        let file = snapshot.appendingPathComponent(path).resolvingSymlinksInPath()
        used.insert(file.lastPathComponent)
      }
    }
    for name in try Self.names(in: folder.appendingPathComponent("blobs"))
    where !used.contains(name) {
      try Self.delete(folder.appendingPathComponent("blobs/\(name)"))
    }
    return before - Self.bytesOnDisk(in: folder)
  }

  /// Branches and tags with their commits.
  private func references(of repository: RepositoryName) throws(HubError) -> [String: String] {
    let folder = folder(of: repository).appendingPathComponent("refs")
    var found: [String: String] = [:]
    for name in Self.paths(in: folder) {
      guard let bytes = try? RegularFile.contents(of: folder.path + "/" + name, atMost: 256) else {
        continue
      }
      found[name] = String(decoding: bytes, as: UTF8.self).trimmingCharacters(
        in: .whitespacesAndNewlines)
    }
    return found
  }

  /// The repository of a folder such as `models--org--name`; nil for any other.
  private static func repository(ofFolder name: String, _ kind: RepositoryName.Kind)
    -> RepositoryName?
  {
    let parts = name.components(separatedBy: "--")
    guard parts.count == 3, parts[0] == kind.plural else { return nil }
    return try? RepositoryName(parsing: parts[1] + "/" + parts[2], kind: kind)
  }

  /// The paths of the files in a folder and those below it, sorted.
  static func paths(in folder: URL) -> [String] {
    let found = (try? FileManager.default.subpathsOfDirectory(atPath: folder.path)) ?? []
    return found.filter { path in
      var status = stat()
      return stat(folder.path + "/" + path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }.sorted()
  }

  /// Bytes of the files in a folder, links followed.
  private static func bytes(in folder: URL) -> Int {
    paths(in: folder).reduce(0) { $0 + size(folder.path + "/" + $1) }
  }

  /// Bytes of the files in a folder, each once.
  private static func bytesOnDisk(in folder: URL) -> Int {
    let found = (try? FileManager.default.subpathsOfDirectory(atPath: folder.path)) ?? []
    return found.reduce(0) { sum, path in
      var status = stat()
      guard lstat(folder.path + "/" + path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
        return sum
      }
      return sum + Int(status.st_size)
    }
  }

  private static func size(_ path: String) -> Int {
    var status = stat()
    return stat(path, &status) == 0 ? Int(status.st_size) : 0
  }

  private static func delete(_ place: URL) throws(HubError) {
    var status = stat()
    guard lstat(place.path, &status) == 0 else { return }
    do { try FileManager.default.removeItem(at: place) } catch {
      throw .file(
        FileError(path: place.path, action: "removing", reason: error.localizedDescription))
    }
  }
}
