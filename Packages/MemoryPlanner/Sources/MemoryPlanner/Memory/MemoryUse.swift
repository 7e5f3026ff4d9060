import KVLayout

/// The bytes that a configuration takes.
public struct MemoryUse: Sendable, Hashable, Codable {
  /// Bytes of the weights: the effective size.
  public let weights: Int
  /// Bytes of the KV caches of all sequences.
  public let kv: Int
  /// Bytes of everything else at the moment of the peak; 0 in the paper's accountings.
  public let working: Int

  /// All of it.
  public var total: Int { Saturating.sum(weights, kv, working) }

  /// Bytes for each of `batch` questions that share the weights (arXiv:2510.10964, Figure 3).
  public func perQuestion(batch: Int) -> Int { total.pieces(of: max(batch, 1)) }
}

/// Which bytes are counted.
public enum Accounting: String, Sendable, Hashable, Codable, CaseIterable {
  /// What reproduces Tables 1 and 2 of arXiv:2510.10964: released BF16 checkpoints and GPTQ ones as
  /// stored.
  case paperTable
  /// The equations of the paper's Appendix A as printed.
  case appendixA
  /// What the engine really allocates.
  case actual

  /// The bytes of a model in one precision under one load.
  public func memory(
    _ shape: ModelShape, _ precision: WeightPrecision, _ policy: KVPolicy, _ load: Load
  ) -> MemoryUse {
    switch self {
    case .paperTable, .appendixA:
      return MemoryUse(
        weights: weights(shape, precision), kv: PaperMemory.cache(shape, policy, load), working: 0)
    case .actual:
      return EngineMemory(shape: shape, precision: precision, policy: policy).use(load)
    }
  }

  /// The bytes of the weights.
  public func weights(_ shape: ModelShape, _ precision: WeightPrecision) -> Int {
    switch self {
    case .paperTable: PaperMemory.storedWeights(shape, precision)
    case .appendixA: PaperMemory.printedWeights(shape, precision)
    case .actual:
      EngineMemory(shape: shape, precision: precision, policy: .full).weights
    }
  }
}
