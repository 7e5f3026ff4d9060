import KVCaches
import Models
import Tensors

/// Speeds of one model with caches of several formats. They take turns token by token, and reading memory takes its turn with them:
/// what drifts while they are measured is the same for all.
struct SpeedTurns {
  let pass: ForwardPass
  let pool: ThreadPool
  /// Sequences that run together; they share what the cache holds at first.
  let batch: Int
  /// Tokens that a cache holds at first.
  let depth: Int
  /// Tokens of the prompt.
  let prompt: Int
  /// Tokens that are generated in a repetition.
  let tokens: Int
  let repetitions: Int

  /// Medians of all repetitions.
  struct Speed {
    /// Tokens a second.
    let prompt: Double
    let generation: Double
    /// Bytes a second.
    let memory: Double
    /// Bytes that the cache holds at first.
    let cacheBytes: Int
  }

  func measure(_ formats: [KVConfiguration]) throws -> [Speed] {
    let filled = try formats.map(filledCache)
    let ids = (0..<prompt).map { Int32($0 * 37 % 1000) }
    let memory = try MemoryReading(pool)
    var readings: [Double] = []
    var prompts = formats.map { _ in [Double]() }
    var generations = prompts
    for repetition in 0...repetitions {
      // The first one only warms up.
      let isCounted = repetition > 0
      for (index, cache) in filled.enumerated() {
        var caches = [KVCache](repeating: cache, count: batch)
        let time = try run(isCounted ? ids : [1], &caches)
        if isCounted { prompts[index].append(time) }
      }
      var sums = formats.map { _ in 0.0 }
      var caches = filled.map { [KVCache](repeating: $0, count: batch) }
      for _ in 0..<(isCounted ? tokens : 1) {
        for index in formats.indices { sums[index] += try run([7], &caches[index]) }
        readings.append(memory.bytesPerSecond())
      }
      guard isCounted else { continue }
      for index in formats.indices { generations[index].append(sums[index]) }
    }
    return formats.indices.map { index in
      Speed(
        prompt: Double(prompt * batch) / median(prompts[index]),
        generation: Double(tokens * batch) / median(generations[index]), memory: median(readings),
        cacheBytes: filled[index].byteCount)
    }
  }

  /// Seconds of feeding the same tokens to every sequence.
  private func run(_ ids: [Int32], _ caches: inout [KVCache]) throws -> Double {
    try ContinuousClock().measure {
      let runs = (0..<batch).map { TokenRun(cache: $0, tokens: ids) }
      try pass.run(runs, caches: &caches, rows: .last) { _, _, _ in }
    } / .seconds(1)
  }

  /// A cache that has seen `depth` random entries and, where it evicts, as many random queries.
  private func filledCache(_ format: KVConfiguration) throws -> KVCache {
    var cache = try pass.makeCache(format, meter: KVMeter())
    var random = Xorshift()
    let width = cache.shape.kvHeads * cache.shape.headDimension
    let heads = pass.decoder.config.heads
    while cache.position < depth {
      let count = min(256, depth - cache.position, cache.room)
      let queries = random.floats(count * heads * cache.shape.headDimension)
      for layer in 0..<cache.shape.layers {
        let (keys, values) = (random.floats(count * width), random.floats(count * width))
        try cache.append(keys: keys, values: values, tokens: count, layer: layer)
        try cache.settle(queries: queries, tokens: count, heads: heads, layer: layer, on: pool)
      }
    }
    return cache
  }

  private func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
}
