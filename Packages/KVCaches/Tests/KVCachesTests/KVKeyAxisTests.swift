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

  static func cache(_ configuration: KVConfiguration, tokens count: Int) throws -> KVCache {
    var cache = try KVCache(shape: shape, configuration: configuration, meter: KVMeter())
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
        KVConfiguration(
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

  /// A channel that is large all along costs keys per token their precision, and not those per channel.
  @Test func largeChannelsAskForScalesPerChannel() throws {
    func error(_ axis: KVKeyAxis) throws -> Float {
      let exact = try Self.cache(KVConfiguration(format: .f32), tokens: 64)
      let coded = try Self.cache(
        KVConfiguration(keys: .int4, values: .bf16, residual: 0, keyAxis: axis), tokens: 64)
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
      let configuration = try KVConfiguration(
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

  @Test func headsThatGroupsDoNotDivideAreRefused() throws {
    let configuration = try KVConfiguration(keys: .int8, values: .bf16, keyAxis: .perToken)
    #expect {
      try KVCache(
        shape: KVShape(layers: 1, kvHeads: 1, headDimension: 96), configuration: configuration,
        meter: KVMeter())
    } throws: { "\($0)".contains("do not divide heads of 96") }
  }
}
