import Tensors

/// Floats that a meter counts. Whoever holds the only reference may write to them.
final class CountedFloats {
  let count: Int
  private let storage: AlignedBytes
  private let meter: KVMeter

  /// Zeros.
  init(count: Int, meter: KVMeter) throws(TensorError) {
    self.count = count
    self.meter = meter
    storage = try AlignedBytes(count: count * MemoryLayout<Float>.size)
    meter.add(storage.count, .eviction)
  }

  deinit { meter.remove(storage.count, .eviction) }

  func copy() throws(TensorError) -> CountedFloats {
    let result = try CountedFloats(count: count, meter: meter)
    storage.withBytes { source in
      result.storage.withMutableBytes { $0.copyMemory(from: source) }
    }
    return result
  }

  func withFloats<Result>(_ body: (UnsafeMutableBufferPointer<Float>) -> Result) -> Result {
    storage.withMutableBytes { body($0.assumingMemoryBound(to: Float.self)) }
  }
}
