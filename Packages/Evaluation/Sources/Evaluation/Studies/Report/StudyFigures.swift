import MemoryPlanner

/// The figures of arXiv:2510.10964, drawn from a study's data. Those that have no data are left
/// out.
struct StudyFigures {
  /// One figure: a number, what it shows, and its panels.
  struct Figure: Sendable, Hashable {
    let number: Int
    let caption: String
    let panels: [Chart]
  }

  private let view: StudyView
  private let results: StudyResults
  private let bytes: ByteUnit

  init(_ results: StudyResults) {
    self.results = results
    view = StudyView(results.points)
    bytes = ByteUnit(results.points)
  }

  private static let accuracy = "accuracy, %"
  private var memory: String { "weights + KV cache, \(bytes.name)" }

  /// All figures that have data, in order.
  var all: [Figure] {
    let math = view.serial(.math)
    let knowledge = view.serial(.knowledge)
    return [
      figure(
        1,
        "Memory against accuracy of serial scaling: along a curve the thinking budget grows. Bars are standard errors, the wide line is the frontier.",
        [serial(math, file: "fig01", title: "Mathematics: memory and accuracy")]),
      figure(2, "What the frontier of figure 1 is made of.", composition(math)),
      figure(
        3, "The same with the weights shared by several questions: memory for each question.",
        [1, 4, 16].map { batched(math, $0) }),
      figure(
        4, "Memory against accuracy where knowledge is asked.",
        [serial(knowledge, file: "fig04", title: "Knowledge: memory and accuracy")]),
      figure(
        5,
        "Votes: frontiers of each model over budgets and group sizes; the dashed line is the frontier without votes.",
        [parallel()]),
      figure(
        6, "Time of a reply against accuracy, \(results.concurrency) replies generated together.",
        [timed(math, file: "fig06", title: "Latency", label: "seconds a reply") { $0.seconds }]),
      figure(
        7, "Throughput against accuracy, \(results.concurrency) replies generated together.",
        [
          timed(math, file: "fig07", title: "Throughput", label: "replies a second") {
            Double(results.concurrency) / $0.seconds
          }
        ]),
      figure(
        8,
        "Frontiers of the ways to keep a KV cache; the curves behind them are single configurations.",
        view.bits.map(strategies)),
      figure(9, "One model, every KV policy.", selected.map { policies($0, figure: 9) }),
      figure(
        10, "Votes of each model: along a curve the budget grows, each curve is a group size.",
        view.byWeights(view.parallel(.math)).map(votes)),
      figure(
        11, "Every KV policy, the larger half of the models.",
        groups(larger: true).map { policies($0, figure: 11) }),
      figure(
        12, "Every KV policy, the smaller half of the models.",
        groups(larger: false).map { policies($0, figure: 12) }),
    ].compactMap(\.self)
  }

  private func figure(_ number: Int, _ caption: String, _ panels: [Chart]) -> Figure? {
    let drawn = panels.filter { chart in chart.series.contains { !$0.points.isEmpty } }
    return drawn.isEmpty ? nil : Figure(number: number, caption: caption, panels: drawn)
  }

  private func place(_ point: StudyPoint, x: Double? = nil) -> Chart.Point {
    Chart.Point(
      x: x ?? Double(point.totalBytes) / bytes.size, y: 100 * point.accuracy,
      error: point.standardError.map { 100 * $0 }, label: point.configuration)
  }

  private func curves(_ points: [StudyPoint], x: (StudyPoint) -> Double? = { _ in nil }) -> [Chart
    .Series]
  {
    view.byWeights(points).compactMap { group in
      group.first.map { first in
        Chart.Series(
          name: first.weightsName,
          style: .curve(hue: view.hue(first), form: view.form(first)),
          points: group.map { place($0, x: x($0)) })
      }
    }
  }

  private func line(
    _ points: [StudyPoint], _ name: String, _ style: Chart.Style,
    x: (StudyPoint) -> Double? = { _ in nil }
  ) -> Chart.Series {
    Chart.Series(name: name, style: style, points: points.map { place($0, x: x($0)) })
  }

  private func serial(_ points: [StudyPoint], file: String, title: String) -> Chart {
    let frontier = line(StudyView.frontier(points), "frontier", .frontier)
    return Chart(
      file: file, title: title, xLabel: memory, yLabel: Self.accuracy, xScale: .logarithmic,
      series: points.isEmpty ? [] : [frontier] + curves(points))
  }

  private func composition(_ points: [StudyPoint]) -> [Chart] {
    let frontier = StudyView.frontier(points)
    func dots(_ value: (StudyPoint) -> Double) -> [Chart.Series] {
      view.byWeights(frontier).compactMap { group in
        group.first.map { first in
          Chart.Series(
            name: first.weightsName, style: .dots(hue: view.hue(first), form: view.form(first)),
            points: group.map {
              Chart.Point(
                x: Double($0.totalBytes) / bytes.size, y: value($0), label: $0.configuration)
            })
        }
      }
    }
    return [
      Chart(
        file: "fig02a", title: "(a) Thinking budget on the frontier", xLabel: memory,
        yLabel: "tokens of thought", xScale: .logarithmic,
        series: dots { Double($0.thinkBudget) }),
      Chart(
        file: "fig02b", title: "(b) Effective model size on the frontier", xLabel: memory,
        yLabel: "weights, \(bytes.name)", xScale: .logarithmic,
        series: dots { Double($0.weightsBytes) / bytes.size }),
    ]
  }

