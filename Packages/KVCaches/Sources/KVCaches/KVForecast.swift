import Tensors

/// The bytes that the cache of one sequence may come to hold, for those who start nothing that cannot finish.
public struct KVForecast: Sendable, Hashable {
  private let shape: KVShape
  private let configuration: KVConfiguration
  private let heads: Int

  /// A forecast for caches of `shape`; `heads` is the number of query heads of a layer.
  public init(shape: KVShape, configuration: KVConfiguration, heads: Int) {
    self.shape = shape
    self.configuration = configuration
    self.heads = heads
  }

  /// Bytes of the pages that hold `entries` tokens of every layer.
  public func pageBytes(entries: Int) -> Int {
    bytes(ofPages: (entries + KVPage.tokens - 1) / KVPage.tokens)
  }

  /// Bytes of those pages that `entries` tokens fill, which nobody writes to again.
  public func fullPageBytes(entries: Int) -> Int { bytes(ofPages: entries / KVPage.tokens) }

  private func bytes(ofPages pages: Int) -> Int {
    shape.layers * pages * KVPage.byteCount(shape: shape, format: configuration.format)
  }

  /// Whether pages full of prompt stay shared by all who start with it; an eviction writes them anew.
  public var sharesPrompts: Bool { configuration.eviction == nil }

  /// The most bytes a sequence holds at any time.
  ///
  /// - Parameters:
  ///   - tokens: tokens that are appended in all, the prompt included.
  ///   - prompt: tokens of the prompt.
  /// - Returns: bytes; what really is held at the peak where everything is kept, an upper bound elsewhere.
  public func peakBytes(tokens: Int, prompt: Int) -> Int {
    guard let eviction = configuration.eviction else { return pageBytes(entries: tokens) }
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
    return pageBytes(entries: entries) + beside + window + remembered
  }
}
