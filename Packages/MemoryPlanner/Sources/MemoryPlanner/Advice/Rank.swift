import KVLayout

/// A place in the order of advice: numbers compared one after the other, the smaller first.
struct Rank: Comparable {
  private let numbers: [Double]

  /// The place of a configuration whose expected accuracy is `standing`; nil where none is known.
  init(_ advice: Advice, _ situation: Situation, standing: Double?) {
    let preferences = [Double(advice.contradictions)] + Self.preferences(advice, situation)
    if situation.prefersLatency {
      numbers = [0] + preferences
    } else if let standing {
      // Less than a tenth of a point tells nothing apart.
      numbers = [0, -(1000 * standing).rounded(), Double(advice.memory.total)]
    } else {
      numbers = [1] + preferences
    }
  }

  static func < (left: Rank, right: Rank) -> Bool {
    left.numbers.lexicographicallyPrecedes(right.numbers)
  }

  /// What the findings spend on first, of models of which nothing is known, and among
  /// configurations that contradict equally many findings.
  private static func preferences(_ advice: Advice, _ situation: Situation) -> [Double] {
    let configuration = advice.configuration
    let size = Double(configuration.effectiveSize)
    let parameters = Double(configuration.model.parameters)
    let tokens = Double(configuration.load.thinkBudget)
    let samples = Double(configuration.load.samples)
    let bits = Double(configuration.precision.bits)
    let fidelity = CacheFidelity(configuration)
    let loss = fidelity.isNearlyLossless ? 0 : Double(1 + fidelity.place)
    let last = [Double(fidelity.place), Double(advice.memory.total)]
    if situation.prefersLatency {
      // 4B models at 8 and 16 bits stand out (section 4.1), and every token costs time.
      let distance = abs(parameters - Self.fastest).rounded()
      return [distance, loss, tokens, -samples, bits] + last
    }
    let isLarge = configuration.effectiveSize >= PaperThresholds.eightBit4B
    switch (situation.task, isLarge) {
    case (.math, false): return [1, -size, -tokens, loss] + last
    case (.math, true): return [0, loss, -parameters, -tokens, -samples, -bits] + last
    case (.knowledge, false): return [1, -parameters, -size, -tokens, loss] + last
    case (.knowledge, true): return [0, -parameters, loss, -tokens, -samples, bits] + last
    }
  }

  /// Parameters of the model with the best accuracy for its time.
  private static let fastest = 4_022_468_096.0
}

/// How much of a cache's information a policy keeps, by findings 5 and 6.
struct CacheFidelity {
  private let kv: KVPolicy
  private let evictsRather: Bool
  private let isLong: Bool

  init(_ configuration: Configuration) {
    kv = configuration.kv
    evictsRather = configuration.effectiveSize < PaperThresholds.eightBit8B
    isLong = configuration.model.contextLength >= 32_768
  }

  /// Everything kept, in 8 bits or more, or an eviction budget of 8192 tokens, which kept the
  /// accuracy of a 4B model (section 5).
  var isNearlyLossless: Bool {
    let fewest = kv.fewestBits
    guard fewest >= 8 else { return false }
    return kv.eviction.map { !isLong || $0.budget >= 8192 } ?? true
  }

  /// The order among policies, 0 the most faithful.
  var place: Int {
    let fewest = kv.fewestBits
    let formats = fewest >= 16 ? 0 : fewest == 8 ? (evictsRather ? 2 : 1) : fewest == 4 ? 4 : 8
    guard let eviction = kv.eviction else { return formats }
    let retained = eviction.budget >= 8192 ? 1 : eviction.budget >= 4096 ? 3 : 5
    return formats + retained + (evictsRather ? 0 : 1)
  }
}
