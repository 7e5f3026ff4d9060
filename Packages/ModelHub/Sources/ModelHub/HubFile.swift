import JSON

/// A file of a repository, as the hub lists it.
public struct HubFile: Hashable, Sendable {
  /// Its path inside the repository.
  public let path: String
  /// Bytes it has.
  public let size: Int
  /// The digest by which Git knows it: SHA-1 over `blob LENGTH`, a zero byte and the content (or,
  /// of a large file, the pointer that stands for it).
  public let blobID: String
  /// SHA-256 of the content, of a large file.
  public let sha256: String?
  /// The digest by which the hub's store of chunks knows it, of a large file.
  public let xetHash: String?

  /// Bytes that a file has at most, 4 TiB: the sum over all files that a repository may have stays
  /// a number.
  static let sizeLimit = 1 << 42

  /// A file of these sizes and digests.
  ///
  /// - Throws: `HubError` for a path that leads out of a folder, a length below 0 and what is no
  ///   digest: names of files in the cache are made of them.
  public init(
    path: String, size: Int, blobID: String, sha256: String? = nil, xetHash: String? = nil,
    in repository: String
  ) throws(HubError) {
    guard Self.isSafe(path) else { throw .unsafePath(repository: repository, path: path) }
    guard (0...Self.sizeLimit).contains(size) else {
      throw .malformed(
        url: "\(repository): \(path)", expected: "a size of 0 to \(Self.sizeLimit) bytes",
        found: "\(size)")
    }
    for (digest, length) in [(blobID, 40), (sha256, 64), (xetHash, 64)] {
      guard let digest, !Self.isHexadecimal(digest, length) else { continue }
      throw .malformed(
        url: "\(repository): \(path)", expected: "a digest of \(length) hexadecimal digits",
        found: digest.debugDescription)
    }
    self.path = path
    self.size = size
    self.blobID = blobID
    self.sha256 = sha256
    self.xetHash = xetHash
  }

  /// What its content is called in the cache.
  public var etag: String { sha256 ?? blobID }

  /// The last part of its path.
  public var name: String { path.split(separator: "/").last.map(String.init) ?? path }

  /// Whether it lies in no folder of the repository.
  public var isAtTop: Bool { !path.contains("/") }

  /// Whether a path stays inside the folder that it is put into, on any system.
  private static func isSafe(_ path: String) -> Bool {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    return !path.isEmpty && path.utf8.count <= 1024
      && !path.utf8.contains { $0 < 0x20 || $0 == 0x5C || $0 == 0x7F }
      && parts.allSatisfy {
        !$0.isEmpty && $0 != "." && $0 != ".." && $0.utf8.count <= 255
          && !($0.utf8.count == 2 && $0.hasSuffix(":"))
      }
  }

  private static func isHexadecimal(_ text: String, _ length: Int) -> Bool {
    text.utf8.count == length
      && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
  }
}

/// The files of a repository at one commit.
public struct HubListing: Sendable, Hashable {
  /// The repository as it was asked for.
  public let repository: RepositoryName
  /// The commit.
  public let commit: String
  /// All files, by path.
  public let files: [HubFile]

  /// A listing.
  public init(repository: RepositoryName, commit: String, files: [HubFile]) {
    self.repository = repository
    self.commit = commit
    self.files = files
  }
}
