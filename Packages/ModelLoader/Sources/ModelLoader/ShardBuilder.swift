import Foundation
import JSON
import Tensors

/// Writes the bytes of one shard in a container, in order.
protocol ShardWriter: AnyObject {
  /// Appends bytes of the header (`dtype` nil) or of one tensor.
  ///
  /// - Throws: `CheckpointError` when the file cannot be written.
  func append(_ bytes: UnsafeRawBufferPointer, dtype: DType?) throws(CheckpointError)

  /// Completes the file and puts it on disk.
  ///
  /// - Throws: as above.
  func finish() throws(CheckpointError)
}

/// Writes a shard as it is.
final class PlainShardWriter: ShardWriter {
  private let output: OutputFile

  init(_ output: OutputFile) { self.output = output }

  func append(_ bytes: UnsafeRawBufferPointer, dtype: DType?) throws(CheckpointError) {
    try output.write(bytes)
  }

  func finish() throws(CheckpointError) { try output.close() }
}

/// Collects the tensors of one shard in a file of their own, in the order in which they come, and
/// then writes the shard in the order of the format: the header first, wide elements before narrow
/// ones so that all are aligned, names sorted.
struct ShardBuilder {
  /// Bytes of the tensors so far.
  var count: Int { spool.count }
  /// Names of the tensors so far, in the order in which they came.
  var names: [String] { entries.map(\.name) }

  private let spool: OutputFile
  private var entries: [Entry] = []

  private struct Entry {
    let name: String
    let dtype: DType
    let shape: [Int]
    let spooled: Range<Int>
  }

  /// Bytes that go from the spool to the shard at a time: whole frames of the compressed form.
  private static let pieceSize = 8 * ZstdShardWriter.frameSize

  /// Starts a shard whose tensors wait in a new file at `path`.
  ///
  /// - Throws: `.system`.
  init(spool path: String) throws(CheckpointError) {
    spool = try OutputFile(creating: path)
  }

  /// Takes one more tensor.
  ///
  /// - Throws: `.system`.
  mutating func append(_ tensor: Tensor, named name: String) throws(CheckpointError) {
    let start = spool.count
    try tensor.bytes.withBytes { (bytes) throws(CheckpointError) in try spool.write(bytes) }
    entries.append(
      Entry(name: name, dtype: tensor.dtype, shape: tensor.shape, spooled: start..<spool.count))
  }

  /// Writes the shard and removes the spool.
  ///
  /// - Throws: `.system`.
  func finish(into writer: any ShardWriter) throws(CheckpointError) {
    let ordered = entries.sorted { ($1.dtype.bits, $0.name) < ($0.dtype.bits, $1.name) }
    try Self.header(ordered).withUnsafeBufferPointer { (bytes) throws(CheckpointError) in
      try writer.append(UnsafeRawBufferPointer(bytes), dtype: nil)
    }
    let buffer = GrowingBuffer<UInt8>()
    for entry in ordered {
      for start in stride(from: 0, to: entry.spooled.count, by: Self.pieceSize) {
        let piece = buffer.bytes(min(Self.pieceSize, entry.spooled.count - start))
        try spool.read(from: entry.spooled.lowerBound + start, into: piece)
        try writer.append(UnsafeRawBufferPointer(piece), dtype: entry.dtype)
      }
    }
    try writer.finish()
    unlink(spool.path)
  }

  /// The length and the text of the header, padded with spaces to a multiple of 8 bytes.
  private static func header(_ entries: [Entry]) -> [UInt8] {
    var text = #"{"__metadata__":{"format":"pt"}"#
    var offset = 0
    for entry in entries {
      let shape = entry.shape.map(String.init).joined(separator: ",")
      let end = offset + entry.spooled.count
      text += ",\(JSONValue.quoted(entry.name)):{\"dtype\":\"\(entry.dtype.rawValue)\","
      text += "\"shape\":[\(shape)],\"data_offsets\":[\(offset),\(end)]}"
      offset = end
    }
    text += "}"
    let length = text.utf8.count.roundedUp(toMultipleOf: 8)
    var bytes: [UInt8] = []
    bytes.append(UInt64(length), size: 8)
    return bytes + text.utf8 + [UInt8](repeating: 0x20, count: length - text.utf8.count)
  }
}
