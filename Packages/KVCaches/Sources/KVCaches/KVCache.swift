import KVLayout
import Kernels
import Tensors

/// The keys and values of one sequence, all layers.
///
/// A value: a copy shares every page with its original and costs nothing until one of the two
/// writes, which is how a prompt is stored once for many samples and how a sequence branches.
public struct KVCache {
  /// The sizes this cache was made for.
  public let shape: KVShape
  /// What is kept, and how.
  public let policy: KVPolicy
  let meter: KVMeter
  let tiers: LayerTiers
  var layers: [Layer]
  /// Tokens of the prompt, once they are known.
  var promptLength: Int?
  /// Told the slots that stay in every KV head of a layer, at each compression.
  var onCompression: ((_ layer: Int, _ slots: [[Int]]) -> Void)?

  struct Layer: Sendable {
    /// The pages as the next token finds them; where there is a window, those that it may see.
    var pages = PageList()
    /// Pages that were rounded when the last tokens came, as they were before: the earlier ones of
    /// these tokens find them so.
    var staged: [(index: Int, page: KVPage)] = []
    /// Tokens held, those that a window has moved away from included.
    var count = 0
    /// Tokens ever appended.
    var seen = 0
    /// What the eviction remembers between compressions.
    var memory: EvictionMemory?
    /// How sparsely the last tokens attended, where thoughts are told apart.
    var sparsity: SparsityRing?
    /// The state of a layer that does not attend, once it was asked for.
    var fixed: CountedFloats?
  }

  /// An empty cache whose pages are counted by `meter`.
  ///
  /// - Throws: `KVPolicyError.invalidFormat` where heads of this size cannot be kept as `policy`
  ///   says; `invalidEviction` for a method that says what it needs and not what it chooses.
  public init(
    shape: KVShape, policy: KVPolicy = KVPolicy(), meter: KVMeter
  ) throws(KVPolicyError) {
    try policy.check(shape)
    if let eviction = policy.eviction, !(eviction.method is any EvictionPolicy) {
      throw .invalidEviction(
        text: eviction.description, reason: "the method cannot choose; it is no EvictionPolicy")
    }
    self.shape = shape
    self.policy = policy
    self.meter = meter
    tiers = LayerTiers(shape: shape, policy)
    layers = [Layer](repeating: Layer(), count: shape.layers)
  }

  /// Tokens that every layer which attends holds.
  public var count: Int {
    layers.indices.lazy.filter { shape.attends($0) }.map { layers[$0].count }.min() ?? 0
  }

  /// Tokens that `layer` holds, those that a window has moved away from included.
  public func count(of layer: Int) -> Int { layers[layer].count }

  /// Tokens that every layer has seen, evicted ones included: the position of the next token.
  public var position: Int { layers.map(\.seen).min() ?? 0 }

  /// Bytes of all pages and fixed states, shared ones included.
  public var byteCount: Int {
    layers.reduce(0) { sum, layer in
      let sum = sum + (layer.fixed?.count ?? 0) * MemoryLayout<Float>.size
      return (layer.staged.map(\.page) + layer.pages).reduce(sum) { $0 + $1.layout.byteCount }
    }
  }

  /// Appends `tokens` keys and values, each `[tokens, kvHeads, dimension]`, to `layer`.
  ///
  /// - Throws: `TensorError.outOfMemory` when no page can be had.
  public mutating func append(
    keys: UnsafePointer<Float>, values: UnsafePointer<Float>, tokens: Int, layer: Int
  ) throws(TensorError) {
    try reserve(tokens: tokens, layer: layer)
      .put(keys: keys, values: values, heads: 0..<shape.kvHeads)
  }

