import KVLayout
import Testing

@testable import MemoryPlanner

/// Tables 1 and 2 of arXiv:2510.10964, in its "GB", which are GiB.
@Suite struct PaperTableTests {
  static let gibibyte = 1_073_741_824.0

  /// A row of Table 1: weights at 4, 8 and 16 bits; KV at 2k, 18k and 30k tokens, and at 30k tokens
  /// of 16 samples.
  struct Row: Sendable, CustomTestStringConvertible {
    let model: String
    let weights: [Double]
    let cache: [Double]
    let perToken: Int
    var testDescription: String { model }
  }

  static let rows = [
    Row(
      model: "0.6b", weights: [0.50, 0.71, 1.40], cache: [0.21, 1.92, 3.20, 51.27], perToken: 112),
    Row(
      model: "1.7b", weights: [1.26, 1.93, 3.78], cache: [0.21, 1.92, 3.20, 51.27], perToken: 112),
    Row(
      model: "4b", weights: [2.49, 4.19, 7.49], cache: [0.27, 2.47, 4.12, 65.91], perToken: 144),
    Row(
      model: "8b", weights: [5.68, 8.94, 15.26], cache: [0.27, 2.47, 4.12, 65.91], perToken: 144),
    Row(
      model: "14b", weights: [9.30, 15.50, 27.51], cache: [0.31, 2.75, 4.58, 73.24], perToken: 160),
    Row(
      model: "32b", weights: [18.01, 32.66, 61.02], cache: [0.49, 4.39, 7.32, 117.19], perToken: 256
    ),
  ]

  @Test(arguments: rows) func everyCellOfTable1(_ row: Row) throws {
    let shape = try #require(Qwen3Family.models.first { $0.name == row.model })
    for (bits, expected) in zip([4, 8, 16], row.weights) {
      let bytes = Accounting.paperTable.weights(shape, try WeightPrecision(bits: bits))
      #expect(abs(Double(bytes) / Self.gibibyte - expected) < 0.01, "\(bits) bits")
    }
    let loads = [(2000, 1), (18_000, 1), (30_000, 1), (30_000, 16)]
    for ((tokens, samples), expected) in zip(loads, row.cache) {
      let load = try Load(thinkBudget: tokens, samples: samples)
      let use = Accounting.paperTable.memory(shape, .bf16, .full, load)
      #expect(abs(Double(use.kv) / Self.gibibyte - expected) < 0.01, "\(tokens) x \(samples)")
    }
  }

