import KVCaches
import MemoryPlanner
import ModelLoader
import Models
import NanoModels
import Tensors
import Testing

/// The planner's `actual` accounting against the bytes that the engine's own meters read.
@Suite struct MemoryEquationTests {
  @Test(arguments: NanoModels.names) func weightsOfAModelAsLoaded(name: String) throws {
    let folder = try #require(NanoModels.directory(of: name))
    let decoder = try Decoder(try Checkpoint(directory: folder))
    let shape = try decoder.config.memoryShape(named: name)
    #expect(Accounting.actual.weights(shape, .bf16) == decoder.weightBytes)
  }

  /// Shapes whose rows are no multiple of 16 and whose inputs are no multiple of group and line.
  @Test(arguments: [8, 4, 3, 2], [32, 128]) func quantizedMatrices(bits: Int, group: Int) throws {
    for (rows, columns) in [(16, 128), (40, 136), (7, 200), (33, 72)] {
      for zeros in [false, true] {
        let groups = (columns + group - 1) / group
        let matrix = try QuantizedMatrix(
          bits: bits, outFeatures: rows, inFeatures: columns, groupSize: group,
          codes: [UInt8](repeating: 1, count: rows * columns),
          scales: [Float](repeating: 0.5, count: rows * groups),
          zeros: zeros ? [Float](repeating: 1.5, count: rows * groups) : nil)
        let precision = try WeightPrecision(bits: bits, groupSize: group, hasZeroPoints: zeros)
        let bytes = try WeightPacking.pack(matrix).byteCount
        #expect(precision.packedBytes(rows: rows, columns: columns) == bytes)
      }
    }
  }

  @Test(arguments: KVFormat.allCases.map(\.rawValue) + ["bf16:64,int8:64,int8/int4:64,int2"])
  func pagesOfACache(format: String) throws {
    let tiers = try KVTier.list(parsing: format)
    let configuration =
      tiers.count > 1
      ? try KVConfiguration(tiers: tiers) : KVConfiguration(format: tiers[0].keys)
    for (layers, kvHeads, dimension) in [(2, 1, 32), (3, 2, 40), (1, 4, 128)] {
      let shape = KVShape(layers: layers, kvHeads: kvHeads, headDimension: dimension)
      let meter = KVMeter()
      let pool = try ThreadPool(workers: 1)
      var cache = try KVCache(shape: shape, configuration: configuration, meter: meter)
      let token = [Float](repeating: 1, count: kvHeads * dimension)
      let pages = CachePages(layers: layers, kvHeads: kvHeads, headDimension: dimension)
      let policy = try KVPolicy(parsing: format)
      for count in 1...270 {
        for layer in 0..<layers {
          try cache.append(keys: token, values: token, tokens: 1, layer: layer)
          try cache.settle(
            queries: token, tokens: 1, heads: kvHeads, layer: layer, on: pool)
        }
        #expect(meter.bytes == pages.sequence(entries: count, policy))
      }
    }
  }

  /// What an eviction holds beside the pages, token by token, and all bytes at the peak.
  @Test(arguments: [
    "rkv:100,buffer=60", "rkv:100,buffer=60,window=3", "rkv:100,buffer=60,order=score",
    "rkv:100,buffer=60,retain=first", "snapkv:100,buffer=60", "snapkv:100,buffer=60,window=5",
    "h2o:100,buffer=60", "streaming:100,buffer=60",
  ])
  func whatAnEvictionRemembers(eviction: String) throws {
    let (heads, prompt, tokens) = (6, 250, 500)
    let shape = KVShape(layers: 2, kvHeads: 3, headDimension: 40)
    let meter = KVMeter()
    let pool = try ThreadPool(workers: 1)
    var cache = try KVCache(
      shape: shape, configuration: KVConfiguration(eviction: try Eviction(parsing: eviction)),
      meter: meter)
    cache.endPrompt(at: prompt)
    let pages = CachePages(layers: 2, kvHeads: 3, headDimension: 40, heads: heads)
    let policy = try KVPolicy(parsing: eviction)
    for count in 1...tokens {
      for layer in 0..<shape.layers {
        let token = (0..<heads * 40).map { Float(($0 * 31 + count * 17 + layer) % 23) - 11 }
        try cache.append(keys: token, values: token, tokens: 1, layer: layer)
        try cache.settle(queries: token, tokens: 1, heads: heads, layer: layer, on: pool)
      }
      let remembered = pages.remembered(
        entries: cache.count, policy, isCompressed: count >= prompt)
      #expect(meter.bytes(of: .eviction) == remembered, "after \(count) tokens")
      #expect(meter.bytes == pages.sequence(entries: cache.count, policy) + remembered)
    }
    let load = try Load(thinkBudget: tokens - prompt, prompt: prompt, answer: 0)
    // A compression fills something new of one layer before it lets go of the old.
    let beside = meter.peakBytes - pages.peak(load, policy)
    #expect(beside >= 0 && beside <= pages.peak(load, policy) / shape.layers)
    if eviction.hasPrefix("streaming") { #expect(beside == 0) }
  }
}
