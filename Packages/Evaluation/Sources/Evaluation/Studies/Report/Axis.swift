import Foundation

/// An axis: which values it spans, where they lie, and which are named.
struct Axis {
  let range: ClosedRange<Double>
  let ticks: [Double]
  private let scale: Chart.Scale

  /// An axis over values, from which those that cannot be placed are left out.
  init(_ values: [Double], scale: Chart.Scale) {
    self.scale = scale
    let usable = values.filter { $0.isFinite && (scale == .linear || $0 > 0) }
    let low = usable.min() ?? (scale == .linear ? 0 : 1)
    let high = usable.max() ?? (scale == .linear ? 1 : 10)
    switch scale {
    case .linear:
      let step = Self.step(max(high - low, 1e-9) / 5)
      let (from, to) = ((low / step).rounded(.down) * step, (high / step).rounded(.up) * step)
      range = from...max(to, from + step)
      let count = Int(((range.upperBound - from) / step).rounded())
      ticks = (0...max(count, 1)).map { from + Double($0) * step }
    case .logarithmic:
      range = low / 1.12...max(high * 1.12, low * 1.3)
      let span = log10(range.upperBound / range.lowerBound)
      let factors: [Double] =
        span < 0.9 ? [1, 1.5, 2, 3, 4, 5, 7] : span < 2 ? [1, 2, 5] : [1, 3]
      let exponents = Int(log10(low).rounded(.down)) - 1...Int(log10(high).rounded(.up)) + 1
      let all = exponents.flatMap { exponent in factors.map { $0 * pow(10, Double(exponent)) } }
      let inside = all.filter(range.contains)
      ticks = inside.count < 3 ? Self.even(in: range) : inside
    }
  }

  /// Ticks at even distances, for ranges too short for those of a logarithmic axis.
  private static func even(in range: ClosedRange<Double>) -> [Double] {
    let step = Self.step((range.upperBound - range.lowerBound) / 8)
    let first = (range.lowerBound / step).rounded(.up)
    return (0...8).map { (first + Double($0)) * step }.filter(range.contains)
  }

  /// Where a value lies, 0 at the start and 1 at the end; nil where it cannot be placed.
  func place(_ value: Double) -> Double? {
    guard value.isFinite, scale == .linear || value > 0 else { return nil }
    let (low, high) = (range.lowerBound, range.upperBound)
    return scale == .linear
      ? (value - low) / (high - low) : log(value / low) / log(high / low)
  }

  /// A tick as text.
  static func text(_ value: Double) -> String {
    if value == 0 { return "0" }
    let size = abs(value)
    return size >= 10 || value == value.rounded()
      ? String(format: "%.0f", value)
      : size >= 1 ? String(format: "%.1f", value) : String(format: "%.2g", value)
  }

  /// 1, 2 or 5 times a power of ten, at least `least`.
  private static func step(_ least: Double) -> Double {
    let power = pow(10, log10(least).rounded(.down))
    return [1, 2, 5, 10].map { $0 * power }.first { $0 >= least } ?? 10 * power
  }
}
