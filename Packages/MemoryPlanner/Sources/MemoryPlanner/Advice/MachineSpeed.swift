import KVLayout

/// How fast a machine reads memory and multiplies.
public struct MachineSpeed: Sendable, Hashable, Codable {
  /// Bytes a second that all threads together read from memory.
  public let bytesPerSecond: Double
  /// Multiply-adds a second with weights of a precision and activations as they are by default
  /// beside it; of those that are not here only reading is counted.
  public let multiplyAddsPerSecond: [WeightPrecision: Double]

  /// A machine's speed.
  public init(bytesPerSecond: Double, multiplyAddsPerSecond: [WeightPrecision: Double] = [:]) {
    self.bytesPerSecond = bytesPerSecond
    self.multiplyAddsPerSecond = multiplyAddsPerSecond
  }

  /// What part of both a whole model reaches, by PERFORMANCE.md: 75 to 95 % of a reading.
  private static let reached = 0.8

  /// Seconds from a question to its answer: the prompt is read once, then every token reads the
  /// weights, which all sequences share, of experts those that some sequence is sent to, and the
  /// cache of each sequence, half of what it is in the end on average, or all of it where its size
  /// is fixed; where multiplying takes longer than reading, that counts.
  ///
  /// - Parameters:
  ///   - configuration: what runs, with `batch` questions at a time.
  ///   - memory: its bytes.
  ///   - savings: what ends its thoughts early. Samples of a vote run together, so that one that
  ///     stops early saves work but no waiting.
  /// - Returns: seconds until all of its samples have answered.
  public func seconds(
    _ configuration: Configuration, _ memory: MemoryUse, savings: [TokenSaving] = []
  ) -> Double {
    let load = configuration.load
    let spent = savings.reduce(1) { $1.part == .thought ? $0 * (1 - $1.saved) : $0 }
    let steps = Double(load.thinkBudget + load.answer) * spent
    let isBounded = configuration.kv.eviction != nil
    let (model, precision) = (configuration.model, configuration.precision)
    func weights(_ tokens: Int) -> Double {
      Double(max(0, memory.weights - model.idleBytes(precision, tokens: tokens)))
    }
    // States of a fixed size are read and written for every token.
    let fixed = Double(Saturating.product(load.sequences, model.cacheShape.fixedBytes))
    let pages = max(0, Double(memory.kv) - fixed)
    let reads = weights(load.sequences) + pages * (isBounded ? 0.9 : 0.5) + 2 * fixed
    let perToken = Double(model.activeLinearParameters)
    let rate = multiplyAddsPerSecond[precision] ?? .infinity
    let step = max(reads / bytesPerSecond, Double(load.sequences) * perToken / rate)
    let prompt = max(
      weights(load.prompt * load.batch) / bytesPerSecond,
      Double(load.prompt * load.batch) * perToken / rate)
    return (steps * step + prompt) / Self.reached
  }
}
