import Foundation
import SystemCalls

/// Where benchmark data may lie on this machine. Nothing is ever fetched.
public struct DataFolders: Sendable, Hashable {
  /// Folders to look in, the first one first.
  public var folders: [URL]
  /// The hub's cache: the folder with `datasets--org--name/snapshots/...`, if there is one.
  public var hubCache: URL?

  /// Keeps the places.
  public init(folders: [URL], hubCache: URL? = nil) {
    self.folders = folders
    self.hubCache = hubCache
  }

  /// The layouts of a benchmark's data whose files are in the first place that holds any, with
  /// those files: one file may hold rows of one layout or another.
  ///
  /// A file is looked for in the folder of the definition, in each folder's subfolder named like
  /// the benchmark, then in the folder itself, and last in the snapshot of the hub's cache that
  /// `refs/main` names.
  ///
  /// - Throws: ``EvaluationError/dataMissing(benchmark:files:searched:fetch:)``.
  func locate(
    _ definition: BenchmarkDefinition
  ) throws(EvaluationError) -> [(source: DataSource, files: [URL])] {
    let named = folders.flatMap { [$0.appending(path: definition.name), $0] }
    for folder in [definition.folder].compactMap(\.self) + named {
      let found = definition.data.compactMap { source in
        Self.matches(of: source.files, in: folder).map { (source, $0) }
      }
      if !found.isEmpty { return found }
    }
    let cached = definition.data.compactMap { source in
      snapshot(of: source).flatMap { Self.matches(of: source.files, in: $0) }.map { (source, $0) }
    }
    if !cached.isEmpty { return cached }
    throw .dataMissing(
      benchmark: definition.name,
      files: definition.data.map { $0.files.joined(separator: " + ") },
      searched: folders.map(\.path) + (hubCache.map { [$0.path] } ?? []),
      fetch: definition.fetch)
  }

  /// The folder of a data set's current snapshot in the hub's cache.
  private func snapshot(of source: DataSource) -> URL? {
    guard let hubCache, let hub = source.hub else { return nil }
    let name = "datasets--" + hub.replacingOccurrences(of: "/", with: "--")
    let folder = hubCache.appending(path: name)
    let main = folder.appending(path: "refs/main")
    guard let revision = try? TextFile.contents(of: main.path, atMost: 256) else { return nil }
    let commit = revision.trimmingCharacters(in: .whitespacesAndNewlines)
    guard !commit.isEmpty, commit.allSatisfy({ $0.isLetter || $0.isNumber }) else { return nil }
    return folder.appending(path: "snapshots/\(commit)")
  }

  /// The files that match the patterns, or nil when one pattern matches nothing.
  private static func matches(of patterns: [String], in folder: URL) -> [URL]? {
    var files: [URL] = []
    for pattern in patterns {
      let found = matches(of: pattern.split(separator: "/")[...], in: folder)
      guard !found.isEmpty else { return nil }
      files += found
    }
    return files
  }

  private static func matches(of components: ArraySlice<Substring>, in folder: URL) -> [URL] {
    guard let first = components.first else { return [folder] }
    guard first.contains("*") else {
      let next = folder.appending(path: String(first))
      return FileManager.default.fileExists(atPath: next.path)
        ? matches(of: components.dropFirst(), in: next) : []
    }
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.sorted().filter { isMatch($0[...], first) }.flatMap {
      matches(of: components.dropFirst(), in: folder.appending(path: $0))
    }
  }

  /// Whether a name matches a pattern in which `*` stands for any characters.
  static func isMatch(_ name: Substring, _ pattern: Substring) -> Bool {
    let pieces = pattern.split(separator: "*", omittingEmptySubsequences: false)
    guard pieces.count > 1, let head = pieces.first, let tail = pieces.last else {
      return name == pattern
    }
    guard name.hasPrefix(head), name.dropFirst(head.count).hasSuffix(tail) else { return false }
    var rest = name.dropFirst(head.count).dropLast(tail.count)
    for piece in pieces.dropFirst().dropLast() where !piece.isEmpty {
      guard let found = rest.firstRange(of: piece) else { return false }
      rest = rest[found.upperBound...]
    }
    return true
  }
}
