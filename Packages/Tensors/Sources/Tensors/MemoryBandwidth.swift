import Synchronization

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

  /// Bytes a second that all threads together read, in parts taken as those of products are.
  public func bytesPerSecond() -> Double {
    let total = Atomic<UInt64>(0)
    let time = ContinuousClock().measure {
      bytes.withBytes { block in
        let words = block.bindMemory(to: SIMD8<UInt64>.self)
        guard let base = words.baseAddress else { return }
        let values = ReadOnlyMemory(base)
        pool.split(words.count, granularity: Self.partWords, schedule: .streams) { part in
          var (a, b) = (SIMD8<UInt64>.zero, SIMD8<UInt64>.zero)
          for index in stride(from: part.lowerBound, to: part.upperBound - 1, by: 2) {
            a &+= values[index]
            b &+= values[index + 1]
          }
          total.wrappingAdd((a &+ b).wrappedSum(), ordering: .relaxed)
        }
      }
    }
    precondition(total.load(ordering: .relaxed) > 0, "nothing was read")
    return Double(bytes.count) / (time / .seconds(1))
  }

  /// Words of 64 bytes that a thread reads before it takes others, at least: 256 KiB.
  private static let partWords = 4096
}
