import Foundation
import SystemCalls

extension HubCache {
  /// What tells backup programs to leave the cache out. Source: bford.info/cachedir, with the words
  /// of huggingface_hub.
  private static let tag = """
    Signature: 8a477f597d28d172789f06886806bc55
    # This file is a cache directory tag created by huggingface_hub.
    # For information about cache directory tags, see:
    #\thttps://bford.info/cachedir/

    """

  /// The folder of the locks of a repository's files.
  func locks(of repository: RepositoryName) -> URL {
    root.appendingPathComponent(".locks/" + folder(of: repository).lastPathComponent)
  }

  /// Makes the folders that files of a commit go into.
  ///
  /// - Throws: `HubError.file`.
  func prepare(for listing: HubListing) throws(HubError) {
    let repository = listing.repository
    try onDisk { () throws(FileError) in
      for folder in [
        folder(of: repository).appendingPathComponent("blobs"), locks(of: repository),
        snapshot(of: repository, commit: listing.commit),
      ] {
        try FileCalls.makeFolder(folder.path)
      }
      let file = root.path + "/CACHEDIR.TAG"
      if access(file, F_OK) != 0 { try AtomicFile.write(Data(Self.tag.utf8), to: file) }
    }
  }

  /// Puts a file whose content is in `blobs` into the snapshot of a commit: a relative link, or the
  /// content itself where the disk has no links.
  ///
  /// - Throws: `HubError.file`.
  func link(_ file: HubFile, _ repository: RepositoryName, commit: String) throws(HubError) {
    let path = snapshot(of: repository, commit: commit).path + "/" + file.path
    let depth = file.path.split(separator: "/").count + 1
    let target = String(repeating: "../", count: depth) + "blobs/" + file.etag
    try onDisk { () throws(FileError) in
      try FileCalls.makeFolder((path as NSString).deletingLastPathComponent)
      let temporary = path + ".\(getpid()).link"
      unlink(temporary)
      if symlink(target, temporary) == 0 {
        do throws(FileError) { try FileCalls.rename(temporary, to: path) } catch {
          unlink(temporary)
          throw error
        }
      } else if errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS {
        try FileCalls.rename(folder(of: repository).path + "/blobs/" + file.etag, to: path)
      } else {
        throw FileError(path: path, action: "linking", code: errno)
      }
    }
  }

  /// Notes that a branch or tag stands at a commit.
  ///
  /// - Throws: `HubError.file`.
  func setReference(_ repository: RepositoryName, to commit: String) throws(HubError) {
    let revision = repository.revisionInForce
    guard revision != commit else { return }
    let file = folder(of: repository).path + "/refs/" + revision
    if (try? RegularFile.contents(of: file, atMost: 256)) == Data(commit.utf8) { return }
    try onDisk { () throws(FileError) in
      try FileCalls.makeFolder((file as NSString).deletingLastPathComponent)
      try AtomicFile.write(Data(commit.utf8), to: file)
    }
  }

  /// Whether a snapshot has a file with the length that the hub lists.
  func has(_ file: HubFile, _ repository: RepositoryName, commit: String) -> Bool {
    var status = stat()
    let path = snapshot(of: repository, commit: commit).path + "/" + file.path
    return stat(path, &status) == 0 && Int(status.st_size) == file.size
  }

  /// Bytes of a file that an unfinished fetch left.
  func begun(_ file: HubFile, _ repository: RepositoryName) -> Int {
    var status = stat()
    let blob = folder(of: repository).path + "/blobs/" + file.etag
    for path in [blob, blob + ".incomplete"] where stat(path, &status) == 0 {
      return min(Int(status.st_size), file.size)
    }
    return 0
  }

  /// Bytes that may still be written on the disk of a folder that is there.
  static func freeBytes(at folder: URL) -> Int? {
    var status = statvfs()
    guard statvfs(folder.path, &status) == 0 else { return nil }
    let (bytes, overflow) = Int(status.f_bavail).multipliedReportingOverflow(
      by: Int(status.f_frsize))
    return overflow ? nil : bytes
  }
}
