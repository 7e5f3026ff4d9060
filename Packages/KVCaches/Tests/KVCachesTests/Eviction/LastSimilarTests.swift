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
      let found = LastSimilar.search(unit, threshold: threshold, known: known)
      #expect(found == LastSimilar.search(unit, threshold: threshold), "round \(round)")
      // Every fifth key goes, and so do the first two.
      let kept = (0..<unit.count).filter { $0 > 1 && ($0 + round) % 5 > 0 }
      known = kept.map { found[$0].known.after(keeping: kept) }
      keys = kept.flatMap { keys[$0 * dimension..<($0 + 1) * dimension] }
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
