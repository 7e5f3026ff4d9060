import Foundation

/// What Git LFS leaves in place of a file whose content was not fetched: three short lines of text.
///
/// Source: git-lfs/git-lfs, docs/spec.md.
enum LFSPointer {
  private static let start = Array("version https://git-lfs.github.com/spec/".utf8)
  /// A pointer has fewer bytes than this.
  private static let sizeLimit = 1024

  /// Makes sure that a file is no pointer.
  ///
  /// - Throws: `.malformed`, saying how to fetch the content; `.system`.
  static func refuse(_ source: some ByteSource) throws(CheckpointError) {
    guard source.count < sizeLimit else { return }
    try refuse(try source.bytes(0..<source.count, of: "file"), file: source.file)
  }

  /// Makes sure that the bytes of a file are no pointer.
  ///
  /// - Throws: as above.
  static func refuse(_ bytes: [UInt8], file: String) throws(CheckpointError) {
    guard bytes.count < sizeLimit, bytes.starts(with: start) else { return }
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    let size = lines.first { $0.hasPrefix("size ") }.flatMap { Int($0.dropFirst(5)) }
    let amount =
      size.map {
        $0 < 10_000_000 ? " to \($0) bytes" : String(format: " to %.2f GB", Double($0) / 1e9)
      }
      ?? ""
    throw .malformed(
      file: file,
      reason:
        "is a Git LFS pointer\(amount): the file itself was not fetched. Run `git lfs install "
        + "&& git lfs pull` in its folder, or fetch the model with `bitbudget pull ORG/NAME`")
  }
}
