import Tensors
import Testing

@testable import KVCaches

/// What a cache that evicts holds, step by step.
@Suite struct EvictingCacheTests {
  static let shape = KVShape(layers: 2, kvHeads: 2, headDimension: 16)
  static let heads = 4
  static let policies = [
    "rkv:20,window=4,buffer=10,prompt=16", "streaming:20,buffer=10,prompt=16",
    "streaming:20,sinks=4,buffer=1,prompt=10", "snapkv:20,window=4,buffer=10,prompt=16",
    "h2o:20,buffer=10,prompt=16", "rkv:20,window=4,buffer=10,prompt=16,order=score",
    "raas:20,threshold=0.05,buffer=10,prompt=16", "lazy:20,threshold=0.05,buffer=10,prompt=16",
    "raas:20,threshold=0.05,buffer=10,prompt=16,order=score",
    "rkv:20,window=4,buffer=10,prompt=16,schedule=multiples",
  ]

  /// A cache that has taken `tokens`, the first `prompt` of them as the prompt, in steps of at most
  /// `step`.
  static func cache(
    _ policy: String, tokens: Int, prompt: Int, step: Int, format: KVFormat = .bf16,
    workers: Int = 1, meter: KVMeter = KVMeter()
  ) throws -> KVCache {
    let configuration = KVPolicy(format: format, eviction: try Eviction(parsing: policy))
    var cache = try KVCache(shape: shape, policy: configuration, meter: meter)
    cache.endPrompt(at: prompt)
    try extend(&cache, to: tokens, step: step, pool: try ThreadPool(workers: workers))
    return cache
  }

  static func extend(_ cache: inout KVCache, to tokens: Int, step: Int, pool: ThreadPool) throws {
    while cache.position < tokens {
      let count = min(step, tokens - cache.position, cache.tokensUntilCompaction)
      let first = cache.position
      for layer in 0..<shape.layers {
        let width = shape.kvHeads * shape.headDimension
        func rows(_ width: Int, _ seed: UInt64) -> [Float] {
          (first..<first + count).flatMap {
            RKVScoringTests.noise(width, seed: seed &+ UInt64($0 * 7919 + layer))
          }
        }
        try cache.append(
          keys: rows(width, 1), values: rows(width, 2), tokens: count, layer: layer)
        try cache.compactIfDue(
          queries: rows(heads * shape.headDimension, 3), tokens: count, heads: heads, layer: layer,
          on: pool)
      }
    }
  }

  /// What queries see in the whole cache.
  static func attention(_ cache: KVCache) -> [Float] {
    (0..<shape.layers).flatMap { layer in
      (0..<shape.kvHeads).flatMap { head in
        var output = [Float](repeating: 0, count: 2 * shape.headDimension)
        cache.attend(
          queries: RKVScoringTests.noise(2 * shape.headDimension, seed: 77), heads: 2, kvHead: head,
          layer: layer, visible: cache.count, scale: 1, output: &output)
        return output
      }
    }
  }

  @Test(arguments: policies)
  func stepsAndThreadsChangeNothing(policy: String) throws {
    for (tokens, prompt) in [(90, 12), (90, 33), (150, 100), (20, 20), (60, 1)] {
      let whole = try Self.cache(policy, tokens: tokens, prompt: prompt, step: 1000)
      for (step, workers) in [(1, 1), (7, 2)] {
        let pieces = try Self.cache(
          policy, tokens: tokens, prompt: prompt, step: step, workers: workers)
        #expect(pieces.count == whole.count && pieces.position == tokens)
        #expect(Self.attention(pieces) == Self.attention(whole), "\(tokens), \(prompt), \(step)")
      }
    }
  }

