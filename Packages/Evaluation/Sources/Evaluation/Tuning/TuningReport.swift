import Foundation
import KVLayout
import SystemCalls

/// What a search for KV policies found, as a table and as a picture.
public struct TuningReport: Sendable {
  /// A policy whose accuracy was compared.
  public struct Confirmed: Sendable {
    /// The policy.
    public let point: KVPolicySearch.Point
    /// How it compares with a cache in BF16.
    public let test: PairedTest

    /// Keeps both.
    public init(point: KVPolicySearch.Point, test: PairedTest) {
      self.point = point
      self.test = test
    }
  }

  /// What is searched for, such as `nano-4m, nano-math`.
  public let title: String
  /// Bytes a token of a cache in BF16.
  public let fullBytesPerToken: Double
  /// Everything that was measured, but for the probes.
  public let points: [KVPolicySearch.Point]
  /// What was compared, in this order.
  public let confirmed: [Confirmed]

  /// Keeps what was found.
  public init(
    title: String, fullBytesPerToken: Double, points: [KVPolicySearch.Point],
    confirmed: [Confirmed]
  ) {
    self.title = title
    self.fullBytesPerToken = fullBytesPerToken
    self.points = points
    self.confirmed = confirmed
  }

  /// The cheapest policy that keeps the accuracy: the last before the first that was not shown to.
  /// Policies are tried from the most faithful to the cheapest, and none behind a failure, so that
  /// however many there are the probability of a wrong choice stays that of one test.
  public var chosen: Confirmed? { confirmed.prefix { $0.test.verdict == .kept }.last }

  /// A table of what was compared.
  public var table: String {
    let header = [
      "policy", "bytes/token", "of BF16", "KL", "KL p99.9", "top-1", "accuracy, points", "items",
      "verdict",
    ]
    let rows = confirmed.map { entry -> [String] in
      let (point, test) = (entry.point, entry.test)
      let difference = test.difference.map { estimate in
        let error = estimate.standardError.map { String(format: " ± %.1f", 100 * $0) } ?? ""
        return String(format: "%+.1f", 100 * estimate.value) + error
      }
      return [
        "\(point.policy)", String(format: "%.0f", point.bytesPerToken),
        String(format: "%.1f %%", 100 * point.bytesPerToken / fullBytesPerToken),
        String(format: "%.2g", point.loss),
        String(format: "%.2g", point.comparison.highDivergence.value),
        String(format: "%.2f %%", 100 * point.comparison.agreement.value), difference ?? "",
        "\(test.differences.count)", test.verdict.rawValue,
      ]
    }
    let all = [header] + rows
    let widths = header.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
    return all.map { row in
      row.indices.map { column in
        let padding = String(repeating: " ", count: widths[column] - row[column].count)
        return column == 0 ? row[column] + padding : padding + row[column]
      }.joined(separator: "  ").trimmingCharacters(in: .whitespaces)
    }.joined(separator: "\n")
  }

  private var chart: Chart {
    func chartPoints(_ points: [KVPolicySearch.Point]) -> [Chart.Point] {
      points.sorted { $0.bytesPerToken < $1.bytesPerToken }.map {
        Chart.Point(x: $0.bytesPerToken, y: $0.loss, label: "\($0.policy)")
      }
    }
    let evicting = points.filter { $0.policy.eviction != nil }
    let uniform = points.filter { $0.policy.exceptions.isEmpty && $0.policy.eviction == nil }
    let kept = chosen.map { [$0.point] } ?? []
    return Chart(
      file: "tune", title: title, xLabel: "KV cache, bytes a token",
      yLabel: "KL divergence, nats a token", xScale: .linear, yScale: .logarithmic,
      series: [
        Chart.Series(
          name: "formats by layer", style: .dots(hue: 0, form: 0),
          points: chartPoints(points.filter { !$0.policy.exceptions.isEmpty })),
        Chart.Series(
          name: "one format for all layers", style: .dots(hue: 1, form: 1),
          points: chartPoints(uniform)),
        Chart.Series(
          name: "evictions", style: .dots(hue: 4, form: 2), points: chartPoints(evicting)),
        Chart.Series(
          name: "compared in accuracy", style: .curve(hue: 2, form: 2),
          points: chartPoints(confirmed.map(\.point))),
        Chart.Series(name: "chosen", style: .dots(hue: 3, form: 3), points: chartPoints(kept)),
      ].filter { !$0.points.isEmpty })
  }

  /// Writes the picture, `tune.svg`, and the data behind it, `tune.csv`, into a folder.
  ///
  /// - Throws: ``EvaluationError/file(path:reason:)``.
  public func write(into folder: URL) throws(EvaluationError) {
    for (name, text) in [("tune.svg", SVGChart(chart).text), ("tune.csv", chart.csv)] {
      try EvaluationError.wrapping { () throws(FileError) in
        try AtomicFile.write(Data(text.utf8), to: folder.appendingPathComponent(name).path)
      }
    }
  }
}
