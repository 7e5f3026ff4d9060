/// How the pages of every layer are stored: layers that are stored alike share one `PageTiers`.
public struct LayerTiers: Sendable, Hashable {
  /// What occurs in layers that hold keys and values.
  public let kinds: [PageTiers]
  /// For each layer its place among `kinds`.
  private let places: [Int]

  /// How a cache of `shape` is stored.
  public init(shape: KVShape, _ policy: KVPolicy) {
    var (kinds, places) = ([PageTiers](), [Int]())
    for layer in 0..<shape.layers {
      let tiers = PageTiers(shape: shape, policy.layer(layer), seesAll: shape.seesAll(layer))
      if let place = kinds.firstIndex(of: tiers) {
        places.append(place)
      } else {
        places.append(kinds.count)
        kinds.append(tiers)
      }
    }
    (self.kinds, self.places) = (kinds, places)
  }

  /// How the pages of one layer are stored.
  public subscript(_ layer: Int) -> PageTiers { kinds[places[layer]] }

  /// Whether what is held is stored the same way after some tokens and after others, in all layers.
  public func areAlike(_ some: Int, _ others: Int) -> Bool {
    kinds.allSatisfy { $0.areAlike(some, others) }
  }

  /// Tokens that may be appended at once before pages are given their kinds of thought.
  public func tokensUntilKinds(of tokens: Int, prompt: Int?) -> Int {
    kinds.map { $0.tokensUntilKinds(of: tokens, prompt: prompt) }.min() ?? .max
  }

  /// The most recent tokens that some layer never quantizes, of those that quantize others.
  public var residual: Int { kinds.map(\.residual).max() ?? 0 }
}
