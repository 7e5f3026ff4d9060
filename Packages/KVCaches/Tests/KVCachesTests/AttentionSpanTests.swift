import Foundation
import Tensors
import Testing

@testable import KVCaches

@Suite struct AttentionSpanTests {
  let shape = KVShape(layers: 1, kvHeads: 3, headDimension: 32)
  let heads = 2
  var width: Int { shape.kvHeads * heads * shape.headDimension }

  func floats(_ count: Int, seed: Float) -> [Float] {
    (0..<count).map { sin(Float($0) * 0.37 + seed) }
  }

  /// A trunk of 300 tokens, its branches, one of which is the trunk as it was, and a stranger with
  /// the trunk's entries.
  func branches(_ configuration: KVPolicy) throws -> [KVCache] {
    let pool = try ThreadPool(workers: 1)
    func append(_ tokens: Int, seed: Float, to cache: inout KVCache) throws {
      let count = tokens * shape.kvHeads * shape.headDimension
      let (keys, values) = (floats(count, seed: seed), floats(count, seed: seed + 1))
      try cache.append(keys: keys, values: values, tokens: tokens, layer: 0)
      let queries = floats(tokens * width, seed: seed + 2)
      try cache.compactIfDue(queries: queries, tokens: tokens, heads: heads * 3, layer: 0, on: pool)
    }
    var caches = try (0..<2).map { _ in
      try KVCache(shape: shape, policy: configuration, meter: KVMeter())
    }
    for index in caches.indices { try append(300, seed: 1, to: &caches[index]) }
    caches.insert(contentsOf: [KVCache](repeating: caches[0], count: 4), at: 1)
    for (index, own) in [0, 1, 20, 1, 150].enumerated() where own > 0 {
      try append(own, seed: Float(index) + 3, to: &caches[index])
    }
    return caches
  }

  func attention(_ spans: [(members: [Int], span: AttentionSpan)], heads part: Range<Int>)
    -> [Float]
  {
    let queries = floats(6 * width, seed: 9)
    var output = [Float](repeating: 0, count: 6 * width)
    let start = part.lowerBound * heads * shape.headDimension
    output.withUnsafeMutableBufferPointer { output in
      queries.withUnsafeBufferPointer { queries in
        guard let from = queries.baseAddress, let to = output.baseAddress else { return }
        for (rows, span) in spans {
          span.attend(
            queries: from + start, rows: rows, stride: width, heads: heads, kvHeads: part,
            scale: 0.4,
            output: to + start)
        }
      }
    }
    return output
  }

  @Test(arguments: QuantizedCacheTests.configurations)
  func joinedTokensAttendAsAlone(configuration: KVPolicy) throws {
    let caches = try branches(configuration)
    let spans = caches.map { AttentionSpan($0, layer: 0, visible: $0.layers[0].count, tokens: 1) }
    let alone = spans.enumerated().map { ([$0], $1) }
    for most in [1, 2, 4, 8] {
      let cascaded = AttentionSpan.cascade(spans, atMost: most)
      for part in [0..<3, 0..<1, 1..<3] {
        #expect(
          attention(cascaded, heads: part) == attention(alone, heads: part), "\(most), \(part)")
      }
    }
  }

  @Test func branchesReadWhatTheyShareOnce() throws {
    let caches = try branches(KVPolicy())
    let spans = caches.map { AttentionSpan($0, layer: 0, visible: $0.layers[0].count, tokens: 1) }
    #expect(AttentionSpan.cascade(spans, atMost: 8).map(\.members) == [[0, 1, 2, 3, 4], [5]])
    #expect(AttentionSpan.cascade(spans, atMost: 2).map(\.members) == [[0, 1], [2, 3], [4], [5]])
    let cascaded = AttentionSpan.cascade(spans, atMost: 8)[0].span
    // 300 tokens are four whole pages and one that a branch writes to.
    #expect(cascaded.common.count == 4)
    #expect(cascaded.rest.map(\.pieces.count) == [1, 1, 1, 1, 4])
  }

  @Test func consecutiveTokensStayTogether() throws {
    let cache = try branches(KVPolicy())[0]
    let spans = [(290, 8), (291, 1), (300, 1)].map {
      AttentionSpan(cache, layer: 0, visible: $0, tokens: $1)
    }
    #expect(AttentionSpan.cascade(spans, atMost: 4).map(\.members) == [[0], [1, 2]])
  }
}
