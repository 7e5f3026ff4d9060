import KVLayout
import Testing

@testable import MemoryPlanner

@Suite struct TextTests {
  @Test(arguments: [
    ("8GiB", 8_589_934_592), ("8GB", 8_000_000_000), ("8 gb", 8_000_000_000),
    ("512MiB", 536_870_912),
    ("1.5gib", 1_610_612_736), ("100b", 100), ("1TB", 1_000_000_000_000), ("2kib", 2048),
  ])
  func gigabytesAndGibibytesAreToldApart(text: String, bytes: Int) throws {
    #expect(try ByteCount(parsing: text).bytes == bytes)
  }

  @Test(arguments: ["8", "8G", "GiB", "", "-1GiB", "0GiB", "nanGiB", "infGB", "1e30GiB", "8GiBGiB"])
  func otherTextsAreRefused(text: String) {
    #expect(throws: PlannerError.self) { try ByteCount(parsing: text) }
  }

  @Test func bytesForReaders() {
    #expect("\(ByteCount(PaperThresholds.eightBit4B))" == "4.19 GiB")
    #expect("\(ByteCount(3 << 19))" == "1.50 MiB")
    #expect("\(ByteCount(1000))" == "1000 bytes")
    #expect("\(ByteCount(1))" == "1 byte" && "\(ByteCount(0))" == "0 bytes")
    #expect("\(ByteCount(1_073_741_823))" == "1024.00 MiB")
  }

  @Test func sizesFromOutsideCannotOverflow() throws {
    let huge = try ModelShape(
      name: "huge", hiddenSize: 1 << 30, intermediateSize: 1 << 30, layers: 1 << 16,
      heads: 1 << 30, kvHeads: 1 << 30, headDimension: 1 << 30, vocabularySize: 1 << 30,
      contextLength: 1 << 30, tiesEmbeddings: false)
    let load = try Load(
      thinkBudget: 1 << 30, prompt: 1 << 30, answer: 1 << 30, samples: 1 << 30, batch: 1 << 30)
    for accounting in Accounting.allCases {
      for policy in ["f32", "int4", "rkv:1073741824+int2"] {
        for bits in [16, 8, 4] {
          let use = accounting.memory(
            huge, try WeightPrecision(bits: bits), try KVPolicy(parsing: policy), load)
          #expect(use.total > 1 << 60)
        }
      }
    }
  }

  @Test func shapesThatCannotBeAreRefused() {
    #expect(throws: PlannerError.self) {
      try ModelShape(
        name: "odd", hiddenSize: 64, intermediateSize: 64, layers: 1, heads: 3, kvHeads: 2,
        headDimension: 32, vocabularySize: 10, contextLength: 10, tiesEmbeddings: true)
    }
    #expect(throws: PlannerError.self) {
      try ModelShape(
        name: "empty", hiddenSize: 0, intermediateSize: 64, layers: 1, heads: 2, kvHeads: 2,
        headDimension: 32, vocabularySize: 10, contextLength: 10, tiesEmbeddings: true)
    }
  }
}
