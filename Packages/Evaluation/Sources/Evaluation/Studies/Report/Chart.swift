import Foundation

/// A drawing of points and lines over two axes.
struct Chart: Sendable, Hashable {
  /// How values are laid out along an axis.
  enum Scale: Sendable, Hashable {
    case linear, logarithmic
  }

  /// A point; `label` names its configuration.
  struct Point: Sendable, Hashable {
    let x: Double
    let y: Double
    var error: Double?
    let label: String
  }

  /// What a series looks like.
  enum Style: Sendable, Hashable {
    /// A line through points; `hue` chooses the colour, `form` dashes and marks.
    case curve(hue: Int, form: Int)
    /// A line through points in the background.
    case faint(hue: Int)
    /// Points alone.
    case dots(hue: Int, form: Int)
    /// The frontier: a wide line without points.
    case frontier
    /// A frontier to compare with, dashed.
    case reference
  }

  /// Points that belong together.
  struct Series: Sendable, Hashable {
    let name: String
    let style: Style
    let points: [Point]
  }

  /// A short name for files, such as `fig01`.
  let file: String
  /// The line above.
  let title: String
  /// What lies along x, with its unit.
  let xLabel: String
  /// What lies along y, with its unit.
  let yLabel: String
  /// How x is laid out.
  let xScale: Scale
  /// How y is laid out.
  var yScale: Scale = .linear
  /// What is drawn, the first at the bottom.
  let series: [Series]

  /// The data behind it: a line a point.
  var csv: String {
    let rows = series.flatMap { series in
      series.points.map { point in
        [series.name, "\(point.x)", "\(point.y)", point.error.map { "\($0)" } ?? "", point.label]
      }
    }
    return ([["series", xLabel, yLabel, "standard error", "configuration"]] + rows)
      .map { $0.map(Self.quoted).joined(separator: ",") + "\r\n" }.joined()
  }

  /// A field of RFC 4180.
  static func quoted(_ field: String) -> String {
    field.contains(where: { ",\"\r\n".contains($0) })
      ? "\"" + field.replacingOccurrences(of: "\"", with: "\"\"") + "\"" : field
  }
}
