import Foundation
import Tensors
import Testing

@testable import KVCaches

/// Caches whose keys share scales over components, as values do.
@Suite struct KVKeyAxisTests {
  static let shape = KVShape(layers: 1, kvHeads: 2, headDimension: 128)

  static func tokens(_ count: Int) -> [Float] {
    (0..<count * shape.kvHeads * shape.headDimension).map {
      sin(Float($0) * 0.37) + ($0 % shape.headDimension == 5 ? 9 : 0)
    }
  }

  static func cache(_ configuration: KVPolicy, tokens count: Int) throws -> KVCache {
    var cache = try KVCache(shape: shape, policy: configuration, meter: KVMeter())
    try cache.append(keys: tokens(count), values: tokens(count), tokens: count, layer: 0)
    return cache
  }

  /// Keys that equal the values are stored as these are.
  @Test(
    arguments: ["bf16:0,int8", "bf16:64,int4", "f32:64,int2", "bf16:64,int8:64,int4"],
    [32, 64, 128]
  )
  func keysPerTokenAreCodedAsValuesAre(tiers: String, group: Int) throws {
    for scheme in KVScheme.allCases {
      let cache = try Self.cache(
        KVPolicy(
          tiers: KVTier.list(parsing: tiers), group: group, keyAxis: .perToken, scheme: scheme),
        tokens: 260)
      let dimension = Self.shape.headDimension
      var (key, value) = (
        [Float](repeating: 0, count: dimension), [Float](repeating: 1, count: dimension)
      )
      for page in cache.layers[0].pages {
        for (head, slot) in (0..<2).flatMap({ head in (0..<64).map { (head, $0) } }) {
          page.readKey(head: head, slot: slot, into: &key)
          page.readValue(head: head, slot: slot, into: &value)
          #expect(key == value)
        }
      }
    }
  }

  /// A channel that is large all along costs keys per token their precision, and not those per
  /// channel.
  @Test func largeChannelsAskForScalesPerChannel() throws {
    func error(_ axis: KVKeyAxis) throws -> Float {
      let exact = try Self.cache(KVPolicy(format: .f32), tokens: 64)
      let coded = try Self.cache(
        KVPolicy(keys: .int4, values: .bf16, residual: 0, keyAxis: axis), tokens: 64)
      func keys(_ cache: KVCache) -> [Float] {
        var rows = [Float](repeating: 0, count: 64 * Self.shape.headDimension)
        cache.layers[0].pages[0].readKeys(head: 0, count: 64, into: &rows)
        return rows
      }
      return zip(keys(exact), keys(coded)).reduce(0) { $0 + abs($1.0 - $1.1) }
    }
    #expect(try error(.perChannel) < 0.5 * error(.perToken))
  }

  @Test(arguments: [
    ("bf16:64,int4", 128, nil), ("bf16:64,int8:64,int4", 64, nil),
    ("bf16:32,int2", 32, "rkv:200,window=4,buffer=30"),
    ("bf16:64,int8", 64, "h2o:150,buffer=100,prompt=100"), ("bf16:0,int4", 64, "streaming:128"),
  ])
  func stepsThreadsAndBranchesChangeNothing(
    tiers: String, group: Int, eviction: String?
  ) throws {
    let eviction = try eviction.map { try Eviction(parsing: $0) }
    for rotation in [nil, KVRotation.both] {
      let configuration = try KVPolicy(
        tiers: KVTier.list(parsing: tiers), group: group, keyAxis: .perToken, rotation: rotation,
        eviction: eviction)
      let alone = EvictingCacheTests.attention(
        try TieredCacheTests.cache(configuration, tokens: 420, prompt: 130))
      for (step, workers) in [(1000, 1), (77, 2)] {
        let pieces = try TieredCacheTests.cache(
          configuration, tokens: 420, prompt: 130, step: step, workers: workers)
        #expect(EvictingCacheTests.attention(pieces) == alone)
      }
      let pool = try ThreadPool(workers: 1)
      var trunk = try TieredCacheTests.cache(configuration, tokens: 340, prompt: 130)
      var branch = trunk
      try EvictingCacheTests.extend(&branch, to: 500, step: 9, pool: pool)
      try EvictingCacheTests.extend(&trunk, to: 420, step: 5, pool: pool)
      #expect(EvictingCacheTests.attention(trunk) == alone)
    }
  }

  /// What has a scale of its own is not rounded again, however often a compression moves it.
  @Test(
    arguments: KVScheme.allCases,
    ["rkv:200,window=4,buffer=30", "snapkv:200,order=score,window=4,buffer=30"])
  func movedTokensKeepTheirCodes(scheme: KVScheme, eviction: String) throws {
    let configuration = try KVPolicy(
      tiers: KVTier.list(parsing: "bf16:0,int4"), keyAxis: .perToken, scheme: scheme,
      eviction: Eviction(parsing: eviction))
    var cache = try KVCache(
      shape: TieredCacheTests.shape, policy: configuration, meter: KVMeter())
    let pool = try ThreadPool(workers: 1)
    cache.endPrompt(at: 40)
    let seen = Compressions()
    cache.onCompression = { seen.slots = $0 == 0 ? $1 : seen.slots }
    for token in 1...700 {
      let before = cache.layers[0].pages
      try EvictingCacheTests.extend(&cache, to: token, step: 1, pool: pool)
      for (head, slots) in seen.slots.enumerated() {
        for (slot, from) in slots.enumerated() where from / 64 < before.count {
          let (page, old) = (cache.layers[0].pages[slot / 64], before[from / 64])
          guard cache.isQuantized(page), cache.isQuantized(old) else { continue }
          #expect(Self.entries(page, head, slot % 64) == Self.entries(old, head, from % 64))
          seen.moved += slot == from ? 0 : 1
        }
      }
      seen.slots = []
    }
    #expect(seen.moved > 1000)
  }

  private final class Compressions {
    var slots: [[Int]] = []
    var moved = 0
  }

  private static func entries(_ page: KVPage, _ head: Int, _ slot: Int) -> [Float] {
    var row = [Float](repeating: 0, count: 2 * page.layout.shape.headDimension)
    row.withUnsafeMutableBufferPointer { row in
      guard let base = row.baseAddress else { return }
      page.readKey(head: head, slot: slot, into: base)
      page.readValue(head: head, slot: slot, into: base + row.count / 2)
    }
    return row
  }

  @Test func headsThatGroupsDoNotDivideAreRefused() throws {
    let configuration = try KVPolicy(keys: .int8, values: .bf16, keyAxis: .perToken)
    #expect {
      try KVCache(
        shape: KVShape(layers: 1, kvHeads: 1, headDimension: 96), policy: configuration,
        meter: KVMeter())
    } throws: { "\($0)".contains("do not divide heads of 96") }
  }
}
