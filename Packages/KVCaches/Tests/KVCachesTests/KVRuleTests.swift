import Tensors
import Testing

@testable import KVCaches

/// Caches whose tokens leave full precision in less than pages.
@Suite struct KVRuleTests {
  static let configurations: [KVPolicy] = [
    (KVRule.blocks, 32, 96), (.kivi, 32, 96), (.kivi, 64, 128),
  ]
  .compactMap { rule, group, residual in
    try? KVPolicy(
      keys: .int4, values: .int4, residual: residual, group: group, rule: rule)
  }

  @Test func tokensLeaveAsTheirRuleSays() {
    func coded(_ rule: KVRule, _ tokens: Int) -> [Int] {
      let coded = rule.coded(of: tokens, residual: 64, step: 32)
      return [coded.keys, coded.values]
    }
    #expect(coded(.blocks, 95) == [0, 0] && coded(.blocks, 96) == [32, 32])
    #expect(coded(.kivi, 63) == [0, 0] && coded(.kivi, 64) == [64, 0])
    #expect(coded(.kivi, 65) == [64, 1] && coded(.kivi, 128) == [128, 64])
  }

  @Test(
    arguments: configurations, [nil, "rkv:200,window=4,buffer=30,prompt=100", "h2o:150,buffer=100"])
  func stepsThreadsAndBranchesChangeNothing(
    configuration: KVPolicy, eviction: String?
  ) throws {
    let configuration = try KVPolicy(
      tiers: configuration.tiers, group: configuration.group, rule: configuration.rule,
      eviction: eviction.map { try Eviction(parsing: $0) })
    let prompt = 130
    let alone = EvictingCacheTests.attention(
      try TieredCacheTests.cache(configuration, tokens: 420, prompt: prompt))
    for (step, workers) in [(1000, 1), (77, 2)] {
      let pieces = try TieredCacheTests.cache(
        configuration, tokens: 420, prompt: prompt, step: step, workers: workers)
      #expect(EvictingCacheTests.attention(pieces) == alone)
    }
    let meter = KVMeter()
    do {
      let pool = try ThreadPool(workers: 1)
      var trunk = try TieredCacheTests.cache(
        configuration, tokens: 340, prompt: prompt, meter: meter)
      var branch = trunk
      try EvictingCacheTests.extend(&branch, to: 500, step: 9, pool: pool)
      try EvictingCacheTests.extend(&trunk, to: 420, step: 5, pool: pool)
      #expect(EvictingCacheTests.attention(trunk) == alone)
    }
    #expect(meter.bytes == 0)
  }

  @Test func aRuleThatCannotBeIsRefused() {
    #expect {
      try KVPolicy(keys: .int8, values: .int8, residual: 0, rule: .kivi)
    } throws: { "\($0)".contains("needs a residual") }
    #expect {
      try KVPolicy(tiers: KVTier.usual, rule: .kivi)
    } throws: { "\($0)".contains("one quantized format") }
  }
}
