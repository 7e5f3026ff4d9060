import Tensors

/// Floats that a meter counts.
///
/// Sendable by rule: the holder of the only reference may write to them, in a parallel region each
/// worker to a part of its own.
final class CountedFloats: @unchecked Sendable {
  let count: Int
  private let storage: AlignedBytes
  private let meter: KVMeter
  private let kind: KVMeter.Kind

  /// Zeros, counted as bytes of `kind`.
  init(count: Int, meter: KVMeter, kind: KVMeter.Kind = .eviction) throws(TensorError) {
    self.count = count
    self.meter = meter
    self.kind = kind
    storage = try AlignedBytes(count: count * MemoryLayout<Float>.size)
    meter.add(storage.count, kind)
  }

  deinit { meter.remove(storage.count, kind) }

  func copy() throws(TensorError) -> CountedFloats {
    let result = try CountedFloats(count: count, meter: meter, kind: kind)
    storage.withBytes { source in
      result.storage.withMutableBytes { $0.copyMemory(from: source) }
    }
    return result
  }

  func withFloats<Result>(_ body: (UnsafeMutableBufferPointer<Float>) -> Result) -> Result {
    storage.withMutableBytes { body($0.assumingMemoryBound(to: Float.self)) }
  }
}
