import Foundation
import SystemCalls
import Testing

@testable import Evaluation

/// The arithmetic of load tests, against the tables of arXiv:2411.02355's authors (model card of
/// R1-Distill-Llama-8B): latency in seconds, queries per dollar.
@Suite struct LoadTests {
  private static let names = [
    "instruction", "chat", "docstring", "rag", "completion", "fixing", "summary", "large-rag",
  ]
  private static let a6000BF16 = [
    (3.0, 1511.0), (6.0, 755), (3.0, 1483), (3.1, 1462), (23.6, 191), (24.0, 188), (12.7, 353),
    (41.1, 110),
  ]
  private static let a6000W8A8 = [
    (1.9, 2356.0), (3.8, 1175), (2.0, 2291), (2.0, 2207), (15.2, 297), (15.5, 290), (8.5, 531),
    (28.6, 157),
  ]
  private static let a6000W4A16 = [
    (1.2, 3870.0), (2.3, 1918), (1.3, 3492), (1.3, 3335), (9.1, 492), (9.5, 472), (5.8, 771),
    (22.7, 198),
  ]
  private static let a100BF16 = [
    (1.5, 1308.0), (3.1, 657), (1.6, 1274), (1.6, 1263), (12.1, 166), (12.4, 162), (6.5, 308),
    (25.6, 78),
  ]
  private static let a100W4A16 = [
    (0.8, 2501.0), (1.6, 1236), (0.9, 2350), (0.9, 2287), (6.4, 316), (6.6, 306), (3.7, 544),
    (24.7, 82),
  ]

  /// Every published count lies within what the rounding of its latency leaves, at one price of
  /// each machine.
  @Test(arguments: [
    (LoadTests.a6000BF16, 0.79...0.81), (LoadTests.a6000W8A8, 0.79...0.81),
    (LoadTests.a6000W4A16, 0.79...0.81), (LoadTests.a100BF16, 1.78...1.81),
    (LoadTests.a100W4A16, 1.78...1.81),
  ])
  func publishedRows(_ row: [(Double, Double)], prices: ClosedRange<Double>) {
    for (latency, count) in row {
      func counts(_ latency: Double, _ price: Double) -> Double {
        LoadRow.perUnit(perHour: LoadRow.perHour(latency: latency), price: price)
      }
      let least = counts(latency + 0.05, prices.upperBound) - 0.5
      let most = counts(latency - 0.05, prices.lowerBound) + 0.5
      #expect((least...most).contains(count), "\(latency) s, \(count)")
    }
  }

  /// Throughputs with their counts: queries a second (in steps of 0.1) and per dollar.
  @Test func publishedThroughputs() {
    for (rate, count) in [
      (12.6, 56742.0), (5.7, 25687), (6.5, 29349), (5.2, 23259), (1.6, 7250), (1.2, 5181),
      (0.8, 3445), (17.4, 78101),
    ] {
      let row = Self.row("chat", latency: 1, rate: rate)
      let spread = 0.05 / rate
      let found = LoadRow.perUnit(perHour: row.perHour ?? 0, price: 0.80)
      #expect(abs(found / count - 1) < spread + 0.01, "\(rate)")
    }
  }

  private static func row(_ name: String, latency: Double, rate: Double? = nil) -> LoadRow {
    LoadRow(
      UseCase(name: name, title: name, prompt: 8, generated: 4),
      [RequestTiming(arrivals: [latency], end: latency, promptTokens: 8, tokens: 4)], failed: 0,
      rate: rate)
  }

  private static func report(_ format: String, _ row: [(Double, Double)]) -> LoadReport {
    // The counts are finer than the latencies.
    let rows = zip(names, row).map { Self.row($0, latency: 3600 / $1.1 / 0.8) }
    return LoadReport(
      model: "m", format: format, mode: .latency, pricePerHour: 0.8, rows: rows)
  }

  @Test func publishedMeanGains() throws {
    for (base, other, mean) in [
      (Self.a6000BF16, Self.a6000W8A8, 1.53), (Self.a6000BF16, Self.a6000W4A16, 2.35),
      (Self.a100BF16, Self.a100W4A16, 1.76),
    ] {
      let reports = [Self.report("BF16", base), Self.report("other", other)]
      let comparison = try LoadComparison(reports)
      let gains = comparison.gains(of: reports[1])
      #expect(gains.map(\.useCase) == Self.names)
      let found = try #require(LoadComparison.meanGain(gains.map(\.gain)))
      #expect(abs(found - mean) < 0.01)
      #expect(comparison.cells.last?.last == String(format: "%.3g", found))
      #expect(comparison.svg.hasPrefix("<svg"))
      let stored = try JSONDecoder().decode(LoadReport.self, from: reports[1].json())
      #expect(stored == reports[1])
    }
  }

