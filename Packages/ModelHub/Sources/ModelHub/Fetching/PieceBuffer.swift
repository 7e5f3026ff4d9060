import Foundation

/// Memory for one piece of a file on its way from the network to the disk. A fetch has a few of
/// them, which bounds its memory.
///
/// Sendable by rule: whoever took it from the fetch's store alone touches it.
final class PieceBuffer: @unchecked Sendable {
  /// Bytes of a piece.
  static let capacity = 8 << 20

  /// Where in the file the piece begins.
  private(set) var offset = 0
  /// Bytes that the piece is to have.
  private(set) var length = 0
  /// Bytes that have arrived.
  private(set) var count = 0
  private let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 4096)

  deinit { memory.deallocate() }

  /// Begins a piece of at most `capacity` bytes.
  func begin(at offset: Int, length: Int) {
    self.offset = offset
    self.length = min(length, Self.capacity)
    count = 0
  }

  /// Appends what still belongs to the piece.
  ///
  /// - Returns: whether all of `bytes` did.
  func append(_ bytes: UnsafeRawBufferPointer) -> Bool {
    let taken = min(bytes.count, length - count)
    let rest = UnsafeMutableRawBufferPointer(rebasing: memory[count...])
    rest.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<taken]))
    count += taken
    return taken == bytes.count
  }

  /// Forgets what has arrived.
  func clear() { count = 0 }

  /// Whether all of the piece has arrived.
  var isComplete: Bool { count == length }

  /// What has arrived.
  var bytes: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(memory)[..<count])
  }
}
