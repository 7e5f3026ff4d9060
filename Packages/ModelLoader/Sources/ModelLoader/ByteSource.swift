/// A fixed run of bytes that can be read anywhere: a plain file, or what a compressed one contains.
protocol ByteSource: Sendable {
  /// Path of the file behind, for messages.
  var file: String { get }
  /// How many bytes there are.
  var count: Int { get }
  /// Where to cut `range`, so that one thread reads a piece of it at little cost: ascending, both
  /// bounds included.
  func cuts(of range: Range<Int>) -> [Int]

  /// Fills `target` with the bytes from `offset` on; `part` says in errors what is being read.
  ///
  /// - Throws: `CheckpointError` when the file is too short, damaged, or no longer the one opened.
  func read(
    from offset: Int, of part: String, into target: UnsafeMutableRawBufferPointer
  ) throws(CheckpointError)

  /// Makes sure that the file is still the one that was opened.
  func verifyUnchanged() throws(CheckpointError)
}

extension ByteSource {
  /// The bytes of `range`, which has to lie inside.
  func bytes(_ range: Range<Int>, of part: String) throws(CheckpointError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: range.count)
    try bytes.withUnsafeMutableBufferPointer { (target) throws(CheckpointError) in
      try read(from: range.lowerBound, of: part, into: UnsafeMutableRawBufferPointer(target))
    }
    return bytes
  }
}
