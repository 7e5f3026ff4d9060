import Tensors
import Testing

@testable import KVCaches

/// Pages of thought that are stored by how sparsely their tokens attended.
@Suite struct ThoughtTests {
  private static let policies = [
    "bf16:0,int8+thoughts=int8:64,int4:64", "bf16:64,int8:64,int4+thoughts=int2:64,int4:64",
    "bf16:64,int8+rotate=kv+thoughts=int8:64,int8/int4:64,int2:64+L1=int4",
  ]

  private static func cache(
    _ text: String, tokens: Int, prompt: Int = 70, step: Int = 1, workers: Int = 1,
    meter: KVMeter = KVMeter()
  ) throws -> KVCache {
    var cache = try KVCache(
      shape: EvictingCacheTests.shape, policy: try KVPolicy(parsing: text), meter: meter)
    cache.endPrompt(at: prompt)
    try EvictingCacheTests.extend(
      &cache, to: tokens, step: step, pool: try ThreadPool(workers: workers))
    return cache
  }

  @Test(arguments: policies)
  func stepsThreadsAndBranchesChangeNothing(policy: String) throws {
    let alone = EvictingCacheTests.attention(try Self.cache(policy, tokens: 520))
    for (step, workers) in [(1000, 1), (77, 2)] {
      let pieces = try Self.cache(policy, tokens: 520, step: step, workers: workers)
      #expect(EvictingCacheTests.attention(pieces) == alone)
    }
    let meter = KVMeter()
    do {
      let pool = try ThreadPool(workers: 1)
      var trunk = try Self.cache(policy, tokens: 300, meter: meter)
      var branch = trunk
      try EvictingCacheTests.extend(&branch, to: 600, step: 9, pool: pool)
      try EvictingCacheTests.extend(&trunk, to: 520, step: 5, pool: pool)
      #expect(EvictingCacheTests.attention(trunk) == alone)
      #expect(branch.position == 600 && !branch.canTruncate(to: 599))
    }
    #expect(meter.bytes == 0)
  }

  /// Of every two pages of thought the sparser one has the second format, and a prompt neither.
  @Test func sparserPagesHaveTheLaterFormat() throws {
    let shape = KVShape(layers: 1, kvHeads: 1, headDimension: 16)
    let policy = try KVPolicy(parsing: "bf16:64,int8+thoughts=int8:64,int2:64")
    var cache = try KVCache(shape: shape, policy: policy, meter: KVMeter())
    cache.endPrompt(at: 100)
    let pool = try ThreadPool(workers: 1)
    // Pages 3 and 4 look for one kind of key, others at all alike.
    for token in 0..<448 {
      let isSparse = (192..<320).contains(token)
      let key = (0..<16).map { Float($0 == token % 16 ? 30 : 0) }
      let query = (0..<16).map { Float(isSparse && $0 == 3 ? 30 : 0) }
      try cache.append(keys: key, values: key, tokens: 1, layer: 0)
      try cache.compactIfDue(queries: query, tokens: 1, heads: 1, layer: 0, on: pool)
    }
    let formats = cache.layers[0].pages.map(\.layout.keys.format)
    #expect(formats == [.int8, .int8, .int8, .int2, .int2, .int8, .bf16])
    #expect(cache.tokensUntilCompaction == 128)
    let forecast = KVForecast(shape: shape, policy: policy, heads: 1)
    #expect(cache.byteCount == forecast.heldBytes(entries: 448, prompt: 100))
  }

  @Test func whatIsOnlyPromptIsNotToldApart() throws {
    let text = Self.policies[0]
    let plain = try Self.cache("bf16:0,int8", tokens: 400, prompt: 400, step: 200)
    let cache = try Self.cache(text, tokens: 400, prompt: 400, step: 200)
    #expect(EvictingCacheTests.attention(cache) == EvictingCacheTests.attention(plain))
    #expect(cache.byteCount == plain.byteCount)
  }
}
