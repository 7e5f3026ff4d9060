import Foundation
import Tensors
import Testing

@testable import KVCaches

/// Caches that hold rotated keys and values.
@Suite struct KVRotationTests {
  static func configuration(
    _ tiers: String, _ rotation: KVRotation?, _ eviction: String? = nil
  ) throws -> KVPolicy {
    let recent =
      tiers == "f32" ? [KVTier(keys: .f32, values: .f32)] : try KVTier.list(parsing: tiers)
    return try KVPolicy(
      tiers: recent, rotation: rotation, eviction: eviction.map { try Eviction(parsing: $0) })
  }

  static func attention(
    _ tiers: String, _ rotation: KVRotation?, _ eviction: String? = nil, step: Int = 1
  ) throws -> [Float] {
    EvictingCacheTests.attention(
      try TieredCacheTests.cache(
        configuration(tiers, rotation, eviction), tokens: 300, prompt: 40, step: step))
  }

  @Test(arguments: KVRotation.allCases, [nil, "rkv:100,window=4,buffer=30", "h2o:100,buffer=30"])
  func whatAttentionMakesOfThemStays(rotation: KVRotation, eviction: String?) throws {
    let plain = try Self.attention("f32", nil, eviction)
    let rotated = try Self.attention("f32", rotation, eviction)
    #expect(rotated != plain)
    for (a, b) in zip(rotated, plain) { #expect(abs(a - b) < 1e-4) }
  }

  @Test(arguments: KVRotation.allCases, ["bf16:64,int8", "bf16:64,int8:64,int4", "bf16:0,int2"])
  func stepsChangeNothing(rotation: KVRotation, tiers: String) throws {
    for eviction in [nil, "rkv:200,window=4,buffer=30"] {
      #expect(
        try Self.attention(tiers, rotation, eviction)
          == Self.attention(tiers, rotation, eviction, step: 77))
    }
  }

  /// One component much larger than the others takes all codes of the tokens' groups, unless it is
  /// spread.
  @Test func rotationSpreadsALargeComponentOfValues() throws {
    let shape = KVShape(layers: 1, kvHeads: 1, headDimension: 64)
    func values(_ tokens: Int) -> [Float] {
      (0..<tokens * 64).map { sin(Float($0) * 0.7) * ($0 % 64 == 5 ? 40 : 1) }
    }
    func error(_ rotation: KVRotation?) throws -> Float {
      func output(_ configuration: KVPolicy) throws -> [Float] {
        var cache = try KVCache(shape: shape, policy: configuration, meter: KVMeter())
        let values = values(64)
        try cache.append(keys: values, values: values, tokens: 64, layer: 0)
        var output = [Float](repeating: 0, count: 64)
        cache.attend(
          queries: output, heads: 1, kvHead: 0, layer: 0, visible: 64, scale: 1, output: &output)
        return output
      }
      let exact = try output(KVPolicy(format: .f32))
      let found = try output(Self.configuration("bf16:0,bf16/int4", rotation))
      return zip(found, exact).reduce(0) { $0 + abs($1.0 - $1.1) }
    }
    #expect(try error(.values) < 0.7 * error(nil))
  }

  @Test(arguments: [
    ("bf16:0,int4", KVRotation.both, 48, "heads of 48 values cannot be rotated"),
    ("bf16", .keys, 80, "heads of 80 values cannot be rotated"),
    ("bf16:0,int4", nil, 96, "groups of 64 values do not divide heads of 96 values"),
  ])
  func headsThatCannotBeKeptSoAreRefused(
    tiers: String, rotation: KVRotation?, size: Int, reason: String
  ) throws {
    let shape = KVShape(layers: 1, kvHeads: 1, headDimension: size)
    let configuration = try Self.configuration(tiers, rotation)
    #expect {
      try KVCache(shape: shape, policy: configuration, meter: KVMeter())
    } throws: { "\($0)".contains(reason) }
  }
}
