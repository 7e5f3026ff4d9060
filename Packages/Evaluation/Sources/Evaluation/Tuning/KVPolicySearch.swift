import KVLayout

/// Looks for KV policies that lose little for their bytes.
///
/// First every layer's keys and values are stored alone in each format, which says how much the
/// predictions diverge for it. Divergences of small errors nearly add up, so a knapsack over layers
/// finds the mixtures that lose least for their bytes. What these really lose together is then
/// measured, as it is for the usual policies, and only those that nothing beats are left.
public struct KVPolicySearch: Sendable {
  /// The sizes of the model's caches.
  public let shape: KVShape
  /// Query heads of a layer.
  public let heads: Int
  /// The texts that are measured: tokens of each, and of its prompt.
  public let texts: [(tokens: Int, prompt: Int)]
  /// Residuals on offer.
  public let residuals: [Int]
  /// Evictions on offer, each at several budgets, by the names of their methods.
  public let evictions: [String]
  private let catalog: EvictionCatalog

  /// The formats of keys and of values on offer.
  static let formats: [KVFormat] = [.bf16, .int8, .int4, .int2]
  /// How many mixtures of each residual are measured.
  static let mixtures = 8
  /// How many eighths of the longest text evictions hold.
  static let heldEighths = [7, 6, 5, 4, 3]

  /// A search.
  ///
  /// - Throws: ``EvaluationError/setting(name:value:expected:)`` for residuals that are no multiple
  ///   of 64, for evictions that the catalog lacks, and for models none of whose layers attend.
  public init(
    shape: KVShape, heads: Int, texts: [(tokens: Int, prompt: Int)], residuals: [Int],
    evictions: [String] = [], catalog: EvictionCatalog = .standard
  ) throws(EvaluationError) {
    if let other = evictions.first(where: { !catalog.names.contains($0) }) {
      throw .setting(
        name: "evict", value: other,
        expected: "\(catalog.names.joined(separator: ", ")), or none")
    }
    self.evictions = evictions
    self.catalog = catalog
    guard let wrong = residuals.first(where: { $0 < 0 || $0 % KVPolicy.defaultGroup != 0 }) else {
      guard !residuals.isEmpty, shape.attendingLayers > 0 else {
        throw .setting(
          name: "residual", value: "an empty list",
          expected: "multiples of 64, and a model that attends")
      }
      self.shape = shape
      self.heads = heads
      self.texts = texts
      self.residuals = Array(Set(residuals)).sorted()
      return
    }
    throw .setting(name: "residual", value: "\(wrong)", expected: "a multiple of 64")
  }

  private var layers: [Int] { (0..<shape.layers).filter(shape.attends) }

  /// How keys and values of a layer are stored.
  private struct Storage: Hashable {
    let keys: KVFormat
    let values: KVFormat

    func tiers(residual: Int) -> [KVTier] {
      let last = KVTier(keys: keys, values: values)
      return last.isQuantized
        ? [KVTier(keys: .bf16, values: .bf16, tokens: residual), last] : [last]
    }

    static let all = formats.flatMap { keys in formats.map { Storage(keys: keys, values: $0) } }
  }

  /// A policy that stores one half of one layer in a format and all else in BF16.
  private func probe(_ layer: Int, _ storage: Storage) throws(KVPolicyError) -> KVPolicy {
    try KVPolicy.full.with(exceptions: [layer: storage.tiers(residual: residuals[0])])
  }

  /// The policies by which the layers' sensitivity is measured, with the smallest residual: one for
  /// each layer, half and format.
  ///
  /// - Throws: `KVPolicyError`, which the search's own policies never are.
  public func probes() throws(KVPolicyError) -> [KVPolicy] {
    var probes: [KVPolicy] = []
    for layer in layers {
      for format in Self.formats where format.isQuantized {
        probes.append(try probe(layer, Storage(keys: format, values: .bf16)))
        probes.append(try probe(layer, Storage(keys: .bf16, values: format)))
      }
    }
    return probes
  }

  /// The policies worth measuring once the probes are: mixtures that a knapsack finds, each with
  /// and without rotation, the usual formats to compare them with, and evictions in these formats.
  ///
  /// - Parameter losses: The divergence of each probe, by its text.
  /// - Returns: Policies, each once.
  /// - Throws: `KVPolicyError`, which the search's own policies never are.
  public func candidates(_ losses: [String: Double]) throws(KVPolicyError) -> [KVPolicy] {
    var found: [KVPolicy] = []
    for residual in residuals {
      found += try uniform(residual)
      for mixture in try mixtures(losses, residual: residual) {
        found.append(mixture)
        // At 8 bits a rotation multiplies what is lost.
        if shape.headDimension.nonzeroBitCount == 1, mixture.fewestBits < 8 {
          found.append(
            try KVPolicy(
              tiers: mixture.tiers, exceptions: mixture.exceptions, rotation: .both))
        }
      }
    }
    found += try evicting()
    var seen = Set<KVPolicy>()
    return found.filter { seen.insert($0).inserted }
  }

  /// The formats in which all layers are stored alike.
  private static let uniform: [(keys: KVFormat, values: KVFormat)] = [
    (.int8, .int8), (.int8, .int4), (.int4, .int4), (.int4, .int2), (.int2, .int2),
  ]

  /// The policies that store all layers alike.
  private func uniform(_ residual: Int) throws(KVPolicyError) -> [KVPolicy] {
    var found: [KVPolicy] = []
    for (keys, values) in Self.uniform {
      found.append(try KVPolicy(keys: keys, values: values, residual: residual))
    }
    return found
  }

