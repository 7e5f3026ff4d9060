import Tensors

/// Reads how fast this machine reads memory right now.
final class MemoryReading {
  /// Far more than any cache holds.
  private let bytes: AlignedBytes
  private let pool: ThreadPool
  private var sums: [UInt64]

  init(_ pool: ThreadPool) throws {
    self.pool = pool
    bytes = try AlignedBytes(count: 256 << 20)
    bytes.withMutableBytes { _ = $0.initializeMemory(as: UInt8.self, repeating: 1) }
    sums = [UInt64](repeating: 0, count: pool.workers)
  }

  /// Bytes a second that all threads together read.
  func bytesPerSecond() -> Double {
    let time = ContinuousClock().measure {
      bytes.withBytes { block in
        sums.withUnsafeMutableBufferPointer { sums in
          let words = block.bindMemory(to: SIMD8<UInt64>.self)
          pool.run { worker in
            let share = words.count / pool.workers
            var (a, b) = (SIMD8<UInt64>.zero, SIMD8<UInt64>.zero)
            for index in stride(from: worker * share, to: (worker + 1) * share - 1, by: 2) {
              a &+= words[index]
              b &+= words[index + 1]
            }
            sums[worker] &+= (a &+ b).wrappedSum()
          }
        }
      }
    }
    precondition(sums.allSatisfy { $0 > 0 }, "nothing was read")
    return Double(bytes.count) / (time / .seconds(1))
  }
}