  /// What is computed from a report's figures would overflow.
  @Test(
    arguments: [
      (#""tokens" : 4"#, #""tokens" : 1e300"#),
      (#""promptTokens" : 8"#, #""promptTokens" : -1e300"#),
      (#""prompt" : 8"#, #""prompt" : 9223372036854775807"#), (#""mean" : 2"#, #""mean" : 0"#),
      (#""p99" : 2"#, #""p99" : 1e300"#), (#""pricePerHour" : 1"#, #""pricePerHour" : 0"#),
      (#""failed" : 0"#, #""failed" : -1"#), (#""rate" : 3"#, #""rate" : 1e300"#),
    ])
  func figuresThatCannotBeAreRefused(old: String, new: String) throws {
    let report = LoadReport(
      model: "m", format: "f", mode: .throughput, pricePerHour: 1,
      rows: [Self.row("chat", latency: 2, rate: 3)])
    let text = String(decoding: try report.json(), as: UTF8.self)
    let folder = try TemporaryFolder()
    #expect(try LoadReport(contentsOf: folder.file("good.json", text)) == report)
    #expect(text.contains(old))
    let file = try folder.file("bad.json", text.replacingOccurrences(of: old, with: new))
    #expect(throws: EvaluationError.self) { try LoadReport(contentsOf: file) }
  }

  @Test func modesAndPricesAreNotMixed() {
    let report = Self.report("a", Self.a100BF16)
    let others = [
      LoadReport(model: "m", format: "b", mode: .throughput, pricePerHour: 0.8, rows: report.rows),
      LoadReport(model: "m", format: "b", mode: .latency, pricePerHour: nil, rows: report.rows),
    ]
    for other in others {
      #expect(throws: EvaluationError.self) { try LoadComparison([report, other]) }
    }
    #expect(throws: EvaluationError.self) { try LoadComparison([]) }
  }

  @Test func shippedUseCases() throws {
    let catalog = try BenchmarkCatalog(ResourceSearch())
    let cases = try catalog.useCases()
    #expect(cases.map(\.name) == Self.names)
    #expect(cases.map(\.prompt) == [256, 512, 768, 1024, 256, 1024, 4096, 10240])
    #expect(cases.map(\.generated) == [128, 256, 128, 128, 1024, 1024, 512, 1536])
    #expect(cases.count { $0.limits == .init(first: 1, between: 0.1) } == 6)
    let folder = try TemporaryFolder()
    for (text, key) in [
      ("cases: [{name: a, title: A, prompt: 0, generated: 1}]", "prompt"),
      ("cases: [{name: a, title: A, prompt: 1, generated: 1, first: 1}]", "between"),
      ("cases: [{name: a, title: A, prompt: 1, generated: 1, speed: 1}]", "speed"),
    ] {
      let file = try folder.file("cases.yaml", text)
      let error = #expect(throws: EvaluationError.self) { try UseCase.read(file) }
      #expect(error.map { "\($0)".contains(key) } == true)
    }
  }

  @Test func quantiles() throws {
    let hundred = try #require(Quantiles((1...100).map(Double.init).shuffled()))
    #expect([hundred.p50, hundred.p90, hundred.p95, hundred.p99] == [50, 90, 95, 99])
    #expect(hundred.mean == 50.5)
    let one = try #require(Quantiles([2]))
    #expect([one.p50, one.p99] == [2, 2])
    #expect(Quantiles([]) == nil)
    let timing = RequestTiming(arrivals: [0.5, 0.7, 1.1], end: 1.2, promptTokens: 3, tokens: 4)
    #expect(timing.first == 0.5)
    #expect(timing.between.map { abs($0 - 0.2) < 1e-12 } == true)
  }

  @Test func limitsAreOfNinetyNineInAHundred() {
    let useCase = UseCase(
      name: "a", title: "A", prompt: 1, generated: 2, limits: .init(first: 1, between: 0.1))
    func row(_ first: Double, _ between: Double, failed: Int = 0) -> LoadRow {
      let timing = RequestTiming(
        arrivals: [first, first + between], end: first + between, promptTokens: 1, tokens: 2)
      return LoadRow(useCase, [timing], failed: failed, rate: 1)
    }
    #expect(row(0.9, 0.09).holdsLimits)
    #expect(!row(1.1, 0.09).holdsLimits)
    #expect(!row(0.9, 0.11).holdsLimits)
    #expect(!row(0.9, 0.09, failed: 1).holdsLimits)
  }

  @Test(arguments: [0.3, 1, 7.3, 40])
  func searchFindsTheHighestRate(_ limit: Double) throws {
    var search = RateSearch(start: 1, steps: 24)
    var tried = 0
    while let rate = search.next {
      search.take(holds: rate <= limit)
      tried += 1
    }
    #expect(tried == 24)
    let best = try #require(search.best)
    #expect(best <= limit && best > limit * 0.99)
    var hopeless = RateSearch(start: 1, steps: 4)
    while hopeless.next != nil { hopeless.take(holds: false) }
    #expect(hopeless.best == nil)
  }
}
