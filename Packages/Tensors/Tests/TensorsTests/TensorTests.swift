import Testing

@testable import Tensors

@Suite struct TensorTests {
  @Test func byteCountRefusesNegativeAndOverflowingShapes() {
    #expect(DType.f32.byteCount(shape: [3, 5]) == 60)
    #expect(DType.f32.byteCount(shape: []) == 4)
    #expect(DType.f32.byteCount(shape: [0, 7]) == 0)
    #expect(DType.f32.byteCount(shape: [-1, 7]) == nil)
    #expect(DType.f32.byteCount(shape: [1 << 62, 4]) == nil)
    #expect(DType.u8.byteCount(shape: [4_194_305, 4_194_305, 211_106_198_978_564]) == nil)
    #expect(DType.f4.byteCount(shape: [3]) == nil)
    #expect(DType.f4.byteCount(shape: [4]) == 2)
  }

  @Test(
    "blocks of the library, of the system and of huge pages",
    arguments: [0, 100, 1 << 20, 5_000_001])
  func memoryIsAlignedAndZero(count: Int) throws {
    for _ in 0..<2 {
      let block = try AlignedBytes(count: count)
      block.withMutableBytes { bytes in
        #expect(bytes.count == count)
        #expect(Int(bitPattern: bytes.baseAddress) % AlignedBytes.alignment == 0)
        #expect(bytes.allSatisfy { $0 == 0 })
        bytes.initializeMemory(as: UInt8.self, repeating: 7)  // What the next one may get again.
      }
    }
  }

  @Test func memoryThatIsNotThereIsAnError() {
    #expect(throws: TensorError.outOfMemory(bytes: -1)) { try AlignedBytes(count: -1) }
    #expect(throws: TensorError.outOfMemory(bytes: 1 << 60)) { try AlignedBytes(count: 1 << 60) }
  }

  @Test func aTensorMustFillItsShape() throws {
    let bytes = try AlignedBytes(count: 10)
    #expect(throws: TensorError.sizeMismatch(dtype: .f16, shape: [6], found: 10)) {
      try Tensor(dtype: .f16, shape: [6], bytes: bytes)
    }
    #expect(try Tensor(dtype: .f16, shape: [5], bytes: bytes).floats() == [0, 0, 0, 0, 0])
  }

  @Test func widensHalfFormats() throws {
    let bytes = try AlignedBytes(count: 4)
    bytes.withMutableBytes { $0.copyBytes(from: [0x80, 0x3f, 0x40, 0xc0]) }
    #expect(try Tensor(dtype: .bf16, shape: [2], bytes: bytes).floats() == [1, -3])
    #expect(throws: TensorError.self) {
      try Tensor(dtype: .i16, shape: [2], bytes: bytes).floats()
    }
  }

  @Test func aPoolSplitsEverythingOnce() throws {
    for workers in 1...3 {
      let pool = try ThreadPool(workers: workers)
      for count in [0, 1, 7, 64] {
        let counts = GrowingBuffer<Int>()
        let target = DisjointMemory(counts.reserve(count))
        let seen = UnsafeBufferPointer(start: target.base, count: count)
        pool.split(count, granularity: 4, cost: .max) { part in for i in part { target[i] += 1 } }
        #expect(seen.allSatisfy { $0 == 1 })
        pool.split(count, granularity: 4, cost: 0) { part in for i in part { target[i] += 1 } }
        #expect(seen.allSatisfy { $0 == 2 })
      }
    }
  }

  /// Working memory is the same as long as it suffices, new and zero where it does not, and gone where
  /// it was released.
  @Test(arguments: [100, 1 << 20])
  func workingMemoryGrowsAndGoesBack(count: Int) {
    let buffer = GrowingBuffer<UInt8>()
    func fill(_ count: Int, over old: UInt8) -> UnsafeMutablePointer<UInt8> {
      let bytes = buffer.bytes(count)
      #expect(bytes.allSatisfy { $0 == old })
      bytes.initializeMemory(as: UInt8.self, repeating: 7)
      let start = buffer.reserve(count)
      #expect(Int(bitPattern: start) % AlignedBytes.alignment == 0)
      return start
    }
    let first = fill(count, over: 0)
    #expect(fill(count / 2, over: 7) == first)
    _ = fill(count * 3, over: 0)
    buffer.release(above: 3 * count)
    _ = fill(count * 3, over: 7)
    buffer.release(above: 3 * count - 1)
    #expect(buffer.memory.isEmpty)
    _ = fill(count, over: 0)
  }
}
