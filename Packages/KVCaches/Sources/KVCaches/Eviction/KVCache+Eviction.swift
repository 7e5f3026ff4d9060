import KVLayout
import Kernels
import Tensors

extension KVCache {
  /// Tokens that may be appended at once, so that nothing has to be compressed, and no thoughts told
  /// apart, between them.
  public var tokensUntilCompaction: Int {
    guard let eviction = policy.eviction else {
      return tiers.tokensUntilKinds(of: position, prompt: promptLength)
    }
    return layers.indices.lazy.filter { shape.seesAll($0) }
      .map { eviction.tokensUntilDue(progress(layers[$0])) }.min() ?? .max
  }

  /// Says that the prompt is `length` tokens long; the first word holds.
  public mutating func endPrompt(at length: Int) {
    if promptLength == nil { promptLength = length }
  }

  private func progress(_ layer: Layer) -> Eviction.Progress {
    Eviction.Progress(seen: layer.seen, count: layer.count, promptLength: promptLength)
  }

  /// Ends a step of `layer`: lets the eviction see the queries of the tokens appended last, and
  /// compresses if it is time.
  ///
  /// A layer with a window lets go of what the next token does not see, and of nothing else. Does
  /// nothing where everything is kept. The result depends on the tokens alone, not on how they were
  /// cut into steps of at most `tokensUntilCompaction` tokens.
  ///
  /// - Parameters:
  ///   - queries: `[tokens, heads, dimension]`, rotated, of the tokens appended last.
  ///   - tokens: how many they are.
  ///   - heads: query heads; a multiple of the KV heads.
  ///   - layer: the layer.
  ///   - pool: the threads to compute on.
  /// - Throws: `TensorError.outOfMemory`; the entries are then as before.
  public mutating func compactIfDue(
    queries: UnsafePointer<Float>, tokens: Int, heads: Int, layer: Int, on pool: ThreadPool
  ) throws(TensorError) {
    guard needsQueries, shape.seesAll(layer) else { return compactIfDue(layer: layer) }
    if policy.rotation?.hasKeys == true {
      // Keys are stored rotated by the Hadamard matrix.
      let (rows, dimension) = (tokens * heads, shape.headDimension)
      var rotated = Array(UnsafeBufferPointer(start: queries, count: rows * dimension))
      KVRotation.apply(&rotated, rows: rows, dimension: dimension)
      try observe(rotated, tokens: tokens, heads: heads, layer: layer, on: pool)
    } else {
      try observe(queries, tokens: tokens, heads: heads, layer: layer, on: pool)
    }
    layers[layer].staged = []
    guard let eviction = policy.eviction else {
      return try tellThoughtsApart(tokens: tokens, layer: layer, on: pool)
    }
    guard eviction.isDue(progress(layers[layer])) else { return }
    let choices = try choices(eviction, heads: heads, layer: layer, on: pool)
    let slots = choices.map(\.slots)
    try keep(slots, layer: layer, on: pool)
    let memories = HeadMemories(choices, needs: eviction.needs, meter: meter)
    layers[layer].memory?.heads = memories
    onCompression?(layer, slots)
  }

  /// Whether `compactIfDue` wants the queries of every token.
  public var needsQueries: Bool { policy.watchesAttention }

  /// Ends a step of `layer` where nothing is changed by what was attended to, which needs no
  /// queries.
  public mutating func compactIfDue(layer: Int) {
    layers[layer].staged = []
    guard let window = shape.window(layer) else { return }
    layers[layer].pages.remove(
      before: KVShape.pagesBehind(window: window, tokens: layers[layer].count))
  }

  /// Lets the eviction, or what tells thoughts apart, see the queries of the tokens appended last.
  private mutating func observe(
    _ queries: UnsafePointer<Float>, tokens: Int, heads: Int, layer: Int, on pool: ThreadPool
  ) throws(TensorError) {
    guard let eviction = policy.eviction else {
      return try observeSparsity(
        queries, tokens: tokens, heads: heads, layer: layer, on: pool)
    }
    if layers[layer].memory == nil {
      layers[layer].memory = try EvictionMemory(
        for: eviction, shape: shape, heads: heads, meter: meter)
    }
    let first = layers[layer].seen - tokens
    try layers[layer].memory?.queries?.take(queries, count: tokens, position: first)
    guard layers[layer].memory?.attention != nil else { return }
    let reader = AttentionReader(
      self, layer: layer, queries: queries, tokens: tokens, heads: heads)
    let count = layers[layer].count
    try layers[layer].memory?.attention?.update(count: count) { notes in
      reader.read(on: pool) { notes.take($0, position: first + $0.token) }
    }
  }

