/// Memory for one purpose at a time, kept for the next use.
struct ScratchBuffer {
  private var memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)

  /// At least `size` bytes of undefined content; what was taken before is gone.
  mutating func take(_ size: Int) -> UnsafeMutableRawBufferPointer {
    if memory.count < size {
      memory.deallocate()
      memory = .allocate(byteCount: size, alignment: 64)
    }
    return UnsafeMutableRawBufferPointer(rebasing: memory[..<size])
  }

  func free() { memory.deallocate() }
}
