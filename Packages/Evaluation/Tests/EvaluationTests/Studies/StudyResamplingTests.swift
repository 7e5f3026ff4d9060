import Foundation
import MemoryPlanner
import Testing

@testable import Evaluation

/// Findings with intervals: what the bootstrap over problems says of data that are known.
@Suite struct StudyResamplingTests {
  private static let problems = 60

  /// Three models at 16 and 4 bits on both tasks. On every problem of mathematics 4 bits lose `mathLoss`, on every
  /// problem of knowledge nothing; `spread` is how far the problems differ in difficulty.
  private func data(
    mathLoss: (Int) -> Double, spread: Double
  ) -> (points: [StudyPoint], scores: [[Double]]) {
    var (points, scores): ([StudyPoint], [[Double]]) = ([], [])
    for (place, model) in ["a", "b", "c"].enumerated() {
      for task in [TaskKind.math, .knowledge] {
        for bits in [16, 4] {
          for budget in [16, 64] {
            let own = (0..<Self.problems).map { problem in
              let ease = spread * Double(problem % 7) / 7
              let loss = bits == 4 && task == .math ? mathLoss(problem) : 0
              return 0.3 + 0.1 * Double(place) + (budget == 64 ? 0.05 : 0) + ease - loss
            }
            scores.append(own)
            points.append(
              StudyPoint(
                benchmark: "\(task)", task: task, model: model, parameters: 1000 << place,
                bits: bits, kv: "bf16", thinkBudget: budget, samples: 1,
                accuracy: own.reduce(0, +) / Double(Self.problems), standardError: 0.02,
                replies: Self.problems, weightsBytes: (1000 << place) * bits / 8, kvBytes: budget,
                seconds: 1, tokens: Double(budget)))
          }
        }
      }
    }
    return (points, scores)
  }

  private func precision(_ data: (points: [StudyPoint], scores: [[Double]])) -> StudyFinding {
    StudyResampling(data.points, scores: data.scores, draws: 120).findings[1]
  }

  private func loss(_ finding: StudyFinding) throws -> StudyFinding.Measure {
    try #require(finding.measures.first { $0.name.contains("4 bits lose in mathematics") })
  }

  @Test func whatIsTheSameOnEveryProblemHasNoSpread() throws {
    // Problems differ by 40 points, what 4 bits lose does not: differences are paired.
    let finding = precision(data(mathLoss: { _ in 0.3 }, spread: 0.4))
    let measure = try loss(finding)
    let interval = try #require(measure.interval)
    #expect(abs(measure.value - 30) < 1e-6 && interval.upperBound - interval.lowerBound < 1e-6)
    #expect(finding.verdict == .holds && finding.support == 1)
    #expect(finding.evidence.contains("holds in 100.0 % of resamples"))
  }

  @Test func theIntervalIsThatOfTheMean() throws {
    // Half of the problems lose 60 points: a standard error of 3.9.
    let finding = precision(data(mathLoss: { $0 % 2 == 0 ? 0.6 : 0 }, spread: 0))
    let interval = try #require(try loss(finding).interval)
    #expect(interval.contains(30))
    let width = interval.upperBound - interval.lowerBound
    #expect(abs(width - 2 * 1.96 * 60 * 0.5 / Double(Self.problems).squareRoot()) < 4)
  }

  @Test func whatOtherProblemsMightTurnRoundIsUndecided() {
    // At a loss of 20 points the smallest model in 16 bits takes the place of the largest in 4; here it is 20 on average.
    let finding = precision(data(mathLoss: { $0 % 2 == 0 ? 0.4 : 0 }, spread: 0))
    #expect(finding.verdict == .open, "\(finding.evidence)")
    #expect((0.025..<0.975).contains(finding.support ?? 0))
  }

  @Test func aClaimThatNeverHoldsFails() {
    let finding = precision(data(mathLoss: { _ in 0 }, spread: 0.4))
    #expect(finding.verdict == .fails && finding.support == 0)
  }

  @Test func resamplesAreTheSameEveryTimeAndKeptWithTheResults() throws {
    let (points, scores) = data(mathLoss: { $0 % 3 == 0 ? 0.4 : 0 }, spread: 0.2)
    let findings = StudyResampling(points, scores: scores, draws: 60).findings
    #expect(findings == StudyResampling(points, scores: scores, draws: 60).findings)
    var results = StudyResults(
      study: "s", title: "t", concurrency: 1, scenarios: points.count, points: points)
    #expect(StudyReport(results).findings.allSatisfy { $0.support == nil })
    results.findings = findings
    let file = FileManager.default.temporaryDirectory.appendingPathComponent(
      "\(UUID().uuidString).json")
    defer { try? FileManager.default.removeItem(at: file) }
    try results.write(to: file)
    #expect(try StudyReport(StudyResults(contentsOf: file)).findings == findings)
  }

  @Test func whatIsMissingStaysMissing() {
    let (points, scores) = data(mathLoss: { _ in 0 }, spread: 0)
    let findings = StudyResampling(points, scores: scores, draws: 60).findings
    #expect(findings[2].verdict == .unknown && findings[2].support == nil)
    #expect(findings[5].evidence.contains("no evicted"))
    #expect(
      StudyResampling([], scores: [], draws: 2).findings.allSatisfy { $0.verdict == .unknown })
  }
}
