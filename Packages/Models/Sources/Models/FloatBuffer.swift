import Tensors

/// Working memory for one kind of activation; grows to the largest batch seen and stays.
final class FloatBuffer {
  private var storage: UnsafeMutableBufferPointer<Float>

  init() { storage = .allocate(capacity: 0) }

  deinit { storage.deallocate() }

  /// Space for `count` floats, their contents undefined.
  func reserve(_ count: Int) -> UnsafeMutablePointer<Float> {
    if storage.count < count || storage.baseAddress == nil {
      storage.deallocate()
      storage = .allocate(capacity: max(count, 1))
      storage.initialize(repeating: 0)
    }
    guard let base = storage.baseAddress else { preconditionFailure("an empty buffer") }
    return base
  }
}
