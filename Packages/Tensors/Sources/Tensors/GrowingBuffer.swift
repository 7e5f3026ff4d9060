/// Working memory of one purpose, aligned to 64 bytes; grows to the most ever asked for and stays.
public final class GrowingBuffer<Element: BitwiseCopyable> {
  @usableFromInline var memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)

  /// An empty buffer.
  public init() {}

  deinit { memory.deallocate() }

  /// Space for `count` elements, aligned to 64 bytes and valid until the next call: the same as
  /// before where that is large enough, else a new one, which is zero.
  @inlinable
  public func reserve(_ count: Int) -> UnsafeMutablePointer<Element> {
    let bytes = max(count, 1) * MemoryLayout<Element>.stride
    if memory.count < bytes {
      memory.deallocate()
      memory = .allocate(byteCount: bytes, alignment: AlignedBytes.alignment)
      memory.initializeMemory(as: UInt8.self, repeating: 0)
    }
    guard let base = memory.baseAddress else { preconditionFailure("an empty buffer") }
    return base.assumingMemoryBound(to: Element.self)
  }
}

extension GrowingBuffer where Element == UInt8 {
  /// Space for `count` bytes; see `reserve`.
  public func bytes(_ count: Int) -> UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(start: reserve(count), count: count)
  }
}
