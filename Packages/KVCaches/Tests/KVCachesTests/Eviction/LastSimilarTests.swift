import Testing

@testable import KVCaches

/// Searches that go on from what an earlier compression found, against searches from scratch.
@Suite struct LastSimilarTests {
  @Test(arguments: [(0, 0.5), (0.6, 0.5), (0.95, 0.5), (0.8, 0.9), (0.9, -0.2), (0.3, 1)])
  func whatIsKnownChangesNothing(likeness: Float, threshold: Float) throws {
    let dimension = 12
    var stream = RKVScoringTests.noise(900 * dimension, seed: 5)
    for index in dimension..<stream.count {
      stream[index] += likeness * stream[index - dimension]
    }
    var (keys, seen): ([Float], Int) = ([], 0)
    var known: [SimilarKey] = []
    for (round, added) in [200, 1, 64, 130, 40, 128, 90].enumerated() {
      keys += stream[seen * dimension..<(seen + added) * dimension]
      seen += added
      let unit = try HeadKeys(keys, dimension: dimension).normalized().keys
      let found = try LastSimilar.search(unit, threshold: threshold, known: known)
      #expect(try found == LastSimilar.search(unit, threshold: threshold), "round \(round)")
      // Every fifth key goes, and so do the first two.
      let kept = (0..<unit.count).filter { $0 > 1 && ($0 + round) % 5 > 0 }
      known = kept.map { found[$0].known.after(keeping: kept) }
      keys = kept.flatMap { keys[$0 * dimension..<($0 + 1) * dimension] }
    }
  }

  /// The search against all products, with components of very different size, as keys of real
  /// models have them.
  @Test(arguments: [(0, 0.5), (0.9, 0.5), (0.99, 0.99), (0.7, 0.3), (0.8, 0)])
  func whatIsFoundIsThatOfAllProducts(likeness: Float, threshold: Float) throws {
    for (count, dimension) in [(333, 12), (200, 33), (130, 128), (64, 8), (1, 16), (17, 5)] {
      var keys = RKVScoringTests.noise(count * dimension, seed: 9)
      for index in keys.indices {
        if index % dimension == 3 { keys[index] *= 20 }
        if index >= dimension { keys[index] += likeness * keys[index - dimension] }
      }
      // Some keys that are zero, and some twice.
      for index in 0..<dimension where count > 20 {
        keys[7 * dimension + index] = 0
        keys[19 * dimension + index] = keys[2 * dimension + index]
      }
      let unit = try HeadKeys(keys, dimension: dimension).normalized().keys
      var products = [Float](repeating: 0, count: count * count)
      unit.multiply(unit.rows, count: count, keys: 0..<count, into: &products)
      let expected = (0..<count).map { row in
        let last = (0..<count).last { $0 != row && products[row * count + $0] > threshold }
        return LastSimilar.Entry(
          column: last ?? 0,
          cosine: last.map { products[row * count + $0] } ?? (row == 0 ? 0 : products[row * count]),
          isSimilar: last != nil)
      }
      let found = try LastSimilar.search(unit, threshold: threshold)
      #expect(found == expected, "\(count) x \(dimension)")
    }
  }

  /// Rounding to 8 bits leaves nothing out, and little that is not similar in.
  @Test func coarseKeysLeaveOutWhatCannotBeSimilar() throws {
    let (count, dimension) = (512, 64)
    let noise = RKVScoringTests.noise(count * dimension, seed: 4)
    let unit = try HeadKeys(noise, dimension: dimension).normalized().keys
    var coarse = try CoarseKeys(unit)
    var products = [Float](repeating: 0, count: count * 64)
    unit.multiply(unit.rows, count: count, keys: 192..<256, into: &products)
    for rows in [Array(0..<count), (0..<count).filter { $0 % 3 == 1 }] {
      for threshold: Float in [0.3, 0.35, 0.4, 0.9] {
        let found = coarse.rows(of: rows, thatMayMeet: 192..<256, threshold: threshold)
        func above(_ limit: Float) -> Set<Int> {
          Set(rows.filter { products[$0 * 64..<($0 + 1) * 64].contains { $0 > limit } })
        }
        #expect(
          above(threshold).isSubset(of: found) && above(threshold - 0.05).isSuperset(of: found))
      }
    }
  }

  @Test func boundsFollowTheKeptKeys() {
    let slots = [0, 2, 3, 7, 9]
    #expect(
      SimilarKey(bound: 4, cosine: 0.7).after(keeping: slots) == SimilarKey(bound: 3, cosine: 0.7))
    #expect(SimilarKey(bound: 6, cosine: 0.7).after(keeping: slots) == SimilarKey(bound: 3))
    #expect(SimilarKey(bound: 0).after(keeping: slots) == SimilarKey(bound: 0))
    #expect(SimilarKey(bound: 2, cosine: 0.7).after(keeping: slots) == SimilarKey(bound: 1))
  }
}
