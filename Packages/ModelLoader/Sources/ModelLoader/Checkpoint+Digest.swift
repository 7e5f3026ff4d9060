import Crypto
import Foundation
import JSON
import Synchronization

extension Checkpoint {
  /// Tensors are digested in pieces of this many bytes, so that several threads can work on one.
  private static let digestPiece = 4 << 20

  /// A digest of names, element types, shapes and bytes of all tensors, as 64 hexadecimal digits.
  ///
  /// It does not depend on how the tensors are spread over shards or compressed. It is the SHA-256
  /// of, for each tensor in the order of the UTF-8 bytes of its name, one line `name JSON string,
  /// dtype, shape` and the SHA-256 digests of its pieces of 4 MiB. Reads the whole checkpoint, a
  /// few pieces at a time.
  ///
  /// - Throws: as `tensor(named:)`.
  public func digest() throws(CheckpointError) -> String {
    var outer = SHA256()
    for info in tensors.values.sorted(by: { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) })
    {
      outer.update(
        data: Array("\(JSONValue.quoted(info.name)) \(info.dtype.rawValue) \(info.shape)\n".utf8))
      for piece in try pieceDigests(of: info) { outer.update(data: Array(piece)) }
    }
    return outer.finalize().hexadecimal
  }

  private func pieceDigests(of info: TensorInfo) throws(CheckpointError) -> [SHA256Digest] {
    let size = info.range.count
    let pieces = (size + Self.digestPiece - 1) / Self.digestPiece
    let digests = Mutex([Int: SHA256Digest]())
    try forEachInParallel(pieces, workers: workers) { (piece) throws(CheckpointError) in
      let start = piece * Self.digestPiece
      var hash = SHA256()
      try withStoredBytes(of: info, start..<min(start + Self.digestPiece, size)) {
        hash.update(bufferPointer: $0)
      }
      let digest = hash.finalize()
      digests.withLock { $0[piece] = digest }
    }
    return digests.withLock { found in (0..<pieces).compactMap { found[$0] } }
  }
}
