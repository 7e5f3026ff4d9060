import Foundation
import SystemCalls

/// A folder that appears under its final name whole or not at all.
///
/// It grows as `.NAME.partial` beside the target, held by a lock on `.NAME.lock`, and is renamed at
/// the end. The lock dies with its process, so what a killed run left behind is recognised by the
/// lock being free, and removed.
final class StagedFolder {
  /// Where to write files meanwhile.
  let path: String
  private let target: String
  /// Where a folder that is replaced waits until the new one stands in its place.
  private let old: String
  private let replacing: Bool
  private var lock: OutputLock?

  /// Starts a folder that will become `target`.
  ///
  /// - Parameters:
  ///   - target: the final path; the folder it stands in must exist.
  ///   - replacing: whether an existing model folder, or an empty one, may be replaced.
  ///   - source: a folder that must not be touched.
  /// - Throws: `.occupied` when the target exists, is the source, or is being written by someone
  ///   else; `.missing`, `.system`.
  init(target: URL, replacing: Bool, source: URL?) throws(CheckpointError) {
    let target = target.standardizedFileURL
    let parent = target.deletingLastPathComponent()
    let name = target.lastPathComponent
    guard access(parent.path, F_OK) == 0 else {
      throw .missing(path: parent.path, what: "the folder to write into")
    }
    // Links are resolved, so that the source is recognised by any of its names.
    let resolved = parent.resolvingSymlinksInPath()
    func beside(_ suffix: String) -> String {
      resolved.appendingPathComponent(".\(name).\(suffix)").path
    }
    self.target = resolved.appendingPathComponent(name).path
    self.replacing = replacing
    path = beside("partial")
    old = beside("replaced")
    if let source {
      let source = source.resolvingSymlinksInPath().path
      let final = URL(fileURLWithPath: self.target).resolvingSymlinksInPath().path
      guard !(final + "/").hasPrefix(source + "/"), !(source + "/").hasPrefix(final + "/") else {
        throw .occupied(path: target.path, reason: "is, holds or lies in the model that is read")
      }
    }
    try Self.checkFree(self.target, replacing: replacing)
    lock = try OutputLock(beside("lock"))
    // Another run may have ended while this one waited for the lock.
    try Self.checkFree(self.target, replacing: replacing)
    // Whoever holds the lock knows that these can only be the leftovers of a killed run.
    if access(self.target, F_OK) != 0, access(old, F_OK) == 0 {
      try Self.rename(old, to: self.target)
      try Self.checkFree(self.target, replacing: replacing)
    }
    try? FileManager.default.removeItem(atPath: old)
    try? FileManager.default.removeItem(atPath: path)
    try CheckpointError.wrapping { [path] () throws(FileError) in
      try FileCalls.makeFolder(path)
    }
  }

  deinit { discard() }

  /// Refuses a target that exists, unless it is a folder that may be replaced.
  private static func checkFree(_ path: String, replacing: Bool) throws(CheckpointError) {
    var status = stat()
    guard lstat(path, &status) == 0 else { return }
    guard status.st_mode & S_IFMT == S_IFDIR else {
      throw .occupied(path: path, reason: "exists and is not a folder")
    }
    guard replacing else { throw .occupied(path: path, reason: "exists") }
    let names: [String]
    do { names = try FileManager.default.contentsOfDirectory(atPath: path).sorted() } catch {
      throw .occupied(path: path, reason: "cannot be read: \(error.localizedDescription)")
    }
    if names.isEmpty { return }
    guard names.contains("config.json"), names.contains(CheckpointWriter.recordFile) else {
      throw .occupied(
        path: path,
        reason: "is not empty and no model that was written here; it will not be replaced")
    }
    let foreign = names.filter { !CheckpointWriter.writes($0) }
    guard foreign.isEmpty else {
      let more = foreign.count > 5 ? " and \(foreign.count - 5) more" : ""
      throw .occupied(
        path: path,
        reason: "holds files that are no part of a model: "
          + foreign.prefix(5).joined(separator: ", ") + more + "; it will not be replaced")
    }
  }

  /// Gives the folder its final name, durably; nothing can be written afterwards.
  ///
  /// - Throws: `.occupied` when the target has appeared meanwhile; `.system`.
  func publish() throws(CheckpointError) {
    guard let lock else { throw .system(path: path, action: "renaming", code: EBADF) }
    try Self.sync(path)
    try Self.checkFree(target, replacing: replacing)
    let replaces = access(target, F_OK) == 0
    if replaces { try Self.rename(target, to: old) }
    do throws(CheckpointError) {
      try Self.rename(path, to: target)
    } catch {
      if replaces { try Self.rename(old, to: target) }
      throw error
    }
    try? FileManager.default.removeItem(atPath: old)
    try Self.sync(URL(fileURLWithPath: target).deletingLastPathComponent().path)
    lock.release()
    self.lock = nil
  }

  /// Removes everything written so far.
  func discard() {
    guard let lock else { return }
    try? FileManager.default.removeItem(atPath: path)
    lock.release()
    self.lock = nil
  }

  private static func rename(_ from: String, to: String) throws(CheckpointError) {
    try CheckpointError.wrapping { () throws(FileError) in try FileCalls.rename(from, to: to) }
  }

  private static func sync(_ folder: String) throws(CheckpointError) {
    try CheckpointError.wrapping { () throws(FileError) in try FileCalls.syncFolder(folder) }
  }
}
