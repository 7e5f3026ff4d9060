import Foundation

/// A chart as SVG that stands alone: it holds its colours for light and dark, and needs no script.
struct SVGChart {
  private let chart: Chart
  private let x: Axis
  private let y: Axis

  /// The drawing's width, in its own units; the height follows the legend.
  static let width = 480.0
  private static let (left, right, top, plot) = (52.0, 12.0, 30.0, 250.0)
  private static let legendRow = 17.0

  init(_ chart: Chart) {
    self.chart = chart
    let points = chart.series.flatMap(\.points)
    x = Axis(points.map(\.x), scale: chart.xScale)
    y = Axis(
      points.flatMap { [$0.y + ($0.error ?? 0), $0.y - ($0.error ?? 0)] }.map {
        min(max($0, 0), .infinity)
      },
      scale: chart.yScale)
  }

  /// The whole drawing.
  var text: String {
    let legend = legend
    let height = Self.top + Self.plot + 44 + Double(legend.rows) * Self.legendRow
    return """
      <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(Self.number(Self.width)) \(Self.number(height))" \
      role="img" class="chart">
      <title>\(Self.escaped(chart.title))</title>
      <desc>\(Self.escaped(description))</desc>
      <style>\(Self.style)</style>
      <rect class="paper" width="100%" height="100%"/>
      <text class="title" x="\(Self.number(Self.left))" y="18">\(Self.escaped(chart.title))</text>
      \(axes)
      \(chart.series.map(drawn).joined(separator: "\n"))
      \(legend.text)
      </svg>

      """
  }

  /// What is drawn, for who does not see it.
  private var description: String {
    let series = chart.series.filter { if case .faint = $0.style { false } else { true } }
    return "\(chart.yLabel) over \(chart.xLabel): \(series.map(\.name).joined(separator: "; "))."
  }

  private var plotWidth: Double { Self.width - Self.left - Self.right }
  private func horizontal(_ value: Double) -> Double? {
    x.place(value).map { Self.left + $0 * plotWidth }
  }
  private func vertical(_ value: Double) -> Double? {
    y.place(value).map { Self.top + (1 - $0) * Self.plot }
  }

  private var axes: String {
    var parts: [String] = []
    let bottom = Self.top + Self.plot
    for tick in y.ticks {
      guard let at = vertical(tick) else { continue }
      parts.append(
        "<line class=\"grid\" x1=\"\(Self.number(Self.left))\" x2=\"\(Self.number(Self.width - Self.right))\" y1=\"\(Self.number(at))\" y2=\"\(Self.number(at))\"/>"
          + "<text class=\"tick\" text-anchor=\"end\" x=\"\(Self.number(Self.left - 6))\" y=\"\(Self.number(at + 4))\">\(Axis.text(tick))</text>"
      )
    }
    var last = -Double.infinity
    for tick in x.ticks {
      guard let at = horizontal(tick) else { continue }
      parts.append(
        "<line class=\"grid\" x1=\"\(Self.number(at))\" x2=\"\(Self.number(at))\" y1=\"\(Self.number(Self.top))\" y2=\"\(Self.number(bottom))\"/>"
      )
      let text = Axis.text(tick)
      let width = Double(text.count) * 7 + 6
      if at - last >= width {
        parts.append(
          "<text class=\"tick\" text-anchor=\"middle\" x=\"\(Self.number(at))\" y=\"\(Self.number(bottom + 15))\">\(text)</text>"
        )
        last = at
      }
    }
    let middle = Self.number(Self.top + Self.plot / 2)
    parts.append(
      "<text class=\"label\" text-anchor=\"middle\" x=\"\(Self.number(Self.left + plotWidth / 2))\" y=\"\(Self.number(bottom + 33))\">\(Self.escaped(chart.xLabel))</text>"
    )
    parts.append(
      "<text class=\"label\" text-anchor=\"middle\" transform=\"translate(14 \(middle)) rotate(-90)\">\(Self.escaped(chart.yLabel))</text>"
    )
    return parts.joined(separator: "\n")
  }

  private func drawn(_ series: Chart.Series) -> String {
    let places = series.points.compactMap { point -> (point: Chart.Point, x: Double, y: Double)? in
      guard let x = horizontal(point.x), let y = vertical(point.y) else { return nil }
      return (point, x, y)
    }
    let path = places.enumerated().map {
      "\($0.offset == 0 ? "M" : "L")\(Self.number($0.element.x)) \(Self.number($0.element.y))"
    }.joined()
    var parts: [String] = []
    let look = Look(series.style)
    if let line = look.line, places.count > 1 {
      parts.append("<path class=\"\(line)\" d=\"\(path)\"/>")
    }
    guard let mark = look.mark else { return parts.joined(separator: "\n") }
    for place in places {
      if let error = place.point.error, error > 0, let high = vertical(place.point.y + error),
        let low = vertical(max(0, place.point.y - error))
      {
        parts.append(
          "<path class=\"error \(look.hue)\" d=\"M\(Self.number(place.x)) \(Self.number(low))V\(Self.number(high))\"/>"
        )
      }
      parts.append(
        "<path class=\"\(look.markClass)\" d=\"\(Self.mark(mark, place.x, place.y))\"><title>\(Self.escaped(place.point.label))</title></path>"
      )
    }
    return parts.joined(separator: "\n")
  }

  /// Classes of a style. The hue chooses the shape of marks too, and the form how they are filled
  /// and lines dashed, so that nothing hangs on colour alone.
  private struct Look {
    var line: String?
    var mark: Int?
    var hue = ""
    private var fill = 0

