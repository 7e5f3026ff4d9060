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
      let inner = sides[1].unwrapped(by: "\\{", "\\}")
    {
      return without(inner.split(atTopLevel: ",") ?? [inner], of: answer(sides[0]))
    }
    return distance(text) ?? bounds(text, answer) ?? apart(text, answer)
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

  /// `|x| < 2` and `|x| > 2` as the intervals that they are.
  private static func distance(_ text: ArraySlice<UInt8>) -> MathAnswer? {
    for (mark, isBelow, isClosed) in [
      ("\\le", true, true), ("\\ge", false, true), ("<", true, false), (">", false, false),
    ] {
      guard let sides = text.split(atTopLevel: mark), sides.count == 2,
        let inner = sides[0].unwrapped(by: "|", "|"), MathAnswer.isName(inner),
        let size = value(.expression(sides[1])), size > 0
      else { continue }
      let low = MathAnswer.expression(Array("-(".utf8) + sides[1] + [UInt8(ascii: ")")])
      let high = MathAnswer.expression(sides[1])
      let (open, close): (UInt8, UInt8) =
        isClosed ? (UInt8(ascii: "["), UInt8(ascii: "]")) : (UInt8(ascii: "("), UInt8(ascii: ")"))
      if isBelow { return .tuple(open: open, close: close, [low, high]) }
      return .union([
        .tuple(open: UInt8(ascii: "("), close: close, [lowest, low]),
        .tuple(open: open, close: UInt8(ascii: ")"), [high, highest]),
      ])
    }
    return nil
  }

  /// An interval, or all numbers, but for some points within.
  private static func without(
    _ points: [ArraySlice<UInt8>], of whole: MathAnswer = interval(nil, nil)
  ) -> MathAnswer? {
    guard case .tuple(let open, let close, let ends) = whole, ends.count == 2 else { return nil }
    let points = points.map { MathAnswer.expression($0) }
    let values = points.compactMap(value)
    let bounds = (
      ends[0] == lowest ? -.infinity : value(ends[0]),
      ends[1] == highest ? .infinity : value(ends[1])
    )
    guard values.count == points.count, !values.isEmpty, let low = bounds.0, let high = bounds.1,
      values.allSatisfy({ low < $0 && $0 < high })
    else { return nil }
    let sorted = zip(values, points).sorted { $0.0 < $1.0 }.map(\.1)
    let edges = [ends[0]] + sorted + [ends[1]]
    return .union(
      edges.indices.dropLast().map { index in
        .tuple(
          open: index == 0 ? open : UInt8(ascii: "("),
          close: index == sorted.count ? close : UInt8(ascii: ")"),
          [edges[index], edges[index + 1]])
      })
  }

  /// Inequalities of one name that have nothing in common: `-2 < x < 1 \text{ or } x > 3`.
  private static func apart(
    _ text: ArraySlice<UInt8>, _ answer: (ArraySlice<UInt8>) -> MathAnswer
  ) -> MathAnswer? {
    let signs = ["<", ">", "\\le", "\\ge"]
    guard let pieces = text.split(atTopLevel: ","),
      pieces.allSatisfy({ piece in signs.contains { piece.contains($0) } })
    else { return nil }
    let intervals = pieces.map(answer)
    let ends = intervals.compactMap { interval -> ClosedRange<Double>? in
      guard case .tuple(_, _, let ends) = interval, ends.count == 2,
        let low = ends[0] == lowest ? -.infinity : value(ends[0]),
        let high = ends[1] == highest ? .infinity : value(ends[1]), low <= high
      else { return nil }
      return low...high
    }.sorted { $0.lowerBound < $1.lowerBound }
    guard ends.count == pieces.count,
      zip(ends, ends.dropFirst()).allSatisfy({ $0.upperBound <= $1.lowerBound })
    else { return nil }
    return .union(intervals)
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