  @Test(arguments: rows) func everyCellOfTable2(_ row: Row) throws {
    let shape = try #require(Qwen3Family.models.first { $0.name == row.model })
    #expect(shape.attention.kvHeads == 8 && shape.attention.dimension == 128)
    #expect(
      shape.layers == ["0.6b": 28, "1.7b": 28, "4b": 36, "8b": 36, "14b": 40, "32b": 64][row.model])
    #expect(shape.kvValuesPerToken * 2 == row.perToken * 1024)
  }

  @Test func theThresholdsAreTheEffectiveSizesTheyAreNamedAfter() throws {
    let eight = try WeightPrecision(bits: 8)
    let sizes = Dictionary(
      uniqueKeysWithValues: Qwen3Family.models.map {
        ($0.name, Accounting.paperTable.weights($0, eight))
      })
    #expect(sizes["4b"] == PaperThresholds.eightBit4B)
    #expect(sizes["8b"] == PaperThresholds.eightBit8B)
  }

  @Test func parametersAreThoseOfTheReleasedModels() {
    #expect(
      Qwen3Family.models.map(\.parameters) == [
        596_049_920, 1_720_574_976, 4_022_468_096, 8_190_735_360, 14_768_307_200, 32_762_123_264,
      ])
  }

  @Test(arguments: [(4, 0.5014), (8, 0.7065)])
  func appendixALeavesOutZerosAndIndices(bits: Int, expected: Double) throws {
    let bytes = Accounting.appendixA.weights(
      Qwen3Family.models[0], try WeightPrecision(bits: bits))
    #expect(abs(Double(bytes) / Self.gibibyte - expected) < 0.0001)
  }

  /// Appendix A at 30k tokens: 8.25, 4.25 and 2.25 bits a value, and T_retain tokens under
  /// eviction.
  @Test(arguments: [
    ("int8", "0.6b", 1.652), ("int4", "4b", 1.094), ("int2", "14b", 0.644), ("int8", "32b", 3.777),
    ("rkv:2048", "0.6b", 0.219), ("rkv:8192", "4b", 1.125), ("rkv:4096", "32b", 1.0),
  ])
  func compressedCaches(policy: String, model: String, expected: Double) throws {
    let shape = try #require(Qwen3Family.models.first { $0.name == model })
    let use = Accounting.appendixA.memory(
      shape, .bf16, try KVPolicy(parsing: policy), try Load(thinkBudget: 30_000))
    #expect(abs(Double(use.kv) / Self.gibibyte - expected) < 0.001)
  }

  @Test func weightsAreSharedByABatch() throws {
    let shape = Qwen3Family.models[2]
    let use = Accounting.paperTable.memory(
      shape, try WeightPrecision(bits: 8), .full, try Load(thinkBudget: 10_000, batch: 16))
    let one = Accounting.paperTable.memory(shape, .bf16, .full, try Load(thinkBudget: 10_000))
    // Figure 3: weights / batch + KV.
    #expect(use.perQuestion(batch: 16) == use.weights.pieces(of: 16) + one.kv)
  }
}

/// The engine's caches under a load: what samples share, and what an eviction ends.
@Suite struct CacheMemoryTests {
  private let shape = KVShape(layers: 2, kvHeads: 1, headDimension: 32)
  /// Bytes of one page in BF16: keys and values of 64 tokens.
  private let page = 64 * 32 * 2 * 2

  /// Pages of a layer at the peak; replies end with a token that is never run.
  private func peak(_ kv: String, reply: Int, prompt: Int, samples: Int) throws -> Int {
    let load = try Load(thinkBudget: reply, prompt: prompt, answer: 1, samples: samples)
    let forecast = KVForecast(shape: shape, policy: try KVPolicy(parsing: kv), heads: 1)
    return forecast.peakBytes(load) / (2 * page)
  }

  @Test func samplesShareFullPagesOfThePrompt() throws {
    #expect(try peak("bf16", reply: 64, prompt: 128, samples: 1) == 3)
    #expect(try peak("bf16", reply: 64, prompt: 128, samples: 4) == 2 + 4)
    // The page that holds the end of the prompt is written by every sample, and kept for those who
    // wait.
    #expect(try peak("bf16", reply: 64, prompt: 130, samples: 4) == 3 + 4 * 2)
  }

  @Test func anEvictionBoundsEverySample() throws {
    // 256 + 128 tokens each, and beside them the kept ones of one layer while it is compressed.
    let sample = 6 + 2
    #expect(try peak("streaming:256", reply: 600, prompt: 200, samples: 1) == sample)
    // The prompt is run once; of what is kept of it the sinks are never written anew.
    #expect(
      try peak("streaming:256", reply: 600, prompt: 1024, samples: 8) == 4 + 8 * (sample - 2))
    // Short replies write nothing anew; the first text holds all of the prompt while it is run.
    #expect(try peak("streaming:256", reply: 100, prompt: 1024, samples: 8) == 4 + 8 * 2)
    #expect(try peak("streaming:256", reply: 100, prompt: 1024, samples: 2) == 16 + 2 + 2)
    // A long prompt is held up to 2048 tokens beyond the budget.
    #expect(try peak("streaming:256", reply: 600, prompt: 9000, samples: 1) == 36 + 2)
  }
}
