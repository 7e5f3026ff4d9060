import Tensors
import Testing

@testable import KVCaches

/// What RaaS and LazyEviction keep, by when tokens were looked at.
@Suite struct RecurrenceTests {
  private func choice(
    _ text: String, _ recurrences: [(Float, Float)], seen: Int, prompt: Int? = nil
  ) throws -> [Int] {
    let eviction = try Eviction(parsing: text)
    let policy = try #require(eviction.method as? any EvictionPolicy)
    let head = HeadView(
      count: recurrences.count, seen: seen, promptTokens: prompt,
      keys: { () throws(TensorError) in try HeadKeys([0], dimension: 1) },
      recurrences: recurrences.map { Recurrence(last: $0.0, longest: $0.1) })
    return try policy.choose(from: head, budget: eviction.budget, order: eviction.order).slots
  }

  @Test func raasKeepsThePromptAndWhatWasLookedAtLast() throws {
    let looks: [(Float, Float)] = [(0, 0), (1, 0), (9, 0), (3, 0), (8, 0), (9, 0), (6, 0)]
    #expect(try choice("raas:4", looks, seen: 10, prompt: 2) == [0, 1, 2, 5])
    #expect(try choice("raas:4", looks, seen: 10, prompt: 4) == [2, 4, 5, 6])
    #expect(try choice("raas:2", looks, seen: 10) == [2, 5])
    // Of tokens that were looked at together the later ones stay.
    #expect(try choice("raas:3", looks.map { _ in (9, 0) }, seen: 10) == [4, 5, 6])
    let scored = try choice("raas:4,order=score", looks, seen: 10, prompt: 2)
    #expect(Set(scored.prefix(2)) == [0, 1] && Set(scored) == [0, 1, 2, 5])
  }

  @Test func lazyEvictionWaitsForTokensThatComeBackSeldom() throws {
    // The first was not looked at for 40 positions, which is less than it once took to come back;
    // the second never came back, the third comes back every other position and is late.
    let looks: [(Float, Float)] = [(60, 50), (90, 0), (80, 2), (99, 1), (98, 0), (99, 0)]
    #expect(try choice("lazy:3,recent=1", looks, seen: 100) == [0, 3, 5])
    #expect(try choice("lazy:5,recent=1", looks, seen: 100) == [0, 2, 3, 4, 5])
  }

  /// Positions are those at which queries gave a token enough, whatever the steps.
  @Test func looksAreWrittenDown() throws {
    let shape = KVShape(layers: 1, kvHeads: 1, headDimension: 16)
    func cache(step: Int) throws -> KVCache {
      let policy = KVPolicy(eviction: try Eviction(parsing: "lazy:60,threshold=0.3"))
      var cache = try KVCache(shape: shape, policy: policy, meter: KVMeter())
      let pool = try ThreadPool(workers: 1)
      // Token p has its one at p mod 8, and queries look for the key of the same kind.
      let row = { (p: Int) in (0..<16).map { $0 == p % 8 ? Float(40) : 0 } }
      for first in stride(from: 0, to: 24, by: step) {
        let rows = (first..<first + step).flatMap(row)
        try cache.append(keys: rows, values: rows, tokens: step, layer: 0)
        try cache.compactIfDue(queries: rows, tokens: step, heads: 1, layer: 0, on: pool)
      }
      return cache
    }
    for step in [1, 3, 24] {
      let notes = try #require(try cache(step: step).layers[0].memory?.attention)
      let found = notes.recurrences(of: 0, count: 24)
      // The third token of a kind gives each of the three a third.
      #expect(found[3] == Recurrence(last: 19, longest: 8))
      #expect(found[11] == Recurrence(last: 19, longest: 8))
      #expect(found[19] == Recurrence(last: 19, longest: 0))
    }
  }
}
