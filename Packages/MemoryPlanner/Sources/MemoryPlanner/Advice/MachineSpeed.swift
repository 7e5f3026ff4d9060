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
  /// weights, which all sequences share, of experts those that some sequence is sent to and of a head
  /// in two parts the first, since the likeliest tokens alone are drawn from, and the
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
    seconds(configuration, memory, savings: savings, draft: nil)
  }

  /// The same with something that proposes tokens, several of which are verified in a pass.
  func seconds(
    _ configuration: Configuration, _ memory: MemoryUse, savings: [TokenSaving] = [],
    draft: Draft?
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
    let perToken = Double(model.activeLinearParameters)
    let rate = multiplyAddsPerSecond[precision] ?? .infinity
    let engine = EngineMemory(shape: model, precision: precision, policy: configuration.kv)
    /// A pass over so many tokens of each sequence.
    func pass(_ tokens: Int) -> Double {
      let drawn = load.sequences * tokens
      let reads =
        weights(drawn) - Double(engine.idleHead(drawing: drawn))
        + pages * (isBounded ? 0.9 : 0.5) + 2 * fixed
      return max(
        reads / bytesPerSecond, Double(load.sequences * tokens) * perToken / rate)
    }
    var prompt = max(
      weights(load.prompt * load.batch) / bytesPerSecond,
      Double(load.prompt * load.batch) * perToken / rate)
    guard let draft else { return (steps * pass(1) + prompt) / Self.reached }
    let (drafting, reading) = pace(of: draft, load)
    prompt += reading
    let step = (pass(draft.length + 1) + Double(draft.length) * drafting) / draft.tokens
    return (steps * step + prompt) / Self.reached
  }

  /// What proposes tokens.
  struct Draft {
    let model: ModelShape
    let precision: WeightPrecision
    /// Proposals at a time.
    let length: Int
    /// The share of proposals behind accepted ones that are accepted too.
    let acceptRate: Double

    /// Tokens that a pass gives: the accepted proposals, and the one that is drawn behind them.
    var tokens: Double {
      (0..<length).reduce((sum: 1.0, chance: 1.0)) { state, _ in
        (state.sum + state.chance * acceptRate, state.chance * acceptRate)
      }.sum
    }
  }

  /// Seconds of a proposal for all sequences, and of reading the prompts.
  private func pace(of draft: Draft, _ load: Load) -> (proposal: Double, prompt: Double) {
    let engine = EngineMemory(shape: draft.model, precision: draft.precision, policy: .full)
    let weights = Double(engine.weights)
    let cache = Double(draft.model.forecast(.full).peakBytes(load)) / 2
    let perToken = Double(draft.model.activeLinearParameters)
    let rate = multiplyAddsPerSecond[draft.precision] ?? .infinity
    func seconds(_ tokens: Int, _ bytes: Double) -> Double {
      max(bytes / bytesPerSecond, Double(tokens) * perToken / rate)
    }
    return (
      seconds(
        load.sequences, weights - Double(engine.idleHead(drawing: load.sequences)) + cache),
      seconds(load.prompt * load.batch, weights)
    )
  }
}