  /// Evictions that hold parts of the longest text, with everything in BF16 and in the usual
  /// formats. Keys have scales of their own there, since those that are kept then move as they are.
  private func evicting() throws(KVPolicyError) -> [KVPolicy] {
    let longest = texts.map(\.tokens).max() ?? 0
    var found: [KVPolicy] = []
    for name in evictions {
      for eighths in Self.heldEighths {
        let held = longest * eighths / 8
        let buffer = max(held / 8, 1)
        // A method that needs more than so few tokens is left out.
        guard
          let eviction = try? Eviction(
            parsing: "\(name):\(held - buffer),buffer=\(buffer)", evictions: catalog)
        else { continue }
        found.append(KVPolicy(eviction: eviction))
        for (keys, values) in Self.uniform {
          found.append(
            try KVPolicy(
              keys: keys, values: values, residual: residuals[0], keyAxis: .perToken,
              eviction: eviction))
        }
      }
    }
    return found
  }

  private func mixtures(
    _ losses: [String: Double], residual: Int
  ) throws(KVPolicyError) -> [KVPolicy] {
    var groups: [[Knapsack.Option]] = []
    for layer in layers {
      var options: [Knapsack.Option] = []
      for storage in Storage.all {
        func loss(_ alone: Storage) throws(KVPolicyError) -> Double {
          guard alone.keys.isQuantized || alone.values.isQuantized else { return 0 }
          return losses["\(try probe(layer, alone))"] ?? .infinity
        }
        let policy = try KVPolicy.full.with(
          exceptions: [layer: storage.tiers(residual: residual)])
        options.append(
          Knapsack.Option(
            cost: heldBytes(policy),
            loss: try loss(Storage(keys: storage.keys, values: .bf16))
              + loss(Storage(keys: .bf16, values: storage.values))))
      }
      groups.append(options)
    }
    let frontier = Knapsack.frontier(groups)
    guard let cheapest = frontier.first, let dearest = frontier.last else { return [] }
    var found: [KVPolicy] = []
    for step in 0..<Self.mixtures {
      let most = cheapest.cost + (dearest.cost - cheapest.cost) * step / Self.mixtures
      guard let choice = frontier.last(where: { $0.cost <= most }) else { continue }
      found.append(try policy(choice.options.map { Storage.all[$0] }, residual: residual))
    }
    return found
  }

  /// The policy that stores each attending layer so: what most of them have, and exceptions.
  private func policy(
    _ storages: [Storage], residual: Int
  ) throws(KVPolicyError) -> KVPolicy {
    let counts = storages.reduce(into: [Storage: Int]()) { $0[$1, default: 0] += 1 }
    // Of equally frequent ones the first, so that the same measurements give the same policy.
    let usual = storages.max {
      (counts[$0, default: 0], -Self.place($0, storages)) < (
        counts[$1, default: 0], -Self.place($1, storages)
      )
    }
    let tiers = (usual ?? Storage(keys: .bf16, values: .bf16)).tiers(residual: residual)
    let exceptions = Dictionary(
      uniqueKeysWithValues: zip(layers, storages.map { $0.tiers(residual: residual) }))
    return try KVPolicy(tiers: tiers, exceptions: exceptions)
  }

  private static func place(_ storage: Storage, _ storages: [Storage]) -> Int {
    storages.firstIndex(of: storage) ?? 0
  }

  // MARK: Bytes

  /// Bytes that the caches of all texts hold at their ends.
  private func heldBytes(_ policy: KVPolicy) -> Int {
    let forecast = KVForecast(shape: shape, policy: policy, heads: heads)
    return texts.reduce(0) {
      Saturating.sum($0, forecast.endBytes(tokens: $1.tokens, prompt: $1.prompt))
    }
  }

  /// Bytes for each token of the texts, at their ends, of all layers.
  public func bytesPerToken(_ policy: KVPolicy) -> Double {
    Double(heldBytes(policy)) / Double(max(texts.reduce(0) { $0 + $1.tokens }, 1))
  }

  // MARK: What is worth confirming

  /// A policy with what it takes and loses.
  public struct Point: Sendable, Hashable {
    /// The policy.
    public let policy: KVPolicy
    /// Bytes for each token of the texts.
    public let bytesPerToken: Double
    /// How far its predictions are from those with everything in BF16.
    public let comparison: ModelComparison

    /// Keeps the figures.
    public init(policy: KVPolicy, bytesPerToken: Double, comparison: ModelComparison) {
      self.policy = policy
      self.bytesPerToken = bytesPerToken
      self.comparison = comparison
    }

    /// The mean divergence in nats a token.
    public var loss: Double { comparison.divergence.value }
  }

  /// Divergences, in nats a token, of which the cheapest policies that keep them are confirmed.
  static let ceilings = [
    1e-6, 3e-6, 1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3,
  ]

  /// The few points whose accuracy is worth measuring, from the most faithful to the cheapest: of
  /// each ceiling of the divergence the cheapest point below it, and of these `most`, evenly.
  ///
  /// A small mean divergence is no promise, since single tokens decide answers; so the first is
  /// always one that hardly diverges.
  ///
  /// - Parameters:
  ///   - points: Everything that was measured.
  ///   - most: How many at most.
  /// - Returns: Points of falling bytes.
  public static func worthConfirming(_ points: [Point], most: Int) -> [Point] {
    var found: [Point] = []
    for ceiling in ceilings {
      let cheapest = points.filter { $0.loss <= ceiling }.min {
        ($0.bytesPerToken, $0.loss) < ($1.bytesPerToken, $1.loss)
      }
      if let cheapest, found.last.map({ cheapest.bytesPerToken < $0.bytesPerToken }) ?? true {
        found.append(cheapest)
      }
    }
    guard most > 1, found.count > most else { return Array(found.prefix(most)) }
    return (0..<most).map { found[$0 * (found.count - 1) / (most - 1)] }
  }
}
