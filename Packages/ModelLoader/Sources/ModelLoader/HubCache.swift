import Foundation

/// The cache in which Hugging Face tools keep downloaded models; only read, never written.
///
/// A model `org/name` lies in `models--org--name/snapshots/REVISION`, and `refs/main` there holds
/// the revision. Source: huggingface_hub documentation, "Understand caching" and "Environment
/// variables".
public struct HubCache: Sendable, Hashable {
  /// The folder with the `models--…` folders.
  public let root: URL

  /// The cache at a known place.
  public init(root: URL) { self.root = root }

  /// The cache that these environment variables choose: `HF_HUB_CACHE`, `HUGGINGFACE_HUB_CACHE`,
  /// `HF_HOME`, `XDG_CACHE_HOME`, in this order, or else `~/.cache/huggingface/hub`.
  public init(environment: [String: String], home: URL) {
    func folder(_ variable: String) -> URL? {
      guard let path = environment[variable], !path.isEmpty else { return nil }
      guard path == "~" || path.hasPrefix("~/") else { return URL(fileURLWithPath: path) }
      return home.appendingPathComponent(String(path.dropFirst(2)))
    }
    let explicit = folder("HF_HUB_CACHE") ?? folder("HUGGINGFACE_HUB_CACHE")
    let caches = folder("XDG_CACHE_HOME") ?? home.appendingPathComponent(".cache")
    let base = folder("HF_HOME") ?? caches.appendingPathComponent("huggingface")
    root = explicit ?? base.appendingPathComponent("hub")
  }

  /// The folder of a model `org/name` in the cache, or nil when it is not there.
  ///
  /// - Throws: `.missing` when a download was not finished, `.malformed` when it cannot be told
  ///   which revision is meant.
  public func snapshot(of repository: String) throws(CheckpointError) -> URL? {
    let folder = root.appendingPathComponent(
      "models--" + repository.replacing("/", with: "--"))
    let snapshots = folder.appendingPathComponent("snapshots")
    guard let revisions = try? FileManager.default.contentsOfDirectory(atPath: snapshots.path),
      !revisions.isEmpty
    else { return nil }
    let reference = folder.appendingPathComponent("refs/main").path
    let revision: String
    if access(reference, F_OK) == 0 {
      let bytes = try FileSource.contents(of: reference, what: "revision", limit: 256)
      revision = String(decoding: bytes, as: UTF8.self)
        .trimmingCharacters(in: .whitespacesAndNewlines)
    } else if revisions.count == 1 {
      revision = revisions[0]
    } else {
      throw .malformed(
        file: snapshots.path, reason: "holds \(revisions.count) revisions and refs/main names none")
    }
    guard revisions.contains(revision) else {
      throw .missing(
        path: snapshots.appendingPathComponent(revision).path,
        what: "the revision that refs/main names; the download was not finished")
    }
    return snapshots.appendingPathComponent(revision)
  }
}
