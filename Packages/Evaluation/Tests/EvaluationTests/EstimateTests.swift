import Foundation
import Testing

@testable import Evaluation

struct EstimateTests {
  @Test func agreesWithClosedForms() throws {
    // 7 of 10: p (1 - p) / (n - 1).
    let plain = try #require(
      Estimate(itemMeans: [Double](repeating: 1, count: 7) + [Double](repeating: 0, count: 3)))
    #expect(plain.value == 0.7)
    #expect(abs(try #require(plain.standardError) - (0.21 / 9).squareRoot()) < 1e-12)
    let pair = try #require(Estimate(itemMeans: [0.25, 0.75]))
    #expect(pair.standardError == 0.25)
    #expect(Estimate(itemMeans: []) == nil)
    #expect(Estimate(itemMeans: [1])?.standardError == nil)
    #expect(Estimate(itemMeans: [1])?.shareInterval == nil)
  }

  @Test func whatIsNoShareHasNoInterval() throws {
    for value in [18_446_744_073_709_551_616, 1.5, -0.25] {
      let stored = Data(#"{"value": \#(value), "standardError": 0.1, "items": 8}"#.utf8)
      let estimate = try JSONDecoder().decode(Estimate.self, from: stored)
      #expect(estimate.shareInterval == nil && estimate.differenceInterval != nil)
    }
  }

  @Test(arguments: [
    #"{"value": 0.5, "standardError": -0.1, "items": 8}"#, #"{"value": 0.5, "items": 0}"#,
    #"{"value": 0.5, "standardError": 0.1, "items": -9223372036854775808}"#,
  ])
  func whatNoItemsCanHaveIsRefused(stored: String) {
    #expect(throws: DecodingError.self) {
      try JSONDecoder().decode(Estimate.self, from: Data(stored.utf8))
    }
  }

  @Test func studentFactorsAgreeWithTables() {
    for (freedom, factor) in [(2, 4.303), (4, 2.776), (9, 2.262), (29, 2.045), (1000, 1.962)] {
      #expect(abs(StudentT.factor95(degreesOfFreedom: freedom) / factor - 1) < 0.01)
    }
  }

  @Test func perfectScoresKeepAnInterval() throws {
    let perfect = try #require(Estimate(itemMeans: [Double](repeating: 1, count: 30)))
    let interval = try #require(perfect.shareInterval)
    // Wilson's lower end for 30 of 30 is n / (n + z^2).
    let factor = StudentT.factor95(degreesOfFreedom: 29)
    #expect(abs(interval.lowerBound - 30 / (30 + factor * factor)) < 1e-12)
    #expect(abs(interval.upperBound - 1) < 1e-12)
  }

  /// Problems of random difficulty, several replies each: how often the interval holds the truth.
  @Test(arguments: [(items: 30, samples: 4), (100, 1), (200, 4), (200, 1)])
  func intervalsHoldWhatTheyPromise(items: Int, samples: Int) {
    var random = SplitMix64(state: UInt64(items * 1000 + samples))
    let trials = 2000
    var hits = 0
    for _ in 0..<trials {
      // Difficulty uniform on [0, 1]: the true mean is 1/2.
      let means = (0..<items).map { _ in
        let difficulty = random.nextUnit()
        let right = (0..<samples).count { _ in random.nextUnit() < difficulty }
        return Double(right) / Double(samples)
      }
      if Estimate(itemMeans: means)?.shareInterval?.contains(0.5) == true { hits += 1 }
    }
    let coverage = Double(hits) / Double(trials)
    #expect((0.93...0.97).contains(coverage), "\(items) items, \(samples) samples: \(coverage)")
  }
}
