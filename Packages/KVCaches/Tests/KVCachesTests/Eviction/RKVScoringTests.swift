import Foundation
import Testing

@testable import KVCaches

/// The scores without their matrices against the formulas written out in double precision.
@Suite struct RKVScoringTests {
  struct Case: Sendable, CustomStringConvertible {
    let count: Int
    let dimension: Int
    let heads: Int
    let scoring: RKV
    /// How much neighbouring keys resemble each other, 0...1.
    let likeness: Float

    var description: String { "\(count) x \(dimension), \(heads) heads, likeness \(likeness)" }
  }

  static let cases = [
    Case(count: 9, dimension: 4, heads: 1, scoring: RKV(), likeness: 0.5),
    Case(count: 64, dimension: 16, heads: 2, scoring: RKV(), likeness: 0.9),
    Case(
      count: 65, dimension: 33, heads: 3, scoring: RKV(window: 3, kernel: 1), likeness: 0),
    Case(count: 200, dimension: 24, heads: 2, scoring: RKV(threshold: 0.1), likeness: 0.7),
    Case(count: 131, dimension: 8, heads: 4, scoring: RKV(threshold: 1), likeness: 0.8),
    Case(count: 131, dimension: 8, heads: 4, scoring: RKV(retain: .first), likeness: 0.8),
    // A window whose products are not held at once.
    Case(count: 400, dimension: 16, heads: 3, scoring: RKV(window: 200, kernel: 5), likeness: 0.6),
  ]

  /// Numbers in -0.5...0.5 that do not repeat.
  static func noise(_ count: Int, seed: UInt64) -> [Float] {
    var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
    return (0..<count).map { _ in
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return Float(state >> 40) / Float(1 << 24) - 0.5
    }
  }

  static func keys(_ test: Case) -> [Float] {
    var keys = noise(test.count * test.dimension, seed: 3)
    for index in test.dimension..<keys.count {
      keys[index] += test.likeness * keys[index - test.dimension]
    }
    return keys
  }

  @Test(arguments: cases)
  func redundancyIsThatOfTheMatrix(test: Case) throws {
    let keys = Self.keys(test)
    var known: [SimilarKey] = []
    let found = try HeadKeys(keys, dimension: test.dimension).redundancy(
      threshold: test.scoring.threshold, retain: test.scoring.retain, known: &known)
    let expected = Self.redundancy(keys, test)
    for (a, b) in zip(found, expected) { #expect(abs(Double(a) - b) < 1e-6 / Double(test.count)) }
    #expect(found.count == expected.count)
  }

  @Test(arguments: cases)
  func importanceIsThatOfTheFormula(test: Case) throws {
    let (window, kernel) = (test.scoring.window, test.scoring.kernel)
    let keys = Self.keys(test)
    let queries = Self.noise(test.heads * window * test.dimension, seed: 8).map { $0 * 6 }
    let found = try HeadKeys(keys, dimension: test.dimension).importance(
      to: queries, window: window, kernel: kernel)
    let expected = Self.importance(keys, queries, test)
    for (a, b) in zip(found, expected) { #expect(abs(Double(a) - b) < 1e-6) }
    #expect(found.count == test.count - window)
  }

  @Test(arguments: [(40, 3), (200, 5)])
  func observedAttentionIsThatOfTheFormula(window: Int, kernel: Int) throws {
    let (count, dimension, heads) = (300, 8, 2)
    let keys = Self.noise(count * dimension, seed: 3)
    let queries = Self.noise(heads * window * dimension, seed: 8).map { $0 * 6 }
    let found = try HeadKeys(keys, dimension: dimension).observedAttention(
      to: queries, window: window, kernel: kernel)
    var sum = [Double](repeating: 0, count: count)
    for query in 0..<heads * window {
      let vector = queries[query * dimension..<(query + 1) * dimension]
      let visible = count - window + query % window + 1
      let weights = (0..<visible).map { key in
        exp(
          Self.dot(vector, keys[key * dimension..<(key + 1) * dimension])
            / Double(dimension).squareRoot())
      }
      let total = weights.reduce(0, +) * Double(heads)
      for (key, weight) in weights.enumerated() { sum[key] += weight / total }
    }
    let seen = sum.prefix(count - window)
    for (index, value) in found.enumerated() {
      let near = (index - kernel / 2...index + kernel / 2).filter(seen.indices.contains)
      #expect(abs(Double(value) - near.reduce(0) { $0 + seen[$1] } / Double(kernel)) < 1e-5)
    }
    #expect(found.count == count - window)
  }

  @Test func keysOfNoLengthAreSimilarToNone() throws {
    let keys = [Float](repeating: 0, count: 20 * 4)
    var known: [SimilarKey] = []
    let found = try HeadKeys(keys, dimension: 4).redundancy(
      threshold: 0.5, retain: .last, known: &known)
    #expect(found.allSatisfy { abs($0 - 0.05) < 1e-6 })
  }

  private static func dot(_ a: ArraySlice<Float>, _ b: ArraySlice<Float>) -> Double {
    zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) }
  }

  private static func redundancy(_ keys: [Float], _ test: Case) -> [Double] {
    let rows = (0..<test.count).map { keys[$0 * test.dimension..<($0 + 1) * test.dimension] }
    let lengths = rows.map { dot($0, $0).squareRoot() + 1e-8 }
    var means = [Double](repeating: 0, count: test.count)
    for i in 0..<test.count {
      var cosines = (0..<test.count).map { j in
        i == j ? 0 : dot(rows[i], rows[j]) / lengths[i] / lengths[j]
      }
      let last = cosines.lastIndex { $0 > Double(test.scoring.threshold) } ?? 0
      cosines[test.scoring.retain == .first ? 0 : last] = 0
      for j in 0..<test.count { means[j] += cosines[j] / Double(test.count) }
    }
    let sum = means.reduce(0) { $0 + exp($1) }
    return means.map { exp($0) / sum }
  }

  private static func importance(_ keys: [Float], _ queries: [Float], _ test: Case) -> [Double] {
    let (window, d) = (test.scoring.window, test.dimension)
    let before = test.count - window
    var mean = [Double](repeating: 0, count: before)
    for token in 0..<window {
      let logits = (0..<before).map { j in
        (0..<test.heads).map { head in
          let at = (head * window + token) * d
          return dot(queries[at..<at + d], keys[j * d..<(j + 1) * d]) / Double(d).squareRoot()
        }.max() ?? 0
      }
      let sum = logits.reduce(0) { $0 + exp($1) }
      for j in 0..<before { mean[j] += exp(logits[j]) / sum / Double(window) }
    }
    let reach = test.scoring.kernel / 2
    return (0..<before).map { mean[max(0, $0 - reach)...min(before - 1, $0 + reach)].max() ?? 0 }
  }
}
