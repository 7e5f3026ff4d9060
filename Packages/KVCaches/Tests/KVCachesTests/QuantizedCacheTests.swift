import Foundation
import Tensors
import Testing

@testable import KVCaches

@Suite struct QuantizedCacheTests {
  let shape = KVShape(layers: 1, kvHeads: 2, headDimension: 32)

  static let configurations: [KVPolicy] = [
    KVPolicy(format: .int8), KVPolicy(format: .int4), KVPolicy(format: .int2),
    made { () throws(KVPolicyError) in
      try KVPolicy(keys: .bf16, values: .int4, residual: 0, group: 32)
    },
    made { () throws(KVPolicyError) in
      try KVPolicy(keys: .int8, values: .f32, residual: 64, scheme: .symmetric)
    },
    made { () throws(KVPolicyError) in
      try KVPolicy(keys: .int4, values: .int2, residual: 96, group: 32, rule: .kivi)
    },
    made { () throws(KVPolicyError) in
      try KVPolicy(keys: .int4, values: .bf16, residual: 128, scheme: .hqq, rule: .kivi)
    },
    made { () throws(KVPolicyError) in
      try KVPolicy(keys: .int4, values: .int8, residual: 32, group: 32)
    },
    made { () throws(KVPolicyError) in
      try KVPolicy(tiers: KVTier.list(parsing: "bf16:64,int8:64,int4"))
    },
    made { () throws(KVPolicyError) in
      try KVPolicy(keys: .int4, values: .int4, group: 32, keyAxis: .perToken)
    },
    made { () throws(KVPolicyError) in
      try KVPolicy(
        keys: .int2, values: .int8, residual: 64, group: 128, keyAxis: .perToken, scheme: .hqq)
    },
    made { () throws(KVPolicyError) in
      try KVPolicy(
        keys: .int8, values: .bf16, residual: 64, group: 128, keyAxis: .perToken,
        scheme: .symmetricFull, rule: .kivi)
    },
    made { () throws(KVPolicyError) in
      try KVPolicy(keys: .bf16, values: .int4, residual: 0, group: 128)
    },
    made { () throws(KVPolicyError) in
      try KVPolicy(
        tiers: KVTier.list(parsing: "bf16:64,int8:64,int4/int2"), group: 128, keyAxis: .perToken)
    },
    made { () throws(KVPolicyError) in
      try KVPolicy(
        tiers: KVTier.list(parsing: "f32:0,int8/f32:64,int8/int4:128,int2"), group: 32)
    },
  ].compactMap { $0 }

  static func made(
    _ make: () throws(KVPolicyError) -> KVPolicy
  ) -> KVPolicy? { try? make() }

  func entries(_ tokens: Range<Int>, seed: Float) -> [Float] {
    let width = shape.kvHeads * shape.headDimension
    return (tokens.lowerBound * width..<tokens.upperBound * width).map {
      sin(Float($0) * 0.37 + seed)
    }
  }

  /// What each token attends to as tokens come `step` at a time.
  func attention(_ configuration: KVPolicy, tokens: Int, step: Int) throws -> [[Float]] {
    var cache = try KVCache(shape: shape, policy: configuration, meter: KVMeter())
    let pool = try ThreadPool(workers: 1)
    var found: [[Float]] = []
    for first in stride(from: 0, to: tokens, by: step) {
      let range = first..<min(first + step, tokens)
      let keys = entries(range, seed: 1)
      try cache.append(keys: keys, values: entries(range, seed: 2), tokens: range.count, layer: 0)
      for token in range {
        var output = [Float](repeating: 0, count: 2 * shape.headDimension)
        let queries = entries(token..<token + 1, seed: 3)
        cache.attend(
          queries: queries, heads: 2, kvHead: 1, layer: 0, visible: token + 1, scale: 0.4,
          output: &output)
        found.append(output)
      }
      try cache.compactIfDue(queries: keys, tokens: range.count, heads: 2, layer: 0, on: pool)
    }
    return found
  }

  @Test(arguments: configurations)
  func stepsDoNotChangeWhatATokenAttendsTo(configuration: KVPolicy) throws {
    let single = try attention(configuration, tokens: 400, step: 1)
    for step in [7, 64, 100, 256, 400] {
      #expect(try attention(configuration, tokens: 400, step: step) == single, "step \(step)")
    }
  }

  @Test(arguments: configurations)
  func metersReadTheBytesOfEachKind(configuration: KVPolicy) throws {
    let meter = KVMeter()
    do {
      var cache = try KVCache(shape: shape, policy: configuration, meter: meter)
      let pool = try ThreadPool(workers: 1)
      for token in 0..<300 {
        let keys = entries(token..<token + 1, seed: 1)
        try cache.append(keys: keys, values: keys, tokens: 1, layer: 0)
        try cache.compactIfDue(queries: keys, tokens: 1, heads: 2, layer: 0, on: pool)
        let forecast = KVForecast(shape: shape, policy: configuration, heads: 2)
        #expect(meter.bytes == cache.tiers[0].byteCount(tokens: token + 1))
        #expect(meter.bytes <= forecast.pageBytes(entries: token + 1))
      }
      #expect(meter.bytes == cache.byteCount)
      let forecast = KVForecast(shape: shape, policy: configuration, heads: 2)
      #expect(meter.peakBytes <= forecast.peakBytes(tokens: 300, prompt: 1))
      #expect(KVMeter.Kind.allCases.reduce(0) { $0 + meter.bytes(of: $1) } == meter.bytes)
      let values = 64 * shape.kvHeads * shape.headDimension
      let parts = cache.layers[0].pages.map(\.layout).flatMap { layout -> [PageLayout.Part?] in
        [layout.keys, layout.values, layout.codes?.keys, layout.codes?.values]
      }
      let coded = parts.compactMap { $0?.format }.filter(\.isQuantized)
      let codes = coded.reduce(0) { $0 + values * $1.bits / 8 }
      #expect(meter.bytes(of: .codes) == codes)
      #expect(meter.bytes(of: .scales) > 0)
    }
    #expect(meter.bytes == 0)
  }

