import Testing

@testable import KVCaches
@testable import Tensors

/// Pages of caches that stay move together when others have gone.
@Suite struct PageMovesTests {
  private let tests = KVCacheTests()

  private func cache(_ policy: KVPolicy, seed: Int, meter: KVMeter) throws -> KVCache {
    var cache = try KVCache(shape: tests.shape, policy: policy, meter: meter)
    try tests.fill(&cache, tokens: 300, seed: Float(seed))
    return cache
  }

  @Test(arguments: KVFormat.allCases)
  func memoryBetweenPagesThatStayGoesBack(format: KVFormat) throws {
    let meter = KVMeter()
    let policy = KVPolicy(format: format)
    var kept: [KVCache] = []
    do {
      // Every third one stays.
      let all = try (0..<36).map { try cache(policy, seed: $0, meter: meter) }
      kept = stride(from: 0, to: 36, by: 3).map { all[$0] }
    }
    // A branch shares the full pages of the first.
    kept.append(kept[0])
    try tests.fill(&kept[12], tokens: 1, seed: 9)
    let before = kept.map { tests.attend($0, visible: 300) }
    let (bytes, slabs) = (meter.bytes, meter.memory.slabsWithRoom)
    do {
      var moves = try #require(PageMoves(meter, worth: 1))
      for index in kept.indices { try moves.move(&kept[index]) }
    }
    #expect(meter.memory.slabsWithRoom < slabs)
    #expect(meter.bytes == bytes)
    #expect(kept.map { tests.attend($0, visible: 300) } == before)
    #expect(PageMoves(meter, worth: 1) == nil)
    // They go on as they would have.
    var other = try cache(policy, seed: 33, meter: KVMeter())
    for token in 0..<70 {
      try tests.fill(&kept[11], tokens: 1, seed: Float(token))
      try tests.fill(&other, tokens: 1, seed: Float(token))
    }
    #expect(tests.attend(kept[11], visible: 370) == tests.attend(other, visible: 370))
  }
}
