import Foundation
import Testing

@testable import KVCaches

@Suite struct KVCacheTests {
  let shape = KVShape(layers: 2, kvHeads: 2, headDimension: 32)

  func entries(_ count: Int, seed: Float) -> [Float] {
    (0..<count * shape.kvHeads * shape.headDimension).map { sin(Float($0) * 0.37 + seed) }
  }

  func fill(_ cache: inout KVCache, tokens: Int, seed: Float) throws {
    for layer in 0..<shape.layers {
      try cache.append(
        keys: entries(tokens, seed: seed + Float(layer)), values: entries(tokens, seed: seed + 5),
        tokens: tokens, layer: layer)
    }
  }

  func attend(_ cache: KVCache, visible: Int) -> [Float] {
    var output = [Float](repeating: 0, count: 3 * shape.headDimension)
    let queries = (0..<output.count).map { cos(Float($0)) }
    cache.attend(
      queries: queries, heads: 3, kvHead: 1, layer: 1, visible: visible, scale: 0.2,
      output: &output)
    return output
  }

  @Test(arguments: KVFormat.allCases)
  func appendingInPiecesIsTheSameAsAtOnce(format: KVFormat) throws {
    let meter = KVMeter()
    var whole = try KVCache(
      shape: shape, policy: KVPolicy(format: format), meter: meter)
    try fill(&whole, tokens: 150, seed: 1)
    var pieces = try KVCache(
      shape: shape, policy: KVPolicy(format: format), meter: meter)
    let width = shape.kvHeads * shape.headDimension
    for layer in 0..<shape.layers {
      let (keys, values) = (entries(150, seed: 1 + Float(layer)), entries(150, seed: 6))
      for token in 0..<150 {
        try pieces.append(
          keys: Array(keys[token * width..<(token + 1) * width]),
          values: Array(values[token * width..<(token + 1) * width]), tokens: 1, layer: layer)
      }
    }
    #expect(pieces.count == 150)
    for visible in [1, 63, 64, 65, 150] {
      #expect(attend(whole, visible: visible) == attend(pieces, visible: visible))
    }
  }

  @Test func whatFollowsDoesNotChangeWhatWasVisible() throws {
    var cache = try KVCache(shape: shape, meter: KVMeter())
    try fill(&cache, tokens: 70, seed: 2)
    let before = attend(cache, visible: 70)
    try fill(&cache, tokens: 30, seed: 3)
    #expect(attend(cache, visible: 70) == before)
    #expect(attend(cache, visible: 100) != before)
  }

  @Test func aBranchSharesPagesUntilItWrites() throws {
    let meter = KVMeter()
    do {
      var trunk = try KVCache(shape: shape, meter: meter)
      try fill(&trunk, tokens: 100, seed: 1)
      let bytes = meter.bytes
      #expect(bytes == trunk.byteCount)
      #expect(bytes == 4 * 64 * shape.bytesPerToken(.bf16) / shape.layers)
      var branch = trunk
      #expect(meter.bytes == bytes)
      let before = attend(trunk, visible: 100)
      try fill(&branch, tokens: 1, seed: 9)
      #expect(meter.bytes == bytes + bytes / 2)  // One of the two pages of each layer was copied.
      #expect(attend(trunk, visible: 100) == before)
      #expect(attend(branch, visible: 100) == before)
      #expect(branch.count == 101 && trunk.count == 100)
    }
    #expect(meter.bytes == 0)
    #expect(meter.peakBytes > 0)
  }
}
