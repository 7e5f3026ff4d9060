import Foundation

/// Working memory of one purpose, aligned to 64 bytes; grows to the most ever asked for and stays
/// until it is released.
public final class GrowingBuffer<Element: BitwiseCopyable> {
  @usableFromInline var memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)

  /// An empty buffer.
  public init() {}

  deinit { release() }

  /// Space for `count` elements, aligned to 64 bytes and valid until the next call: the same as
  /// before where that is large enough, else a new one, which is zero.
  @inlinable
  public func reserve(_ count: Int) -> UnsafeMutablePointer<Element> {
    let bytes = max(count, 1) * MemoryLayout<Element>.stride
    if memory.count < bytes { grow(to: bytes) }
    guard let base = memory.baseAddress else { preconditionFailure("an empty buffer") }
    return base.assumingMemoryBound(to: Element.self)
  }

  /// Takes new memory, all zero. Much of it comes from the system, and so goes back to it when it is
  /// released, which what the C library has need not.
  @usableFromInline func grow(to bytes: Int) {
    release()
    guard bytes >= AlignedBytes.mappedSize else {
      memory = .allocate(byteCount: bytes, alignment: AlignedBytes.alignment)
      memory.initializeMemory(as: UInt8.self, repeating: 0)
      return
    }
    let pointer = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let pointer, pointer != MAP_FAILED else {
      preconditionFailure("there is no memory for a buffer of \(bytes) bytes")
    }
    memory = UnsafeMutableRawBufferPointer(start: pointer, count: bytes)
  }

  /// Gives the space back where it is more than so many bytes.
  public func release(above bytes: Int = 0) {
    guard memory.count > bytes else { return }
    if let base = memory.baseAddress, memory.count >= AlignedBytes.mappedSize {
      munmap(base, memory.count)
    } else {
      memory.deallocate()
    }
    memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)
  }
}

extension GrowingBuffer where Element == UInt8 {
  /// Space for `count` bytes; see `reserve`.
  public func bytes(_ count: Int) -> UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(start: reserve(count), count: count)
  }
}
