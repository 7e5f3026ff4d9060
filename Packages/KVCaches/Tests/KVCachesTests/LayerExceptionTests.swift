import Tensors
import Testing

@testable import KVCaches

/// Caches of which some layers are stored otherwise than the rest.
@Suite struct LayerExceptionTests {
  static let policies = [
    "bf16:64,int4+L1=int8/bf16", "int4+group=32+L0=bf16:32,int8", "bf16+L1=int2",
  ]

  static func cache(_ policy: KVPolicy, tokens: Int, step: Int = 1) throws -> KVCache {
    try TieredCacheTests.cache(policy, tokens: tokens, step: step)
  }

  /// What is found in a layer is what a cache holds that is stored so in all of them.
  @Test(arguments: policies) func layersAreStoredByThemselves(text: String) throws {
    let policy = try KVPolicy(parsing: text)
    let mixed = try Self.cache(policy, tokens: 300)
    for layer in 0..<EvictingCacheTests.shape.layers {
      let alone = try Self.cache(policy.layer(layer), tokens: 300)
      let (found, expected) = (mixed.layers[layer].pages, alone.layers[layer].pages)
      #expect(found.map(\.layout) == expected.map(\.layout))
      #expect(found.map(TieredCacheTests.entries) == expected.map(TieredCacheTests.entries))
    }
  }

  @Test(arguments: policies) func stepsChangeNothing(text: String) throws {
    let policy = try KVPolicy(parsing: text)
    let (one, many) = (
      try Self.cache(policy, tokens: 290), try Self.cache(policy, tokens: 290, step: 77)
    )
    #expect(EvictingCacheTests.attention(one) == EvictingCacheTests.attention(many))
  }

  /// A cut is possible until the first layer rounds something.
  @Test(arguments: policies) func cutsWaitForNoLayer(text: String) throws {
    let policy = try KVPolicy(parsing: text)
    var cache = try Self.cache(policy, tokens: 200)
    let before = EvictingCacheTests.attention(cache)
    let spare = cache.tokensUntilFixed
    #expect(spare > 0)
    try EvictingCacheTests.extend(
      &cache, to: 200 + spare, step: 1, pool: try ThreadPool(workers: 1))
    let isCut = cache.truncate(to: 200)
    #expect(isCut)
    #expect(EvictingCacheTests.attention(cache) == before)
    try EvictingCacheTests.extend(
      &cache, to: 200 + spare + 1, step: 1, pool: try ThreadPool(workers: 1))
    #expect(!cache.canTruncate(to: 200))
  }

  @Test func evictionsKeepWhatEachLayerHolds() throws {
    let policy = try KVPolicy(parsing: "rkv:70,window=4,buffer=10,prompt=16+bf16:64,int4+L1=int8")
    let meter = KVMeter()
    var cache = try KVCache(shape: EvictingCacheTests.shape, policy: policy, meter: meter)
    cache.endPrompt(at: 100)
    try EvictingCacheTests.extend(
      &cache, to: 300, step: 1, pool: try ThreadPool(workers: 1))
    let forecast = KVForecast(
      shape: EvictingCacheTests.shape, policy: policy, heads: EvictingCacheTests.heads)
    #expect(cache.byteCount == forecast.heldBytes(entries: cache.count))
    #expect(meter.peakBytes <= forecast.peakBytes(tokens: 300, prompt: 100))
  }
}
