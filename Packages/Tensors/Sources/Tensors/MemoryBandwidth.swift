/// Measures the memory bandwidth of this machine.
public final class MemoryBandwidth {
  /// Far more than any cache holds.
  public static let usualBytes = 256 << 20

  private let bytes: AlignedBytes
  private let pool: ThreadPool

  /// A measurement over `count` bytes by the threads of `pool`.
  ///
  /// - Throws: `TensorError.outOfMemory`.
  public init(_ pool: ThreadPool, bytes count: Int = usualBytes) throws(TensorError) {
    self.pool = pool
    bytes = try AlignedBytes(count: count)
    bytes.withMutableBytes { _ = $0.initializeMemory(as: UInt8.self, repeating: 1) }
  }

  /// Bytes a second that all threads together read.
  public func bytesPerSecond() -> Double {
    let sums = UnsafeMutablePointer<UInt64>.allocate(capacity: pool.workers)
    sums.initialize(repeating: 0, count: pool.workers)
    defer { sums.deallocate() }
    let workers = pool.workers
    let target = DisjointMemory(sums)
    let time = ContinuousClock().measure {
      bytes.withBytes { block in
        let words = block.bindMemory(to: SIMD8<UInt64>.self)
        guard let base = words.baseAddress else { return }
        let (values, share) = (ReadOnlyMemory(base), words.count / workers)
        pool.run { worker in
          var (a, b) = (SIMD8<UInt64>.zero, SIMD8<UInt64>.zero)
          for index in stride(from: worker * share, to: (worker + 1) * share - 1, by: 2) {
            a &+= values[index]
            b &+= values[index + 1]
          }
          target[worker] = (a &+ b).wrappedSum()
        }
      }
    }
    precondition((0..<workers).allSatisfy { sums[$0] > 0 }, "nothing was read")
    return Double(bytes.count) / (time / .seconds(1))
  }
}
