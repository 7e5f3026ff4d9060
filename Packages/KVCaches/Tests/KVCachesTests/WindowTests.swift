import Foundation
import Tensors
import Testing

@testable import KVCaches

@Suite struct WindowTests {
  static let (kvHeads, heads, dimension) = (2, 2, 32)
  static let windows = [1, 10, 63, 64, 65, 130]

  static func shape(_ window: Int) -> KVShape {
    KVShape(layers: 2, kvHeads: kvHeads, headDimension: dimension, windows: [window, 0])
  }

  func floats(_ count: Int, seed: Float) -> [Float] {
    (0..<count).map { sin(Float($0) * 0.37 + seed) }
  }

  /// Appends tokens to both layers, as many at a time as `steps` says, and calls `attended` for the
  /// tokens of each step.
  func append(
    _ steps: [Int], to cache: inout KVCache,
    attended: (KVCache, Range<Int>) throws -> Void = { _, _ in }
  ) throws {
    let pool = try ThreadPool(workers: 1)
    let width = Self.kvHeads * Self.dimension
    for step in steps {
      let start = cache.count(of: 0)
      for layer in 0..<2 {
        let keys = (start..<start + step).flatMap { floats(width, seed: Float($0)) }
        let values = (start..<start + step).flatMap { floats(width, seed: Float($0) + 0.5) }
        try cache.append(keys: keys, values: values, tokens: step, layer: layer)
      }
      try attended(cache, start..<start + step)
      let queries = floats(step * width * Self.heads, seed: 9)
      for layer in 0..<2 {
        try cache.compactIfDue(
          queries: queries, tokens: step, heads: Self.heads * Self.kvHeads, layer: layer, on: pool)
      }
    }
  }

  /// What the tokens of a range attend to in a layer, in spans of at most `most` tokens.
  func attention(_ cache: KVCache, _ tokens: Range<Int>, layer: Int, most: Int) -> [Float] {
    let width = Self.kvHeads * Self.heads * Self.dimension
    let queries = tokens.flatMap { floats(width, seed: Float($0) * 1.3) }
    var output = [Float](repeating: 0, count: tokens.count * width)
    output.withUnsafeMutableBufferPointer { output in
      queries.withUnsafeBufferPointer { queries in
        guard let from = queries.baseAddress, let to = output.baseAddress else { return }
        for start in stride(from: tokens.lowerBound, to: tokens.upperBound, by: most) {
          let end = min(start + most, tokens.upperBound)
          let span = AttentionSpan(cache, layer: layer, visible: end, tokens: end - start)
          span.attend(
            queries: from, rows: (start..<end).map { $0 - tokens.lowerBound }, stride: width,
            heads: Self.heads, kvHeads: 0..<Self.kvHeads, scale: 0.2, output: to)
        }
      }
    }
    return output
  }

  @Test(arguments: windows)
  func tokensSeeTheLastOnesAlone(window: Int) throws {
    var cache = try KVCache(
      shape: Self.shape(window), policy: KVPolicy(format: .f32), meter: KVMeter())
    try append([200, 1, 59], to: &cache) { cache, tokens in
      let found = attention(cache, tokens, layer: 0, most: 16)
      let width = Self.kvHeads * Self.heads * Self.dimension
      for token in tokens where token % 7 == 0 || tokens.count == 1 {
        let queries = floats(width, seed: Float(token) * 1.3)
        for head in 0..<Self.kvHeads * Self.heads {
          let kvHead = head / Self.heads
          func entry(_ other: Int, _ half: Float) -> [Float] {
            let all = floats(Self.kvHeads * Self.dimension, seed: Float(other) + half)
            return Array(all[kvHead * Self.dimension..<(kvHead + 1) * Self.dimension])
          }
          let q = queries[head * Self.dimension..<(head + 1) * Self.dimension]
          let seen = max(0, token + 1 - window)...token
          let weights = seen.map { other -> Double in
            var product = 0.0
            for (a, b) in zip(q, entry(other, 0)) { product += Double(a) * Double(b) }
            return exp(0.2 * product)
          }
          let sum = weights.reduce(0, +)
          var expected = [Double](repeating: 0, count: Self.dimension)
          for (other, weight) in zip(seen, weights) {
            for (at, value) in entry(other, 0.5).enumerated() {
              expected[at] += weight / sum * Double(value)
            }
          }
          let start = (token - tokens.lowerBound) * width + head * Self.dimension
          for at in expected.indices {
            #expect(abs(Double(found[start + at]) - expected[at]) < 1e-5)
          }
        }
      }
    }
  }

