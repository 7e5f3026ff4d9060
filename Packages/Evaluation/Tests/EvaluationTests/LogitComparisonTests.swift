import Foundation
import Testing

@testable import Evaluation

/// Perplexity, divergence and agreement against sums written out in the tests.
@Suite struct LogitComparisonTests {
  private func add(
    _ reference: [Float], _ candidate: [Float], next: Int, to comparison: inout LogitComparison
  ) throws {
    try reference.withUnsafeBufferPointer { one in
      try candidate.withUnsafeBufferPointer { two in
        try comparison.add(reference: one, candidate: two, next: next)
      }
    }
  }

  private func softmax(_ logits: [Float]) -> [Double] {
    let powers = logits.map { exp(Double($0)) }
    return powers.map { $0 / powers.reduce(0, +) }
  }

  private let places: [(a: [Float], b: [Float], next: Int)] = [
    ([1, 2, 3], [1.5, 2, 2.5], 2), ([0, 0, 4], [3, 0, 1], 0), ([-1, 5, 2], [-1, 5, 2], 1),
  ]

  @Test func isTheSumsWrittenOut() throws {
    var comparison = LogitComparison()
    for place in places { try add(place.a, place.b, next: place.next, to: &comparison) }
    let result = try comparison.result()
    let divergences = places.map { place in
      let (p, q) = (softmax(place.a), softmax(place.b))
      return zip(p, q).reduce(0.0) { $0 + $1.0 * log($1.0 / $1.1) }
    }
    let likelihood = places.map { -log(softmax($0.a)[$0.next]) }.reduce(0, +) / 3
    #expect(abs(result.divergence.value - divergences.reduce(0, +) / 3) < 1e-12)
    #expect(abs(result.highDivergence.value - (divergences.max() ?? 0)) < 1e-12)
    #expect(abs(result.referencePerplexity.value - exp(likelihood)) < 1e-12)
    #expect(abs(result.agreement.value - 2.0 / 3) < 1e-12)
    #expect(result.tokens == 3 && result.windows == 1)
    #expect(result.divergence.standardError == nil)
  }

  @Test func aModelIsItself() throws {
    var comparison = LogitComparison()
    for place in places {
      comparison.beginWindow()
      try add(place.a, place.a, next: place.next, to: &comparison)
    }
    let result = try comparison.result()
    #expect(result.divergence == Estimate(value: 0, standardError: 0, items: 3))
    #expect(result.logRatio.value == 0 && result.agreement.value == 1)
    #expect(result.referencePerplexity == result.candidatePerplexity)
  }

  @Test func windowsOfOneSizeAreItemsOfAMean() throws {
    let clusters = [(2.0, 2), (5.0, 2), (6.0, 2), (1.0, 2)].map { (sum: $0.0, count: $0.1) }
    let estimate = try #require(Estimate(clusters: clusters))
    let plain = try #require(Estimate(itemMeans: [1, 2.5, 3, 0.5]))
    #expect(estimate.value == plain.value)
    #expect(
      abs((estimate.standardError ?? 0) - (plain.standardError ?? 1)) < 1e-12)
    #expect(Estimate(clusters: [(sum: 0, count: 0)]) == nil)
  }

  @Test func quantilesAreOrderStatistics() {
    let values = (1...10_000).map(Double.init).reversed()
    let quantile = Quantile(of: Array(values), at: 0.999)
    #expect(quantile.value == 9990)
    // sqrt(0.999 * 0.001 / 10000) of 10000 values is 3.16 of them.
    #expect(abs((quantile.standardError ?? 0) - 3.16) < 0.6)
    #expect(Quantile(of: [1, 2], at: 0.999).standardError == nil)
  }

  @Test func refusesWhatCannotBeCompared() throws {
    var comparison = LogitComparison()
    #expect(throws: EvaluationError.self) { try comparison.result() }
    #expect(throws: EvaluationError.self) { try add([1, 2], [1, 2, 3], next: 0, to: &comparison) }
    #expect(throws: EvaluationError.self) { try add([1, 2], [1, 2], next: 2, to: &comparison) }
    for bad in [Float.nan, .infinity, -.infinity] {
      #expect(throws: EvaluationError.self) {
        try add([1, 2], [bad, 2], next: 1, to: &comparison)
      }
      #expect(throws: EvaluationError.self) {
        try add([1, bad], [1, 2], next: 0, to: &comparison)
      }
    }
  }

  @Test func tablesHaveBothModels() throws {
    var comparison = LogitComparison()
    for place in places { try add(place.a, place.b, next: place.next, to: &comparison) }
    let table = SummaryTable(try comparison.result(), reference: "A", candidate: "B")
    #expect(table.text(.csv).contains("A,3,1,"))
    #expect(table.text(.json).contains("\"kl_mean\": null"))
    #expect(table.text(.table).contains("top1_agreement"))
  }
}
