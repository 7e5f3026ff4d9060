import Foundation
import Tensors
import Testing

@testable import KVCaches

/// Caches whose pages lose precision as they grow older.
@Suite struct TieredCacheTests {
  static let shape = EvictingCacheTests.shape

  static func tiered(
    _ tiers: String = "bf16:64,int8:64,int4", _ eviction: String? = nil
  ) throws -> KVPolicy {
    try KVPolicy(
      tiers: KVTier.list(parsing: tiers), eviction: eviction.map { try Eviction(parsing: $0) })
  }

  static func cache(
    _ configuration: KVPolicy, tokens: Int, prompt: Int = 1, step: Int = 1,
    workers: Int = 1, meter: KVMeter = KVMeter()
  ) throws -> KVCache {
    var cache = try KVCache(shape: shape, policy: configuration, meter: meter)
    cache.endPrompt(at: prompt)
    try EvictingCacheTests.extend(
      &cache, to: tokens, step: step, pool: try ThreadPool(workers: workers))
    return cache
  }

  /// Keys and values of all slots of a page.
  static func entries(_ page: KVPage) -> [Float] {
    (0..<shape.kvHeads).flatMap { head in
      (0..<64).flatMap { slot in
        var row = [Float](repeating: 0, count: 2 * shape.headDimension)
        row.withUnsafeMutableBufferPointer { row in
          guard let base = row.baseAddress else { return }
          page.readKey(head: head, slot: slot, into: base)
          page.readValue(head: head, slot: slot, into: base + shape.headDimension)
        }
        return row
      }
    }
  }

  @Test func everyPageHasTheFormatOfItsAge() throws {
    let cache = try Self.cache(Self.tiered(), tokens: 300)
    let formats = cache.layers[1].pages.map(\.layout.keys.format)
    // 300 tokens: the last 64 stay as they are, the 64 before them have 8 bits, whole pages at a
    // time.
    #expect(formats == [.int4, .int4, .int8, .bf16, .bf16])
  }

  /// A page of 4 bits was rounded twice: first to 8 bits, then what these codes stand for to 4.
  @Test func olderPagesAreRoundedFromWhatIsStored() throws {
    let shape = Self.shape
    let exact = try Self.cache(KVPolicy(format: .bf16), tokens: 64)
    let page = exact.layers[0].pages[0]
    let tiers = PageTiers(shape: shape, try Self.tiered())
    func convert(_ page: KVPage, to tier: Int) throws -> KVPage {
      let converted = try KVPage(tiers.layouts[tier], meter: KVMeter())
      for head in 0..<shape.kvHeads { converted.fill(head: head, from: page) }
      return converted
    }
    let twice = try convert(try convert(page, to: 1), to: 2)
    let found = try Self.cache(Self.tiered(), tokens: 192).layers[0].pages[0]
    #expect(Self.entries(found) == Self.entries(twice))
    func error(_ page: KVPage, _ reference: KVPage) -> Float {
      zip(Self.entries(page), Self.entries(reference)).reduce(0) { $0 + abs($1.0 - $1.1) }
    }
    let once = error(try convert(page, to: 2), page)
    // The first rounding is 17 times finer than the second, so it adds little.
    #expect(error(twice, page) < 1.1 * once)
    #expect(error(twice, page) > error(try convert(page, to: 1), page))
  }

  @Test func keysKeepTheirBitsWhereOnlyValuesLosePrecision() throws {
    let configuration = try Self.tiered("f32:0,int8:64,int8/int4")
    let cache = try Self.cache(configuration, tokens: 128)
    let pages = cache.layers[0].pages
    let younger = try Self.cache(configuration, tokens: 64).layers[0].pages[0]
    #expect(pages[0].layout.values.format == .int4 && younger.layout.values.format == .int8)
    var (now, before) = ([Float](repeating: 0, count: 16), [Float](repeating: 0, count: 16))
    for slot in 0..<64 {
      pages[0].readKey(head: 1, slot: slot, into: &now)
      younger.readKey(head: 1, slot: slot, into: &before)
      #expect(now == before)
    }
  }

