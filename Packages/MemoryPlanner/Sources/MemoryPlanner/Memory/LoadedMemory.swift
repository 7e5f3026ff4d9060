import KVLayout

/// A model in memory, whose bytes are known: what is left for its KV caches.
public struct LoadedMemory: Sendable {
  private let memory: EngineMemory
  private let weights: Int
  private let resident: Int

  /// A model of a shape that was loaded.
  ///
  /// - Parameters:
  ///   - shape: the model's sizes.
  ///   - policy: what its caches keep.
  ///   - weights: bytes of the weights.
  ///   - resident: bytes that the process holds.
  public init(_ shape: ModelShape, _ policy: KVPolicy, weights: Int, resident: Int) {
    memory = EngineMemory(shape: shape, precision: .bf16, policy: policy)
    self.weights = weights
    self.resident = resident
  }

  /// Bytes beside weights and pages while texts are generated.
  public func workingBytes(_ load: Load) -> Int { memory.running(load) }

  /// Bytes that KV caches may take so that the process stays within `bytes` at its peak; the same
  /// sum that a plan is made by.
  ///
  /// - Returns: bytes; negative where not even the model fits.
  public func cacheBytes(in bytes: Int, _ load: Load) -> Int {
    memory.cacheBytes(in: bytes, load, weights: weights, resident: resident)
  }
}