  private func batched(_ points: [StudyPoint], _ batch: Int) -> Chart {
    func share(_ point: StudyPoint) -> Double {
      (Double(point.weightsBytes) / Double(batch) + Double(point.kvBytes)) / bytes.size
    }
    let frontier = line(
      StudyView.frontier(points, cost: share), "frontier", .frontier, x: share)
    return Chart(
      file: "fig03-batch\(batch)", title: "Batch \(batch): memory for each question",
      xLabel: "weights / \(batch) + KV cache, \(bytes.name)", yLabel: Self.accuracy,
      xScale: .logarithmic, series: points.isEmpty ? [] : [frontier] + curves(points, x: share))
  }

  private func parallel() -> Chart {
    let points = view.parallel(.math)
    let hasVotes = points.contains { $0.samples > 1 }
    let serial = line(
      StudyView.frontier(points.filter { $0.samples == 1 }), "without votes", .reference)
    let fronts = view.byWeights(points).compactMap { group -> Chart.Series? in
      guard let first = group.first else { return nil }
      return line(
        StudyView.frontier(group), first.weightsName,
        .curve(hue: view.hue(first), form: view.form(first)))
    }
    return Chart(
      file: "fig05", title: "Votes: memory and accuracy", xLabel: memory, yLabel: Self.accuracy,
      xScale: .logarithmic,
      series: hasVotes
        ? [line(StudyView.frontier(points), "frontier", .frontier)] + fronts + [serial] : [])
  }

  private func timed(
    _ points: [StudyPoint], file: String, title: String, label: String,
    _ value: (StudyPoint) -> Double
  ) -> Chart {
    Chart(
      file: file, title: "\(title) and accuracy", xLabel: label, yLabel: Self.accuracy,
      xScale: .logarithmic, series: curves(points.filter { $0.seconds > 0 }, x: value))
  }

  private func strategies(_ bits: Int) -> Chart {
    let points = view.caches(.math).filter { $0.bits == bits }
    let kinds: [(String, CacheKind)] = [
      ("whole cache", .whole), ("evicted", .evicted), ("quantized", .quantized),
    ]
    let isCompressed = points.contains { $0.cache != .whole }
    var (behind, front): ([Chart.Series], [Chart.Series]) = ([], [])
    for (hue, kind) in kinds.enumerated() {
      let chosen = points.filter { $0.cache == kind.1 }
      for group in Dictionary(grouping: chosen, by: { "\($0.model) \($0.kv)" }).sorted(by: {
        $0.key < $1.key
      }) {
        behind.append(
          line(group.value.sorted { $0.thinkBudget < $1.thinkBudget }, group.key, .faint(hue: hue)))
      }
      if !chosen.isEmpty {
        front.append(
          line(StudyView.frontier(chosen), kind.0, .curve(hue: hue, form: hue)))
      }
    }
    return Chart(
      file: "fig08-\(bits)bit", title: "KV caches, \(bits)-bit weights", xLabel: memory,
      yLabel: Self.accuracy, xScale: .logarithmic, series: isCompressed ? behind + front : [])
  }

  /// Models at precisions whose cache was compressed too.
  private func groups(larger: Bool) -> [[StudyPoint]] {
    let half = view.models.count / 2
    let models = Set(
      larger ? view.models.suffix(view.models.count - half) : view.models.prefix(half))
    return view.byWeights(view.caches(.math)).filter { group in
      group.contains { $0.cache != .whole }
        && group.first.map { models.contains($0.model) } ?? false
    }
  }

  /// The largest and a middle model at the most and the fewest bits.
  private var selected: [[StudyPoint]] {
    let all = groups(larger: false) + groups(larger: true)
    let chosen = Set([view.models.last, view.models.dropFirst(view.models.count / 2).first])
    let bits = Set([view.bits.first, view.bits.last])
    return all.filter { group in
      group.first.map { chosen.contains($0.model) && bits.contains($0.bits) } ?? false
    }
  }

  private func policies(_ group: [StudyPoint], figure: Int) -> Chart {
    let kinds = Dictionary(grouping: group, by: \.kv)
    let order = kinds.keys.sorted { ($0 == "bf16" ? "" : $0) < ($1 == "bf16" ? "" : $1) }
    let name = group.first?.weightsName ?? ""
    return Chart(
      file: Self.file(figure, name), title: "\(name): KV policies", xLabel: memory,
      yLabel: Self.accuracy, xScale: .logarithmic,
      series: order.enumerated().map { place, kv in
        line(
          (kinds[kv] ?? []).sorted { $0.thinkBudget < $1.thinkBudget }, kv,
          .curve(hue: place, form: place))
      })
  }

  private func votes(_ group: [StudyPoint]) -> Chart {
    let kinds = Dictionary(grouping: group, by: \.samples)
    let name = group.first?.weightsName ?? ""
    return Chart(
      file: Self.file(10, name), title: "\(name): votes", xLabel: memory, yLabel: Self.accuracy,
      xScale: .logarithmic,
      series: kinds.count < 2
        ? []
        : kinds.keys.sorted().enumerated().map { place, samples in
          line(kinds[samples] ?? [], "G = \(samples)", .curve(hue: place, form: 0))
        })
  }

  private static func file(_ figure: Int, _ name: String) -> String {
    let tail = String(
      name.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == ".") ? $0 : "-" })
    return "fig\(figure < 10 ? "0" : "")\(figure)-\(tail)"
  }
}