  @Test func moreBitsAreCloserToFullPrecision() throws {
    let exact = try attention(KVPolicy(format: .f32), tokens: 300, step: 1)
    func error(_ format: KVFormat) throws -> Float {
      let found = try attention(KVPolicy(format: format), tokens: 300, step: 1)
      return zip(found, exact).reduce(0) { sum, pair in
        zip(pair.0, pair.1).reduce(sum) { max($0, abs($1.0 - $1.1)) }
      }
    }
    let (eight, four, two) = (try error(.int8), try error(.int4), try error(.int2))
    #expect(eight < 0.02 && eight < four && four < two)
  }

  @Test func aBranchLeavesItsTrunkAsItWas() throws {
    let meter = KVMeter()
    var trunk = try KVCache(
      shape: shape, policy: KVPolicy(format: .int4), meter: meter)
    try trunk.append(
      keys: entries(0..<250, seed: 1), values: entries(0..<250, seed: 2), tokens: 250, layer: 0)
    func look(_ cache: KVCache) -> [Float] {
      var output = [Float](repeating: 0, count: 64)
      cache.attend(
        queries: entries(0..<1, seed: 3), heads: 2, kvHead: 0, layer: 0, visible: 250, scale: 0.4,
        output: &output)
      return output
    }
    let before = look(trunk)
    var branch = trunk
    try branch.append(
      keys: entries(0..<100, seed: 5), values: entries(0..<100, seed: 6), tokens: 100, layer: 0)
    #expect(look(trunk) == before && trunk.count == 250 && branch.count == 350)
  }

  @Test(arguments: ["bf16:128,int8", "bf16:64,int8:128,int4", "bf16:96,int4"], KVRule.allCases)
  func evictionAndFormatsGoTogether(format: String, rule: KVRule) throws {
    let pool = try ThreadPool(workers: 2)
    let tiers = try KVTier.list(parsing: format)
    if rule == .kivi && tiers.count > 2 { return }
    for policy in ["streaming:256,buffer=64", "rkv:256,buffer=64", "h2o:256,buffer=64"] {
      let meter = KVMeter()
      let eviction = try Eviction(parsing: policy)
      let group = tiers[0].tokens == 96 ? 32 : 64
      let configuration = try KVPolicy(
        tiers: tiers, group: group, rule: rule, eviction: eviction)
      var cache = try KVCache(shape: shape, policy: configuration, meter: meter)
      var plain = try KVCache(
        shape: shape, policy: KVPolicy(format: .bf16, eviction: eviction),
        meter: KVMeter())
      cache.endPrompt(at: 1)
      plain.endPrompt(at: 1)
      let forecast = KVForecast(shape: shape, policy: configuration, heads: 2)
      for token in 0..<700 {
        let (keys, values) = (
          entries(token..<token + 1, seed: 1), entries(token..<token + 1, seed: 2)
        )
        func append(to cache: inout KVCache) throws {
          try cache.append(keys: keys, values: values, tokens: 1, layer: 0)
          try cache.compactIfDue(queries: keys, tokens: 1, heads: 2, layer: 0, on: pool)
        }
        try append(to: &cache)
        try append(to: &plain)
      }
      #expect(cache.count == plain.count && cache.position == 700)
      #expect(cache.layers[0].pages.contains(where: cache.isQuantized))
      #expect(meter.peakBytes <= forecast.peakBytes(tokens: 700, prompt: 1), "\(policy)")
    }
  }

  @Test func impossibleConfigurationsAreRefused() {
    #expect(throws: KVPolicyError.self) {
      try KVPolicy(keys: .int8, values: .int8, residual: 100)
    }
    #expect(throws: KVPolicyError.self) {
      try KVPolicy(keys: .int8, values: .int8, residual: -64)
    }
    #expect(throws: KVPolicyError.self) {
      try KVPolicy(keys: .int8, values: .int8, group: 48)
    }
    #expect {
      try KVPolicy(keys: .int8, values: .int8, group: 128)
    } throws: { "\($0)".contains("the 64 tokens of a page") }
    #expect {
      try KVPolicy(keys: .bf16, values: .int8, keyAxis: .perToken)
    } throws: { "\($0)".contains("not quantized") }
    #expect {
      try KVPolicy(keys: .int8, values: .int8, residual: 32, group: 128, keyAxis: .perToken)
    } throws: { "\($0)".contains("a multiple of 64") }
    #expect(throws: KVPolicyError.self) { try KVPolicy(keys: .bf16, values: .f32) }
    #expect(throws: KVPolicyError.self) {
      try KVPolicy(keys: .int8, values: .int8, recent: .int8)
    }
  }

  @Test(arguments: configurations) func textAndCodingKeepEverything(configuration: KVPolicy)
    throws
  {
    let data = try JSONEncoder().encode(configuration)
    #expect(try JSONDecoder().decode(KVPolicy.self, from: data) == configuration)
    let texts = Set(Self.configurations.map(\.description))
    #expect(texts.count == Self.configurations.count)
  }
}