  @Test(arguments: policies)
  func theCacheStaysWithinItsBounds(policy: String) throws {
    let eviction = try Eviction(parsing: policy)
    let pool = try ThreadPool(workers: 1)
    var cache = try Self.cache(policy, tokens: 0, prompt: 80, step: 1)
    for tokens in 1...200 {
      try Self.extend(&cache, to: tokens, step: 1, pool: pool)
      let beyond = tokens < 80 ? eviction.promptBuffer : eviction.buffer
      #expect(cache.count < eviction.budget + beyond)
      #expect(cache.position == tokens)
      if tokens < eviction.budget { #expect(cache.count == tokens) }
      if tokens == 80 { #expect(cache.count == eviction.budget) }
    }
  }

  @Test(arguments: policies)
  func aBranchIsWhatItWouldHaveBeenAlone(policy: String) throws {
    let meter = KVMeter()
    do {
      let pool = try ThreadPool(workers: 1)
      var trunk = try Self.cache(policy, tokens: 45, prompt: 30, step: 1, meter: meter)
      var branch = trunk
      try Self.extend(&trunk, to: 90, step: 1, pool: pool)
      try Self.extend(&branch, to: 70, step: 3, pool: pool)
      for (found, tokens) in [(trunk, 90), (branch, 70)] {
        let alone = try Self.cache(policy, tokens: tokens, prompt: 30, step: 1)
        #expect(Self.attention(found) == Self.attention(alone))
      }
    }
    #expect(meter.bytes == 0)
  }

  /// What stays is chosen by position alone, so the formats differ by their rounding.
  @Test(arguments: [KVFormat.bf16, .int8])
  func entriesThatStayKeepTheirValues(format: KVFormat) throws {
    for policy in ["streaming:20,buffer=10,prompt=16", "streaming:150,sinks=4,buffer=10"] {
      let exact = try Self.cache(policy, tokens: 300, prompt: 30, step: 7, format: .f32)
      let rounded = try Self.cache(policy, tokens: 300, prompt: 30, step: 7, format: format)
      for (a, b) in zip(Self.attention(exact), Self.attention(rounded)) {
        #expect(abs(a - b) < 0.02, "\(policy)")
      }
    }
  }

  @Test func withoutEvictionNothingIsRemembered() throws {
    let meter = KVMeter()
    var cache = try KVCache(shape: Self.shape, meter: meter)
    try Self.extend(&cache, to: 100, step: 9, pool: try ThreadPool(workers: 1))
    #expect(cache.count == 100 && cache.tokensUntilCompaction == .max)
    #expect(meter.bytes == cache.byteCount)
  }

  @Test func pagesBeforeTheFirstChangeStayShared() throws {
    let meter = KVMeter()
    let trunk = try Self.cache(
      "streaming:256,buffer=64", tokens: 319, prompt: 1, step: 64, meter: meter)
    var branch = trunk
    let before = meter.bytes
    try Self.extend(&branch, to: 320, step: 1, pool: try ThreadPool(workers: 1))
    // Of four pages of each layer the first two hold the sinks and are in both.
    #expect(meter.bytes - before == 2 * 2 * 64 * Self.shape.bytesPerToken(.bf16) / 2)
  }

  @Test func aPromptInPiecesEndsWhereItSaysSo() throws {
    let eviction = try Eviction(parsing: "streaming:20,buffer=10,prompt=16")
    func tokensUntilDue(_ seen: Int, _ count: Int, _ prompt: Int?) -> Int {
      eviction.tokensUntilDue(.init(seen: seen, count: count, promptLength: prompt))
    }
    func isDue(_ seen: Int, _ count: Int, _ prompt: Int?) -> Bool {
      eviction.isDue(.init(seen: seen, count: count, promptLength: prompt))
    }
    #expect(
      tokensUntilDue(0, 0, nil) == 36 && tokensUntilDue(0, 0, 25) == 25
        && tokensUntilDue(0, 0, 50) == 36)
    #expect(!isDue(35, 35, nil) && isDue(36, 36, nil))
    #expect(!isDue(19, 19, 19) && isDue(20, 20, 20) && isDue(25, 25, 25))
    #expect(tokensUntilDue(25, 20, 25) == 10 && !isDue(34, 29, 25) && isDue(35, 30, 25))
  }

  @Test func compressingInPlaceNeedsNoFurtherPage() throws {
    let meter = KVMeter()
    var cache = try Self.cache(
      "rkv:128,window=4,buffer=64", tokens: 0, prompt: 1, step: 1, meter: meter)
    try Self.extend(&cache, to: 700, step: 1, pool: try ThreadPool(workers: 1))
    let window = 2 * 4 * Self.heads * Self.shape.headDimension * 4
    let similar = 2 * Self.shape.kvHeads * 128 * 8
    #expect(meter.peakBytes == 3 * 64 * Self.shape.bytesPerToken(.bf16) + window + similar)
  }
}
