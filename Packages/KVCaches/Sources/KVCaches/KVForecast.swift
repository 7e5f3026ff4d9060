import Tensors

/// The bytes that the cache of one sequence may come to hold, for those who start nothing that cannot finish.
public struct KVForecast: Sendable, Hashable {
  private let shape: KVShape
  private let configuration: KVConfiguration
  private let heads: Int
  private let tiers: PageTiers

  /// A forecast for caches of `shape`; `heads` is the number of query heads of a layer.
  public init(shape: KVShape, configuration: KVConfiguration, heads: Int) {
    self.shape = shape
    self.configuration = configuration
    self.heads = heads
    tiers = PageTiers(shape: shape, configuration)
  }

  /// The most bytes of pages that a sequence holds while it grows to `entries` tokens in every layer.
  public func pageBytes(entries: Int) -> Int {
    // One token before pages are rounded there is one more that is not.
    var ends = [entries...entries, entries - 1...entries - 1]
    if tiers.between != nil {
      // Tokens leave full precision within a page of the end or, where keys do so a residual at a time, of the last times.
      let residual = configuration.rule == .kivi ? configuration.residual : KVPage.tokens
      let last = entries / residual * residual
      ends = [entries, last, last - residual].map { $0 - KVPage.tokens...$0 }
    }
    return shape.layers
      * (ends.joined().map { tiers.byteCount(tokens: max(0, $0)) }.max() ?? 0)
  }

  /// Bytes of those pages of `entries` tokens that stay as they are, whatever follows.
  public func fullPageBytes(entries: Int) -> Int {
    let last = tiers.layouts.count - 1
    let pages = last == 0 ? entries / KVPage.tokens : tiers.pages(in: last, of: entries)
    return shape.layers * pages * tiers.layouts[last].byteCount
  }

  /// Bytes of the pages of one layer that were rounded in a step, which its first tokens still attend to.
  private func stagedBytes(tokens: Int) -> Int {
    if let between = tiers.between {
      let most = min(tokens, Self.stepTokens) / KVPage.tokens + 1
      return min(tiers.begunPages(of: tokens), most) * between.byteCount
    }
    return tiers.layouts.indices.dropLast().reduce(0) { sum, tier in
      let arrived = tiers.pages(in: tier + 1, of: tokens)
      let most = min(tokens, Self.stepTokens) / KVPage.tokens + 1
      return sum + min(arrived, most) * tiers.layouts[tier].byteCount
    }
  }

  /// The most tokens of a sequence that are appended in one step.
  public static let stepTokens = 256

  /// Whether pages full of prompt stay shared by all who start with it; an eviction writes them anew.
  public var sharesPrompts: Bool { configuration.eviction == nil }

  /// The most bytes a sequence holds at any time.
  ///
  /// - Parameters:
  ///   - tokens: tokens that are appended in all, the prompt included.
  ///   - prompt: tokens of the prompt.
  /// - Returns: bytes; what really is held at the peak where everything is kept, an upper bound elsewhere.
  public func peakBytes(tokens: Int, prompt: Int) -> Int {
    guard let eviction = configuration.eviction else {
      return pageBytes(entries: tokens) + stagedBytes(tokens: tokens)
    }
    let staged = min(tokens, eviction.budget + eviction.buffer)
    let inPrompt = min(prompt, eviction.budget + eviction.promptBuffer)
    let entries = max(staged, inPrompt)
    // A compression fills new pages of one layer while the old ones are still there, and a branch may do so in every
    // layer at its turn.
    let beside = pageBytes(entries: min(entries, eviction.budget)) / shape.layers
    let floats = MemoryLayout<Float>.size
    let window = shape.layers * eviction.queryWindow * heads * shape.headDimension * floats
    var remembered = 0
    if case .h2o = eviction.policy {
      let sums = shape.kvHeads * entries.roundedUp(toMultipleOf: KVPage.tokens) * floats
      remembered = (shape.layers + 1) * sums
    } else if case .rkv = eviction.policy {
      let known = shape.kvHeads * min(entries, eviction.budget) * MemoryLayout<SimilarKey>.stride
      remembered = (shape.layers + 1) * known
    }
    return pageBytes(entries: entries) + stagedBytes(tokens: entries) + beside + window + remembered
  }
}
