import Foundation
import SystemCalls

/// Finds the folder or file of a model by what people call it. Nothing is downloaded.
public struct ModelLocator: Sendable {
  private let cache: HubCache
  private let known: [KnownModel]
  private let pull: String

  /// A locator.
  ///
  /// - Parameters:
  ///   - cache: where downloaded models lie.
  ///   - known: models with short names.
  ///   - pull: what a user types before a name to fetch it, for messages.
  public init(
    cache: HubCache, known: [KnownModel] = KnownModel.qwen3, pull: String = "bitbudget pull"
  ) {
    self.cache = cache
    self.known = known
    self.pull = pull
  }

  /// The model `name`: a path, a short name, or `org/name` in the hub cache, with `@revision` or
  /// `:variant`.
  ///
  /// - Returns: a folder, or a GGUF file.
  /// - Throws: `HubError.unknownModel` saying what to fetch and how; `.incomplete` for what is
  ///   there in part.
  public func locate(_ name: String) throws(HubError) -> URL {
    guard !name.isEmpty, !name.utf8.contains(0) else {
      throw .unknownModel(name: "\"\"", advice: "Give a folder or the name of a model.")
    }
    // Whatever begins like this can only be meant as a path.
    if ["/", "./", "../", "~"].contains(where: { name.hasPrefix($0) }) || name == ".."
      || name == "."
    {
      guard access(name, F_OK) == 0 else {
        throw .file(FileError(path: name, action: "opening", code: errno))
      }
      return URL(fileURLWithPath: name)
    }
    let repository = try repository(of: name)
    guard let snapshot = try snapshot(of: repository) else {
      throw .unknownModel(
        name: name == repository.description ? name : "\(name) (\(repository))",
        advice: advice(for: repository))
    }
    return try place(of: repository, in: snapshot)
  }

  /// The repository that a name stands for.
  ///
  /// - Throws: `HubError.unknownModel` listing the short names for what cannot be one.
  public func repository(of name: String) throws(HubError) -> RepositoryName {
    do throws(HubError) {
      return try KnownModel.repository(of: name, among: known)
    } catch {
      // What has a slash was meant as a repository, and its fault can be told.
      guard case .badName(_, let reason) = error, name.contains("/") else {
        let names = known.map(\.shortName).joined(separator: ", ")
        throw .unknownModel(
          name: name,
          advice: "Give the path of a folder, a repository as org/name, or one of: \(names).")
      }
      throw .unknownModel(name: name, advice: "The name is wrong: \(reason).")
    }
  }

  private func snapshot(of repository: RepositoryName) throws(HubError) -> URL? {
    do throws(HubError) {
      return try cache.snapshot(of: repository)
    } catch {
      guard case .incomplete(let name, let missing, let advice) = error else { throw error }
      throw .incomplete(
        repository: name, missing: missing,
        advice: "\(advice) \(command(repository)) fetches the rest.")
    }
  }

  /// The folder, or the GGUF file in it that is meant.
  private func place(of repository: RepositoryName, in snapshot: URL) throws(HubError) -> URL {
    try checkWhole(repository, snapshot)
    let isFolder = access(snapshot.path + "/config.json", F_OK) == 0
    if isFolder && repository.variant == nil { return snapshot }
    let there = GGUFVariant.weights(HubCache.paths(in: snapshot))
    if there.isEmpty && repository.variant == nil { return snapshot }
    do throws(HubError) {
      let files = try GGUFVariant.files(of: repository.variant, among: there, in: repository)
      return snapshot.appendingPathComponent(files[0])
    } catch {
      guard case .noFiles(_, let reason) = error else { throw error }
      throw .unknownModel(
        name: repository.description,
        advice: "In the cache \(reason). \(command(repository)) fetches it.")
    }
  }

  /// Compares a snapshot with the hub's listing, where that was kept.
  private func checkWhole(_ repository: RepositoryName, _ snapshot: URL) throws(HubError) {
    let commit = snapshot.lastPathComponent
    guard let listing = TreeFile.read(repository, commit, in: cache),
      let files = try? FileChoice.essential(listing),
      let missing = files.first(where: { !cache.has($0, repository, commit: commit) })
    else { return }
    // Of a repository with both forms, one may have been fetched.
    let hasOther = !GGUFVariant.weights(HubCache.paths(in: snapshot)).isEmpty
    if repository.variant == nil && hasOther { return }
    throw .incomplete(
      repository: repository.description, missing: missing.path,
      advice: "\(command(repository)) fetches the rest.")
  }

  private func command(_ repository: RepositoryName) -> String { "`\(pull) \(repository)`" }

  private func advice(for repository: RepositoryName) -> String {
    let bytes = known.first { $0.repository == repository.path }?.bytes
    let size = bytes.map { String(format: " (%.1f GB)", Double($0) / 1e9) } ?? ""
    return
      "Looked in \(cache.root.path). \(command(repository)) fetches it\(size), and so does --pull."
  }
}
