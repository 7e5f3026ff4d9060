import Foundation

/// What a model took in some use cases, in one of two modes.
public struct LoadReport: Sendable, Hashable, Codable {
  /// How requests are sent.
  public enum Mode: String, Sendable, Hashable, Codable, CaseIterable {
    /// One at a time: what one user waits for.
    case latency = "sync"
    /// Together, as fast as the limits allow.
    case throughput = "async"
  }

  /// The model.
  public let model: String
  /// The format of its weights, or whatever tells reports apart.
  public let format: String
  /// How requests were sent.
  public let mode: Mode
  /// What an hour of the machine costs; nil where nobody said.
  public let pricePerHour: Double?
  /// The use cases.
  public let rows: [LoadRow]

  /// A report; see the members.
  public init(
    model: String, format: String, mode: Mode, pricePerHour: Double?, rows: [LoadRow]
  ) {
    self.model = model
    self.format = format
    self.mode = mode
    self.pricePerHour = pricePerHour
    self.rows = rows
  }

  /// Requests for a unit of the price's currency; of an hour where there is no price.
  func worth(_ row: LoadRow) -> Double? {
    row.perHour.map { perHour in
      pricePerHour.map { LoadRow.perUnit(perHour: perHour, price: $0) } ?? perHour
    }
  }

  /// The report as JSON, keys sorted.
  ///
  /// - Throws: ``EvaluationError/setting(name:value:expected:)`` for figures that are no numbers.
  public func json() throws(EvaluationError) -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    do { return try encoder.encode(self) + Data("\n".utf8) } catch {
      throw .setting(name: "a figure of the report", value: "no number", expected: "a number")
    }
  }

  /// Reads a report.
  ///
  /// - Throws: ``EvaluationError/file(path:reason:)``.
  public init(contentsOf url: URL) throws(EvaluationError) {
    let bytes = try WholeFile.read(url, atMost: 16 << 20)
    do { self = try JSONDecoder().decode(LoadReport.self, from: Data(bytes)) } catch {
      throw .file(path: url.path, reason: "is no report of 'load'")
    }
    // Nothing that is computed from a report can overflow.
    if let pricePerHour, !LoadRow.figures.contains(pricePerHour) {
      throw .file(path: url.path, reason: "has a price of \(pricePerHour), which cannot be")
    }
    if let row = rows.first(where: { !$0.isPlausible }) {
      throw .file(
        path: url.path, reason: "has figures of the use case '\(row.useCase.name)' that cannot be")
    }
  }
}

/// Reports of one model in several formats, side by side; the first is what the others are measured
/// against.
public struct LoadComparison: Sendable {
  private let reports: [LoadReport]

  /// A comparison.
  ///
  /// - Throws: ``EvaluationError/notComparable(reason:)`` for no reports and for such of different
  ///   modes, or of which some have a price and others do not.
  public init(_ reports: [LoadReport]) throws(EvaluationError) {
    guard let first = reports.first else { throw .notComparable(reason: "there is no report") }
    guard reports.allSatisfy({ $0.mode == first.mode }) else {
      throw .notComparable(reason: "reports are of different modes, sync and async")
    }
    guard reports.allSatisfy({ ($0.pricePerHour == nil) == (first.pricePerHour == nil) }) else {
      throw .notComparable(reason: "only some of the reports have a price")
    }
    self.reports = reports
  }

  /// How many times as much a request is worth as in the first report, by use case, for those that
  /// both have.
  public func gains(of report: LoadReport) -> [(useCase: String, gain: Double)] {
    report.rows.compactMap { row in
      let base = reports[0].rows.first { $0.useCase == row.useCase }
      guard let there = base.flatMap(reports[0].worth), let here = report.worth(row), there > 0
      else { return nil }
      return (row.useCase.name, here / there)
    }
  }

  /// The mean gain over the use cases ("average cost reduction" of arXiv:2411.02355).
  public static func meanGain(_ gains: [Double]) -> Double? {
    gains.isEmpty ? nil : gains.reduce(0, +) / Double(gains.count)
  }

  /// The cells of a table, the first row a header.
  public var cells: [[String]] {
    let isSync = reports[0].mode == .latency
    let unit = reports[0].pricePerHour == nil ? "queries/h" : "queries/unit"
    var header = ["format", "use case", "tokens", "first p50", "first p99", "between p50"]
    header += ["between p99", isSync ? "latency mean" : "rate", "latency p99", unit, "gain"]
    var rows = [header]
    for report in reports {
      let gains = Dictionary(
        gains(of: report).map { ($0.useCase, $0.gain) }, uniquingKeysWith: { first, _ in first })
      for row in report.rows {
        let middle = isSync ? row.latency?.mean : row.rate
        let failed = row.failed > 0 ? " (\(row.failed) failed)" : ""
        rows.append(
          [
            report.format, row.useCase.name + failed,
            "\(Int(row.promptTokens.rounded()))+\(Int(row.tokens.rounded()))",
          ]
            + [
              row.first?.p50, row.first?.p99, row.between?.p50, row.between?.p99, middle,
              row.latency?.p99, report.worth(row), gains[row.useCase.name],
            ].map(Self.text))
      }
      let mean = Self.meanGain(gains.map(\.value))
      rows.append(
        [report.format, "mean gain"] + Array(repeating: "", count: 8) + [Self.text(mean)])
    }
    return rows
  }

  /// A figure with three digits; a dash where there is none.
  private static func text(_ value: Double?) -> String {
    guard let value else { return "-" }
    return value >= 100 ? String(format: "%.0f", value) : String(format: "%.3g", value)
  }

  /// A drawing that stands alone: what a request is worth over its tokens, a mark for each use
  /// case.
  public var svg: String {
    let series = reports.enumerated().map { place, report in
      Chart.Series(
        name: report.format, style: .curve(hue: place % 8, form: place / 8),
        points: report.rows.compactMap { row in
          report.worth(row).map {
            Chart.Point(
              x: Double(row.useCase.prompt + row.useCase.generated), y: $0,
              label: "\(report.format), \(row.useCase.title)")
          }
        }.sorted { $0.x < $1.x })
    }
    let unit = reports[0].pricePerHour == nil ? "an hour" : "a unit of cost"
    return SVGChart(
      Chart(
        file: "load", title: "Requests for \(unit), \(reports[0].model)",
        xLabel: "tokens of prompt and reply", yLabel: "requests for \(unit)",
        xScale: .logarithmic, series: series)
    ).text
  }
}
