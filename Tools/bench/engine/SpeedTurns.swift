import KVCaches
import DecoderModels
import Tensors

/// Speeds of one model with caches of several formats. They take turns token by token, and reading
/// memory takes its turn with them: what drifts while they are measured is the same for all.
struct SpeedTurns {
  /// What is measured in one repetition.
  struct Load {
    /// Sequences that run together; they share what the cache holds at first.
    let batch: Int
    /// Tokens that a cache holds at first.
    let depth: Int
    /// Tokens of the prompt.
    let prompt: Int
    /// Tokens that are generated.
    let tokens: Int
  }

  /// What one format reached.
  struct Speed {
    /// Tokens a second.
    let prompt: Double
    let generation: Double
    /// Bytes a second.
    let memory: Double
    /// Bytes that the cache holds at first, fixed states included.
    let cacheBytes: Int
  }

  private let pass: ForwardPass
  private let load: Load
  private let memory: MemoryBandwidth
  /// A cache of each format, filled.
  private var filled: [KVCache] = []

  /// Fills caches of some formats, and warms up.
  init(_ pass: ForwardPass, _ formats: [KVPolicy], _ load: Load, pool: ThreadPool) throws {
    self.pass = pass
    self.load = load
    memory = try MemoryBandwidth(pool)
    filled = try formats.map { try filledCache($0, pool: pool) }
    for index in filled.indices {
      var caches = copies(of: index)
      for _ in 0..<2 { _ = try seconds([1], &caches) }
    }
  }

  /// One repetition, by format.
  func measure() throws -> [Speed] {
    let ids = (0..<load.prompt).map { Int32($0 * 37 % 1000) }
    let prompts = try filled.indices.map { index in
      var caches = copies(of: index)
      return try seconds(ids, &caches)
    }
    var caches = filled.indices.map(copies)
    // The first token copies what the sequences share and write to.
    for index in filled.indices { _ = try seconds([1], &caches[index]) }
    var generations = filled.map { _ in 0.0 }
    var readings: [Double] = []
    for token in 0..<load.tokens {
      let id = Int32(7 + token * 13)
      for index in filled.indices { generations[index] += try seconds([id], &caches[index]) }
      readings.append(memory.bytesPerSecond())
    }
    return filled.indices.map { index in
      Speed(
        prompt: Double(load.prompt * load.batch) / prompts[index],
        generation: Double(load.tokens * load.batch) / generations[index],
        memory: readings.median, cacheBytes: filled[index].byteCount)
    }
  }

  private func copies(of index: Int) -> [KVCache] {
    [KVCache](repeating: filled[index], count: load.batch)
  }

  /// Seconds of feeding as many tokens to every sequence, others to each, as experts are chosen by
  /// them. Of the logits as many are looked at as Qwen3's `top_k` leaves.
  private func seconds(_ ids: [Int32], _ caches: inout [KVCache]) throws -> Double {
    try ContinuousClock().measure {
      let runs = caches.indices.map { cache in
        TokenRun(
          cache: cache, tokens: ids.map { ($0 + Int32(cache) * 61) % 1000 },
          likeliest: GreatestOutputs(count: 20))
      }
      try pass.run(runs, caches: &caches, rows: .last) { _, _, _ in }
    } / .seconds(1)
  }

  /// A cache that has seen `depth` random entries and, where it evicts, as many random queries, and
  /// whose fixed states are random.
  private func filledCache(_ format: KVPolicy, pool: ThreadPool) throws -> KVCache {
    var cache = try pass.makeCache(format, meter: KVMeter())
    var random = Xorshift()
    let width = cache.shape.kvHeads * cache.shape.headDimension
    let heads = pass.decoder.shape.heads.queries
    let layers = 0..<cache.shape.layers
    let (attending, others) = (
      layers.filter { cache.shape.attends($0) }, layers.filter { !cache.shape.attends($0) }
    )
    for layer in others {
      try cache.updateFixedState(of: layer, tokens: load.depth) { state in
        _ = state.update(fromContentsOf: random.floats(state.count))
      }
    }
    while cache.position < load.depth {
      let count = min(256, load.depth - cache.position, cache.tokensUntilCompaction)
      let queries = random.floats(count * heads * cache.shape.headDimension)
      for layer in attending {
        let (keys, values) = (random.floats(count * width), random.floats(count * width))
        try cache.append(keys: keys, values: values, tokens: count, layer: layer)
        try cache.compactIfDue(
          queries: queries, tokens: count, heads: heads, layer: layer, on: pool)
      }
    }
    return cache
  }
}

extension [SpeedTurns.Speed] {
  /// The medians of some repetitions of one format.
  var median: SpeedTurns.Speed {
    SpeedTurns.Speed(
      prompt: map(\.prompt).median, generation: map(\.generation).median,
      memory: map(\.memory).median, cacheBytes: self[0].cacheBytes)
  }
}

extension [Double] {
  var median: Double { sorted()[count / 2] }
}