    /// The class of marks.
    var markClass: String { "mark \(hue) fill\(fill)" }

    init(_ style: Chart.Style) {
      switch style {
      case .curve(let hue, let form):
        setMark(hue, form)
        line = "line \(self.hue) form\(form % 4)"
      case .faint(let hue):
        line = "line faint hue\(hue % 8)"
      case .dots(let hue, let form): setMark(hue, form)
      case .frontier: line = "frontier"
      case .reference: line = "reference"
      }
    }

    private mutating func setMark(_ hue: Int, _ form: Int) {
      self.hue = "hue\(hue % 8)"
      mark = hue % 8
      fill = form % 4
    }
  }

  /// The outline of a mark: circle, square, triangle, diamond, triangle on its tip, bar, hourglass
  /// or lying bar.
  private static func mark(_ shape: Int, _ x: Double, _ y: Double) -> String {
    let start = "M\(number(x)) \(number(y))"
    switch shape {
    case 0: return start + "m-3.2 0a3.2 3.2 0 1 0 6.4 0a3.2 3.2 0 1 0 -6.4 0z"
    case 1: return start + "m-2.9 -2.9h5.8v5.8h-5.8z"
    case 2: return start + "m0 -3.8l3.6 6.4h-7.2z"
    case 3: return start + "m0 -4.2l4.2 4.2l-4.2 4.2l-4.2 -4.2z"
    case 4: return start + "m0 3.8l3.6 -6.4h-7.2z"
    case 5: return start + "m-1.5 -4.2h3v8.4h-3z"
    case 6: return start + "m-3.4 -3.4h6.8l-6.8 6.8h6.8z"
    default: return start + "m-4.2 -1.5h8.4v3h-8.4z"
    }
  }

  private var legend: (text: String, rows: Int) {
    var (x, row) = (Self.left, 0)
    var parts: [String] = []
    for series in chart.series {
      if case .faint = series.style { continue }
      let width = 28 + Double(series.name.count) * 6.4
      if x + width > Self.width - 4, x > Self.left {
        x = Self.left
        row += 1
      }
      let y = Self.top + Self.plot + 50 + Double(row) * Self.legendRow
      let look = Look(series.style)
      if let line = look.line {
        parts.append(
          "<path class=\"\(line)\" d=\"M\(Self.number(x)) \(Self.number(y - 4))h16\"/>")
      }
      if let mark = look.mark {
        parts.append(
          "<path class=\"\(look.markClass)\" d=\"\(Self.mark(mark, x + 8, y - 4))\"/>")
      }
      parts.append(
        "<text class=\"key\" x=\"\(Self.number(x + 20))\" y=\"\(Self.number(y))\">\(Self.escaped(series.name))</text>"
      )
      x += width
    }
    return (parts.joined(separator: "\n"), row + 1)
  }

  /// A number with one decimal at most.
  private static func number(_ value: Double) -> String {
    let rounded = (value * 10).rounded() / 10
    return rounded == rounded.rounded() ? "\(Int(rounded))" : "\(rounded)"
  }

  /// Text that XML takes as it is meant.
  static func escaped(_ text: String) -> String {
    text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
      .replacingOccurrences(of: ">", with: "&gt;").replacingOccurrences(of: "\"", with: "&quot;")
  }

  /// Found by a search for the largest least distance of any two (CIELAB) as seen with full and
  /// with each kind of limited colour vision (Machado, Oliveira, Fernandes 2009), the first four
  /// before the others, at a contrast of 3 to the paper.
  private static let hues = [
    "#6b00ff", "#901200", "#0ea68b", "#530767", "#c78209", "#001413", "#ce65fb", "#8170a9",
  ]
  private static let darkHues = [
    "#7146f1", "#b79703", "#46ffb3", "#cc2792", "#fff500", "#c0e9ff", "#689dfc", "#6b742e",
  ]

  private static func colours(_ hues: [String]) -> String {
    hues.enumerated().map { ".chart .hue\($0.offset){stroke:\($0.element);fill:\($0.element)}" }
      .joined()
  }

  private static let style = """
    .chart{font:12px system-ui,sans-serif}.chart .paper{fill:#fff}.chart text{fill:#222;stroke:none}\
    .chart .title{font-size:13px;font-weight:600}.chart .tick,.chart .key{font-size:11px}.chart .grid{stroke:#ddd;stroke-width:.7}\
    \(colours(hues))\
    .chart .line{fill:none;stroke-width:1.4}.chart .faint{opacity:.28}.chart .form1{stroke-dasharray:6 3}.chart .form2{stroke-dasharray:2 3}\
    .chart .form3{stroke-dasharray:8 3 2 3}.chart .mark{stroke-width:1.3}\
    .chart .fill1{fill:#fff}.chart .fill2{fill-opacity:.35}.chart .fill3{fill:#fff;stroke-dasharray:1.5 1}.chart .error{fill:none;stroke-width:1;opacity:.55}\
    .chart .frontier{fill:none;stroke:#111;stroke-width:2.6;opacity:.5}.chart .reference{fill:none;stroke:#111;stroke-width:1.6;stroke-dasharray:3 4}\
    @media(prefers-color-scheme:dark){.chart .paper{fill:#16181d}.chart text{fill:#e5e7eb}.chart .grid{stroke:#333a45}\
    \(colours(darkHues))\
    .chart .line,.chart .error{fill:none}.chart .fill1,.chart .fill3{fill:#16181d}.chart .frontier,.chart .reference{fill:none;stroke:#f3f4f6}}
    """
}
