/// Sets of real numbers that are written in other ways than as unions of intervals.
enum NumberSet {
  /// `x < 1 \text{ or } x > 3`, `x \ne 3`, `\mathbb{R} \setminus \{3\}`, `\{x \mid x > 2\}` and
  /// `\mathbb{R}` as the intervals that they are; nil for anything else.
  ///
  /// `answer` reads what stands within.
  static func read(
    _ text: ArraySlice<UInt8>, _ answer: (ArraySlice<UInt8>) -> MathAnswer
  ) -> MathAnswer? {
    if all.contains(where: { text.elementsEqual($0.utf8) }) { return interval(nil, nil) }
    if let inner = text.unwrapped(by: "\\{", "\\}"), let condition = condition(inner) {
      return answer(condition)
    }
    if let sides = text.split(atTopLevel: "\\ne"), sides.count == 2, MathAnswer.isName(sides[0]) {
      return without(sides[1].split(atTopLevel: ",") ?? [sides[1]])
    }
    if let sides = text.split(atTopLevel: "\\setminus"), sides.count == 2,
      answer(sides[0]) == interval(nil, nil), let inner = sides[1].unwrapped(by: "\\{", "\\}")
    {
      return without(inner.split(atTopLevel: ",") ?? [inner])
    }
    return bounds(text, answer)
  }

  private static let all = [
    "realnumbers", "allrealnumbers", "allreals", "allrealsolutions", "\\mathbb{R}",
  ]

  /// What stands behind the bar or colon of `\{x \in \mathbb{R} \mid x > 2\}`.
  private static func condition(_ inner: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    for bar in ["\\mid", "|", ":"] {
      guard let sides = inner.split(atTopLevel: bar), sides.count == 2 else { continue }
      let name = sides[0].replacing("\\inrealnumbers", by: "")
      return MathAnswer.isName(name) ? sides[1] : nil
    }
    return nil
  }

  /// Two inequalities of one name: what both allow where that is something, else what either does.
  private static func bounds(
    _ text: ArraySlice<UInt8>, _ answer: (ArraySlice<UInt8>) -> MathAnswer
  ) -> MathAnswer? {
    guard let pieces = text.split(atTopLevel: ","), pieces.count == 2,
      pieces.allSatisfy({
        $0.contains("<") || $0.contains(">") || $0.contains("\\le")
          || $0.contains("\\ge")
      }),
      case .tuple(let open, let close, let first) = answer(pieces[0]),
      case .tuple(let otherOpen, let otherClose, let second) = answer(pieces[1]),
      first.count == 2, second.count == 2
    else { return nil }
    let isBelow = first[0] == lowest && second[1] == highest
    let isAbove = first[1] == highest && second[0] == lowest
    guard isBelow || isAbove else { return nil }
    // The bound from below stands first in an interval.
    let (lower, upper) = isBelow ? (second[0], first[1]) : (first[0], second[1])
    guard let low = value(lower), let high = value(upper) else { return nil }
    if low < high {
      return .tuple(
        open: isBelow ? otherOpen : open, close: isBelow ? close : otherClose, [lower, upper])
    }
    return .union([
      .tuple(open: open, close: close, first),
      .tuple(open: otherOpen, close: otherClose, second),
    ])
  }

  /// All numbers but some.
  private static func without(_ points: [ArraySlice<UInt8>]) -> MathAnswer? {
    let points = points.map { MathAnswer.expression($0) }
    let values = points.compactMap(value)
    guard values.count == points.count, !values.isEmpty else { return nil }
    let sorted = zip(values, points).sorted { $0.0 < $1.0 }.map(\.1)
    let edges = [nil] + sorted.map(Optional.some) + [nil]
    return .union(zip(edges, edges.dropFirst()).map { interval($0, $1) })
  }

  private static let lowest = MathAnswer.expression(Array("-\\infty".utf8)[...])
  private static let highest = MathAnswer.expression(Array("\\infty".utf8)[...])

  private static func interval(_ low: MathAnswer?, _ high: MathAnswer?) -> MathAnswer {
    .tuple(open: UInt8(ascii: "("), close: UInt8(ascii: ")"), [low ?? lowest, high ?? highest])
  }

  private static func value(_ answer: MathAnswer) -> Double? {
    guard case .expression(let text) = answer, !MathEquality.hasNames(text) else { return nil }
    return LatexEvaluator.value(of: text, at: 1).flatMap { $0.imaginary == 0 ? $0.real : nil }
  }
}
