import Kernels
import Tensors
import Testing

@testable import KVCaches

/// A sequence's state: cut back, and of layers that do not attend.
@Suite struct KVStateTests {
  @Test func aPageHasTheTokensThatKernelsGiveIt() { #expect(PageLayout.tokens == Int(BB_PAGE)) }

  /// A cache that took tokens which were taken back is that of a sequence which never saw them.
  @Test(arguments: [
    "bf16", "f32", "bf16:64,int8", "int4", "bf16:0,int8:64,int4", "int4+group=32", "int8+rotate=kv",
  ])
  func whatIsCutBackWasNeverThere(text: String) throws {
    let policy = try KVPolicy(parsing: text)
    let meter = KVMeter()
    let pool = try ThreadPool(workers: 1)
    let wanted = try TieredCacheTests.cache(policy, tokens: 300, step: 7)
    var cache = try TieredCacheTests.cache(policy, tokens: 0, meter: meter)
    while cache.position < 300 {
      let (length, most) = (cache.position, min(9, cache.tokensUntilFixed))
      let branch = cache
      if most > 0 {
        // Others than those that follow.
        var wrong = [Float](repeating: 0.25, count: 9 * 2 * TieredCacheTests.shape.headDimension)
        wrong[0] = Float(length)
        for layer in 0..<TieredCacheTests.shape.layers {
          try cache.append(keys: wrong, values: wrong, tokens: most, layer: layer)
          cache.compactIfDue(layer: layer)
        }
        let isDone = cache.truncate(to: length)
        #expect(isDone)
      }
      #expect(branch.position == length)
      try EvictingCacheTests.extend(
        &cache, to: min(300, length + max(most, 1)), step: 1, pool: pool)
    }
    #expect(EvictingCacheTests.attention(cache) == EvictingCacheTests.attention(wanted))
    #expect(meter.bytes == cache.byteCount)
  }

  @Test func whatCannotBeCutBackStays() throws {
    var cache = try TieredCacheTests.cache(KVPolicy(parsing: "bf16:64,int8"), tokens: 200)
    var lengths: [Int] = []
    for length in [100, 192, 193, -1] where cache.truncate(to: length) { lengths.append(length) }
    #expect(lengths == [192] && cache.position == 192 && cache.tokensUntilFixed == 63)
    let evicting = try TieredCacheTests.cache(KVPolicy(parsing: "rkv:100"), tokens: 20)
    #expect(evicting.tokensUntilFixed == 0)
    #expect(!evicting.canTruncate(to: 19) && evicting.canTruncate(to: 20))
    let kivi = try TieredCacheTests.cache(KVPolicy(parsing: "int4+rule=kivi"), tokens: 300)
    #expect(kivi.tokensUntilFixed == 0 && !kivi.canTruncate(to: 299))
  }

  @Test func aFixedStateIsCopiedWhenOneOfTwoBranchesWrites() throws {
    let shape = KVShape(layers: 2, kvHeads: 1, headDimension: 16, fixedFloats: [6, 0])
    let meter = KVMeter()
    do {
      var cache = try KVCache(shape: shape, meter: meter)
      func add(_ value: Float, to cache: inout KVCache) throws {
        let row = [Float](repeating: value, count: 16)
        try cache.updateFixedState(of: 0, tokens: 1) { state in
          for index in state.indices { state[index] += value }
        }
        try cache.append(keys: row, values: row, tokens: 1, layer: 1)
      }
      try add(1, to: &cache)
      #expect(meter.bytes(of: .fixed) == 24 && meter.bytes == cache.byteCount)
      var branch = cache
      try add(2, to: &branch)
      try add(10, to: &cache)
      #expect(meter.bytes(of: .fixed) == 48)
      let states = [
        try branch.updateFixedState(of: 0, tokens: 0) { $0[5] },
        try cache.updateFixedState(of: 0, tokens: 0) { $0[5] },
      ]
      #expect(states == [3, 11])
      #expect(cache.position == 2 && cache.count == 2 && !cache.canTruncate(to: 1))
      let forecast = KVForecast(shape: shape, policy: .full, heads: 1)
      #expect(cache.byteCount == forecast.heldBytes(entries: 2))
    }
    #expect(meter.bytes == 0)
  }

  /// Every second token, remembered as numbers.
  struct EverySecond: EvictionPolicy {
    static let name = "second"
    static let keys: [String] = []

    struct Memory: HeadMemory {
      let slots: [Int32]
      var byteCount: Int { slots.count * 4 }
    }

    init() {}
    init(_ settings: inout EvictionSettings, budget: Int) throws(EvictionProblem) {}
    func settings(budget: Int) -> [(key: String, value: String)] { [] }
    func problem(budget: Int) -> String? { nil }
    func needs(order: Eviction.Order) -> EvictionNeeds {
      EvictionNeeds(rememberedBytesPerToken: 4)
    }

    func choose(
      from head: HeadView, budget: Int, order: Eviction.Order
    ) throws(TensorError) -> EvictionChoice {
      let slots = (0..<budget).map { head.count - 1 - 2 * (budget - 1 - $0) }.filter { $0 >= 0 }
      return EvictionChoice(slots: slots, memory: Memory(slots: slots.map { Int32($0) }))
    }
  }

  @Test func aPolicyOfOnesOwnIsFollowed() throws {
    let meter = KVMeter()
    let catalog = EvictionCatalog.standard.adding(EverySecond.self)
    let policy = try KVPolicy(parsing: "second:16,buffer=16", evictions: catalog)
    do {
      var cache = try KVCache(shape: EvictingCacheTests.shape, policy: policy, meter: meter)
      cache.endPrompt(at: 1)
      let pool = try ThreadPool(workers: 1)
      try EvictingCacheTests.extend(&cache, to: 100, step: 1, pool: pool)
      #expect(cache.count < 32 && cache.position == 100)
      let forecast = KVForecast(shape: EvictingCacheTests.shape, policy: policy, heads: 4)
      #expect(
        meter.bytes(of: .eviction) == forecast.rememberedBytes(entries: 16, isCompressed: true))
      #expect(meter.peakBytes <= forecast.peakBytes(tokens: 100, prompt: 1))
    }
    #expect(meter.bytes == 0)
  }
}