  /// What the policy chooses in each KV head of `layer`.
  private func choices(
    _ eviction: Eviction, heads: Int, layer: Int, on pool: ThreadPool
  ) throws(TensorError) -> [EvictionChoice] {
    let (state, group) = (layers[layer], heads / shape.kvHeads)
    let (dimension, promptTokens) = (shape.headDimension, promptLength)
    var found = [Result<EvictionChoice, TensorError>](
      repeating: .success(EvictionChoice(slots: [])), count: shape.kvHeads)
    found.withUnsafeMutableBufferPointer { all in
      guard let base = all.baseAddress else { return }
      let found = DisjointMemory(base)
      pool.split(all.count) { part in
        for head in part {
          let queries = state.memory?.queries?.queries(
            of: head * group..<(head + 1) * group, before: state.seen)
          let view = HeadView(
            count: state.count, seen: state.seen, promptTokens: promptTokens,
            keys: { () throws(TensorError) in
              try state.keys(of: head, dimension: dimension)
            },
            queries: queries ?? [],
            attention: state.memory?.attention?.sums(of: head, count: state.count) ?? [],
            recurrences: state.memory?.attention?.recurrences(of: head, count: state.count) ?? [],
            memory: state.memory?.heads?.heads[head])
          found[head] = Result { () throws(TensorError) in try eviction.choose(from: view) }
        }
      }
    }
    var choices: [EvictionChoice] = []
    for result in found { choices.append(try result.get()) }
    return choices
  }

  /// Lets go of everything but `slots` in `layer`: a list for each KV head, all of one length, in
  /// the order in which the entries are to lie. Pages in which nothing changes stay shared. In the
  /// others of those that are quantized, values and keys per token keep their codes; keys per
  /// channel are rounded anew, since the tokens that share a scale are others then, and so is all
  /// of a page that still holds full precision too.
  private mutating func keep(
    _ slots: [[Int]], layer: Int, on pool: ThreadPool
  ) throws(TensorError) {
    let (tiers, count) = (tiers[layer], slots.first?.count ?? 0)
    let unchanged =
      slots.map { slots in slots.indices.first { slots[$0] != $0 } ?? count }.min() ?? 0
    let pages = count.pieces(of: PageLayout.tokens)
    // Where some tokens of a page have codes, which ones depends on the number held.
    let finished = tiers.between == nil ? pages : tiers.pages(in: 1, of: count)
    let changed =
      unchanged == count ? pages..<pages : min(finished, unchanged / PageLayout.tokens)..<pages

    // Ascending slots only move towards the front, so a page can be filled in place unless someone
    // else holds it.
    let isAscending = slots.allSatisfy { zip($0, $0.dropFirst()).allSatisfy(<) }
    var replacements: [Int: KVPage] = [:]
    for index in changed {
      let layout = tiers.layout(of: index, tokens: count)
      let isInPlace =
        isAscending && layers[layer].pages[index].layout == layout
        && layers[layer].pages.isUnique(index)
      if !isInPlace { replacements[index] = try KVPage(layout, meter: meter) }
    }
    try layers[layer].memory?.attention?.keep(slots)
    // A page is read for itself and those before it alone, and heads lie apart.
    let (old, new) = (Array(layers[layer].pages), replacements)
    pool.split(slots.count) { heads in
      for index in changed {
        let target = new[index] ?? old[index]
        let range = index * PageLayout.tokens..<min((index + 1) * PageLayout.tokens, count)
        for head in heads { target.gather(head: head, slots: slots[head][range], of: old) }
      }
    }
    for index in changed {
      let coded = tiers.coded(of: count).inPage(index)
      (replacements[index] ?? old[index]).encode(to: coded)
    }
    for (index, page) in replacements { layers[layer].pages[index] = page }
    layers[layer].pages.remove(from: pages)
    layers[layer].count = count
  }
}

extension KVCache.Layer {
  /// The keys that a KV head holds, as floats.
  fileprivate func keys(of head: Int, dimension: Int) throws(TensorError) -> HeadKeys {
    var rows = [Float](repeating: 0, count: count * dimension)
    rows.withUnsafeMutableBufferPointer { rows in
      guard let base = rows.baseAddress else { return }
      for (index, page) in pages.enumerated() {
        let start = index * PageLayout.tokens
        page.readKeys(
          head: head, count: min(PageLayout.tokens, count - start), into: base + start * dimension)
      }
    }
    return try HeadKeys(rows, dimension: dimension)
  }
}
