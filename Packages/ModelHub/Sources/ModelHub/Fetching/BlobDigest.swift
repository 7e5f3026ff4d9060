import Crypto

/// The digest of a file's content while it grows, of the kind by which the hub names it.
enum BlobDigest {
  case sha256(SHA256)
  case git(Insecure.SHA1)

  /// The digest of nothing yet.
  init(of file: HubFile) {
    if file.sha256 != nil {
      self = .sha256(SHA256())
    } else {
      var hash = Insecure.SHA1()
      hash.update(data: Array("blob \(file.size)\0".utf8))
      self = .git(hash)
    }
  }

  mutating func add(_ bytes: UnsafeRawBufferPointer) {
    switch self {
    case .sha256(var hash):
      hash.update(bufferPointer: bytes)
      self = .sha256(hash)
    case .git(var hash):
      hash.update(bufferPointer: bytes)
      self = .git(hash)
    }
  }

  /// In hexadecimal digits.
  var text: String {
    switch self {
    case .sha256(let hash): Self.text(hash.finalize())
    case .git(let hash): Self.text(hash.finalize())
    }
  }

  private static func text(_ digest: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef")
    return String(digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
  }
}