  /// Appends `tokens` tokens to `layer` whose keys and values the caller then stores through the
  /// result.
  ///
  /// - Throws: `TensorError.outOfMemory` when no page can be had.
  public mutating func reserve(tokens: Int, layer: Int) throws(TensorError) -> KVAppend {
    layers[layer].staged = []
    var append = KVAppend(shape: shape, rotation: policy.rotation)
    for token in 0..<tokens {
      let slot = layers[layer].count % PageLayout.tokens
      if slot == 0 {
        let page = try KVPage(tiers[layer].exact, meter: meter)
        append.own(page)
        layers[layer].pages.append(page)
      } else {
        try makePageUnique(layers[layer].pages.endIndex - 1, layer: layer, for: &append)
      }
      append.store(token, in: layers[layer].pages[layers[layer].pages.endIndex - 1], slot: slot)
      layers[layer].count += 1
      layers[layer].seen += 1
      try lowerPrecision(layer: layer, in: &append)
    }
    return append
  }

  /// Rounds the pages that have become old enough.
  private mutating func lowerPrecision(
    layer: Int, in append: inout KVAppend
  ) throws(TensorError) {
    let tiers = tiers[layer]
    for tier in tiers.layouts.indices.dropFirst().reversed() {
      let (before, now) = (
        tiers.pages(in: tier, of: layers[layer].count - 1),
        tiers.pages(in: tier, of: layers[layer].count)
      )
      let held = layers[layer].pages.startIndex
      for index in max(before, held)..<max(now, held) {
        let page = layers[layer].pages[index]
        // Before an eviction the page may have been older.
        guard (tiers.layouts.firstIndex(of: page.layout) ?? 0) < tier else { continue }
        layers[layer].staged.append((index, page))
        try convertPage(index, to: tiers.layouts[tier], layer: layer, in: &append)
      }
    }
    if tiers.between != nil { try encodeOldest(layer: layer, in: &append) }
  }

  /// Rounds the tokens that have become old enough in pages that keep others in full precision.
  private mutating func encodeOldest(
    layer: Int, in append: inout KVAppend
  ) throws(TensorError) {
    let (tiers, count) = (tiers[layer], layers[layer].count)
    let coded = tiers.coded(of: count)
    let first = max(tiers.pages(in: 1, of: count), layers[layer].pages.startIndex)
    for index in first..<max(first, tiers.begunPages(of: count))
    where layers[layer].pages[index].coded != coded.inPage(index) {
      if layers[layer].pages[index].layout == tiers.between {
        try makePageUnique(index, layer: layer, for: &append)
      } else if let between = tiers.between {
        try convertPage(index, to: between, layer: layer, in: &append)
      }
      append.encode(layers[layer].pages[index], to: coded.inPage(index))
    }
  }

  /// Replaces a page by one that will hold its tokens in other formats.
  private mutating func convertPage(
    _ index: Int, to layout: PageLayout, layer: Int, in append: inout KVAppend
  ) throws(TensorError) {
    let page = try KVPage(layout, meter: meter)
    append.convert(layers[layer].pages[index], to: page)
    layers[layer].pages[index] = page
  }

  func isQuantized(_ page: KVPage) -> Bool { !tiers.kinds.contains { $0.exact == page.layout } }

  /// The pages of `layer` as the token finds them after which `visible` tokens were held.
  func pages(of layer: Int, visible: Int) -> PageList {
    let state = layers[layer]
    guard !state.staged.isEmpty else { return state.pages }
    let tiers = tiers[layer]
    var pages = state.pages
    // From the last change to the first, so that a page that changed twice is found as it was.
    for (index, page) in state.staged.reversed()
    where tiers.layouts[tiers.tier(of: index, tokens: visible)] != pages[index].layout {
      pages[index] = page
    }
    return pages
  }

  /// Replaces a page that others hold too by a copy.
  private mutating func makePageUnique(
    _ index: Int, layer: Int, for append: inout KVAppend
  ) throws(TensorError) {
    if append.owns(layers[layer].pages[index]) { return }
    if !layers[layer].pages.isUnique(index) {
      layers[layer].pages[index] = try layers[layer].pages[index].copy()
    }
    append.own(layers[layer].pages[index])
  }
}