  /// However tokens are cut into steps and steps into spans.
  @Test(arguments: QuantizedCacheTests.configurations + [KVPolicy()], windows)
  func stepsAndSpansChangeNoBit(policy: KVPolicy, window: Int) throws {
    func all(_ steps: [Int], most: Int) throws -> [[Float]] {
      var cache = try KVCache(shape: Self.shape(window), policy: policy, meter: KVMeter())
      var found: [[Float]] = [[], []]
      try append(steps, to: &cache) { cache, tokens in
        for layer in 0..<2 { found[layer] += attention(cache, tokens, layer: layer, most: most) }
      }
      return found
    }
    let alone = try all([Int](repeating: 1, count: 270), most: 1)
    #expect(try all([200, 70], most: 16) == alone)
    #expect(try all([7, 93, 1, 100, 69], most: 5) == alone)
    #expect(alone[0].allSatisfy(\.isFinite) && alone[0] != alone[1])
  }

  @Test(arguments: QuantizedCacheTests.configurations + [KVPolicy()], windows)
  func pagesThatNoTokenSeesAreLetGoOf(policy: KVPolicy, window: Int) throws {
    let (shape, meter) = (Self.shape(window), KVMeter())
    let forecast = KVForecast(shape: shape, policy: policy, heads: Self.heads * Self.kvHeads)
    var cache = try KVCache(shape: shape, policy: policy, meter: meter)
    for count in 1...400 {
      try append([1], to: &cache)
      #expect(meter.bytes == forecast.heldBytes(entries: count))
      #expect(meter.bytes <= forecast.pageBytes(entries: count))
      #expect(meter.bytes <= forecast.peakBytes(tokens: count, prompt: 1))
    }
    let all = KVForecast(
      shape: KVShape(layers: 2, kvHeads: Self.kvHeads, headDimension: Self.dimension),
      policy: policy, heads: Self.heads * Self.kvHeads)
    #expect(meter.bytes < all.heldBytes(entries: 400))
    // A forecast counts the pages that one layer rounds in a step; here both layers take theirs at
    // once.
    guard !policy.isQuantized else { return }
    var long = try KVCache(shape: shape, policy: policy, meter: meter)
    let before = meter.bytes
    try append([256, 256, 88], to: &long) { _, tokens in
      #expect(
        meter.bytes - before
          <= forecast.peakBytes(tokens: tokens.upperBound, prompt: tokens.upperBound))
    }
  }

  @Test(arguments: windows)
  func isCutBackWhileTheWindowIsThere(window: Int) throws {
    var cache = try KVCache(shape: Self.shape(window), meter: KVMeter())
    try append([300], to: &cache)
    let most = min(cache.tokensUntilFixed, 64)
    #expect(most == 64)
    var longer = cache
    try append([most], to: &longer)
    let isCut = longer.truncate(to: 301)
    #expect(isCut)
    var same = cache
    try append([1], to: &same)
    try append([5], to: &same) { cache, tokens in
      let expected = attention(cache, tokens, layer: 0, most: 1)
      try append([5], to: &longer) { cache, tokens in
        #expect(attention(cache, tokens, layer: 0, most: 1) == expected)
      }
    }
    #expect(!same.canTruncate(to: 1) || window > 200)
  }

  @Test func anEvictionActsOnTheOtherLayers() throws {
    let policy = try KVPolicy(eviction: Eviction(StreamingLLM(sinks: 4), budget: 100))
    let meter = KVMeter()
    let forecast = KVForecast(shape: Self.shape(70), policy: policy, heads: 4)
    var cache = try KVCache(shape: Self.shape(70), policy: policy, meter: meter)
    cache.endPrompt(at: 37)
    while cache.position < 600 {
      try append([min(37, cache.tokensUntilCompaction, 600 - cache.position)], to: &cache)
      #expect(meter.bytes <= forecast.peakBytes(tokens: cache.position, prompt: 37))
    }
    #expect(cache.count(of: 0) == 600 && cache.count(of: 1) < 300)
    #expect(throws: KVPolicyError.self) {
      try KVCache(
        shape: KVShape(layers: 1, kvHeads: 1, headDimension: 8, windows: [9]), policy: policy,
        meter: meter)
    }
  }
}