  @Test(arguments: [
    nil, "rkv:200,window=4,buffer=30,prompt=100", "streaming:256,buffer=64,prompt=64",
    "h2o:150,buffer=100,prompt=100", "snapkv:200,window=4,buffer=30,order=score,prompt=100",
  ])
  func stepsThreadsAndBranchesChangeNothing(eviction: String?) throws {
    let configuration = try Self.tiered("bf16:64,int8:64,int4", eviction)
    for (tokens, prompt) in [(420, 330), (420, 20)] {
      let alone = EvictingCacheTests.attention(
        try Self.cache(configuration, tokens: tokens, prompt: prompt))
      for (step, workers) in [(1000, 1), (77, 2)] {
        let pieces = try Self.cache(
          configuration, tokens: tokens, prompt: prompt, step: step, workers: workers)
        #expect(EvictingCacheTests.attention(pieces) == alone)
      }
      let meter = KVMeter()
      do {
        let pool = try ThreadPool(workers: 1)
        var trunk = try Self.cache(configuration, tokens: 340, prompt: prompt, meter: meter)
        var branch = trunk
        try EvictingCacheTests.extend(&branch, to: 600, step: 9, pool: pool)
        try EvictingCacheTests.extend(&trunk, to: tokens, step: 5, pool: pool)
        #expect(EvictingCacheTests.attention(trunk) == alone)
        #expect(branch.position == 600)
      }
      #expect(meter.bytes == 0)
    }
  }

  @Test func recentTokensCostBytesAndKeepPrecision() throws {
    func entries(_ cache: KVCache) -> [Float] { cache.layers[0].pages.flatMap(Self.entries) }
    let exact = entries(try Self.cache(KVPolicy(format: .f32), tokens: 512))
    func cost(_ configuration: KVPolicy) throws -> (error: Float, bytes: Int) {
      let cache = try Self.cache(configuration, tokens: 512)
      return (zip(entries(cache), exact).reduce(0) { $0 + abs($1.0 - $1.1) }, cache.byteCount)
    }
    let eight = try cost(KVPolicy(format: .int8))
    let four = try cost(KVPolicy(format: .int4))
    let tiered = try cost(Self.tiered("bf16:128,int8:128,int4"))
    #expect(eight.error < tiered.error && tiered.error < four.error)
    #expect(four.bytes < tiered.bytes && tiered.bytes < eight.bytes)
  }

  @Test(arguments: [
    ("bf16:256,int8:1024,int4", "bf16:256,int8:1024,int4"), ("tiered", "bf16:128,int8:1024,int4"),
    ("f32:0,int8/f32:64,int2", "f32:0,int8/f32:64,int2"), ("bf16:192,int8", "bf16:192,int8"),
    ("bf16", "bf16"),
  ])
  func textsAreReadAndWritten(text: String, description: String) throws {
    #expect(try Self.tiered(text).description == description)
  }

  @Test(arguments: [
    ("int8:64,int4", "the most recent tokens are stored in bf16 or f32"), ("int8", "most recent"),
    ("bf16:100,int8", "a residual of 100 tokens; expected a multiple of 64"),
    ("bf16:64,int8:32,int4", "a tier of 32 tokens"), ("bf16:64,int8:0,int4", "a tier of 0 tokens"),
    ("bf16:64,int4:64,int8", "int8 is no lower precision than int4:64"),
    ("bf16:64,int8:64,int8", "two tiers are int8"), ("bf16,int8", "how many tokens"),
    ("bf16:64,int8:64", "the last tier"), ("bf16:64,f32", "one format"),
    ("bf16:64,int8:many,int4", "FORMAT:TOKENS"), ("bf16:64,int5", "\"int5\" is no format"),
    ("bf16:64,,int4", "\"\" is no format"), ("", "is no format"), ("bf16:64,int8/", "is no format"),
    ("bf16:-64,int8", "a residual of -64"), ("bf16:99999999999999999999,int8", "FORMAT:TOKENS"),
    ("bf16:64,int8:1073741824,int4", "at most 16777216"), ("bf16:64:2,int8", "FORMAT:TOKENS"),
  ])
  func whatCannotBeIsRefusedWithTheReason(text: String, reason: String) {
    #expect {
      try Self.tiered(text)
    } throws: { error in
      "\(error)".hasPrefix("KV cache \(text): ") && "\(error)".contains(reason)
    }
  }
}
