/// The structure of an answer in mathematics: lists, tuples, intervals, matrices, equations.
///
/// Read from the normal form of ``MathText``.
indirect enum MathAnswer: Equatable, Sendable {
  /// Anything with one value.
  case expression(ArraySlice<UInt8>)
  /// Values in any order: `1, 2`, `\{1, 2\}`, `1 \pm 2`.
  case list([MathAnswer])
  /// Points and intervals: the brackets count, and the order.
  case tuple(open: UInt8, close: UInt8, [MathAnswer])
  /// Intervals in any order.
  case union([MathAnswer])
  /// Rows of a matrix.
  case matrix([[MathAnswer]])
  /// One value written several ways, first the exact one: `\frac{1}{3} \approx 0.33`.
  case approximation([MathAnswer])
  /// A value in a unit.
  case quantity(MathAnswer, MeasureUnit)
  /// `3:4`, `1:2:3`.
  case ratio([ArraySlice<UInt8>])
  /// A time of the day, which may be read as a ratio where it has no half of the day.
  case clock(ClockTime)
  /// `name = value`, or an equation with something else on its left.
  case equation(left: ArraySlice<UInt8>, right: ArraySlice<UInt8>)
  /// An inequality or a chain of them, turned so that the larger side is on the right.
  case inequality(sides: [ArraySlice<UInt8>], signs: [String])

  /// Answers with more parts are compared as text only.
  static let mostParts = 64
  /// Structures nested more deeply are taken as expressions.
  private static let deepest = 8

  /// Reads an answer.
  init(_ text: ArraySlice<UInt8>, depth: Int = 0) {
    let read: (ArraySlice<UInt8>) -> MathAnswer = { MathAnswer($0, depth: depth + 1) }
    guard depth < Self.deepest, text.count <= LatexEvaluator.longest else {
      self = .expression(text)
      return
    }
    if let set = NumberSet.read(text, read) {
      self = set
    } else if let inequality = Self.inequality(text) {
      self = inequality
    } else if let pieces = text.split(atTopLevel: "\\cup") {
      self = Self.together(pieces.map(read))
    } else if let pieces = text.split(atTopLevel: ",") ?? text.split(atTopLevel: ";") {
      let elements = pieces.last?.isEmpty == true ? pieces.dropLast() : pieces[...]
      self = .list(elements.map(read))
    } else if let sides = text.split(atTopLevel: "\\approx") {
      self = .approximation(sides.map(read))
    } else if let sides = text.split(atTopLevel: "=") ?? text.split(atTopLevel: "\\in") {
      self = Self.equation(sides, read)
    } else if let (value, unit) = Quantity.unmarked(text) {
      self = .quantity(read(value), unit)
    } else if let time = ClockTime(text) {
      self = .clock(time)
    } else if let parts = text.split(atTopLevel: ":"), parts.allSatisfy({ !$0.isEmpty }) {
      self = .ratio(parts)
    } else if let rows = Self.matrix(text) ?? Self.scaledMatrix(text) {
      self = .matrix(rows.map { $0.map(read) })
    } else if let inner = text.unwrapped(by: "\\{", "\\}") {
      let elements = inner.split(atTopLevel: ",") ?? [inner]
      self = .list(elements.map(read))
    } else if let group = Self.brackets(text) {
      let parts =
        group.inner.split(atTopLevel: ",") ?? group.inner.split(atTopLevel: ";") ?? [group.inner]
      let isPlain = parts.count == 1 && group.open == UInt8(ascii: "(")
      let isMatrix = parts.count == 1 && Self.matrix(group.inner[...]) != nil
      self =
        isPlain || isMatrix
        ? read(group.inner) : .tuple(open: group.open, close: group.close, parts.map(read))
    } else if text.contains("\\pm") || text.contains("\\mp") {
      self = .list([
        .expression(text.replacing("\\pm", by: "+").replacing("\\mp", by: "-")),
        .expression(text.replacing("\\pm", by: "-").replacing("\\mp", by: "+")),
      ])
    } else {
      self = .expression(text)
    }
  }

  /// Intervals together, or the elements of sets as one set.
  private static func together(_ parts: [MathAnswer]) -> MathAnswer {
    let elements = parts.map { part in
      if case .list(let elements) = part { elements } else { [MathAnswer]() }
    }
    return elements.contains(where: \.isEmpty) ? .union(parts) : .list(elements.flatMap { $0 })
  }

  /// The last two sides of a chain of equations, where those between have the value that it ends
  /// with; a name on the right goes to the left.
  private static func equation(
    _ sides: [ArraySlice<UInt8>], _ read: (ArraySlice<UInt8>) -> MathAnswer
  ) -> MathAnswer {
    guard var left = sides.first, var right = sides.last else { return .expression([]) }
    if sides.count > 2 {
      let isChain = sides.dropFirst().dropLast().allSatisfy {
        MathEquality.areSame(read($0), read(right)) || isName($0)
      }
      guard isChain else { return .expression([]) }
    } else if isName(right), !isName(left) {
      swap(&left, &right)
    }
    let value = read(right)
    if case .expression = value { return .equation(left: left, right: right) }
    return isName(left) ? value : .equation(left: left, right: right)
  }

  /// Whether this is `x`, `x_1`, `f(x)`, `f^{-1}(x)`, `\theta`, `\angle ABC`, `|AB|`, `(x, y)` or
  /// another name that is given a value.
  static func isName(_ text: ArraySlice<UInt8>) -> Bool {
    let wrapped =
      text.unwrapped(by: "(", ")") ?? text.unwrapped(by: "|", "|")
      ?? text.unwrapped(by: "\\langle", "\\rangle")
    if let wrapped { return (wrapped.split(atTopLevel: ",") ?? [wrapped]).allSatisfy(isName) }
    if let derivative = DerivativeText(in: text, at: text.startIndex) {
      let rest = text[derivative.end...]
      if derivative.subject.isEmpty { return isName(rest) }
      let isArgument =
        rest.first == UInt8(ascii: "(") && rest.firstClosingBracket == rest.endIndex - 1
      return isName(derivative.subject) && (rest.isEmpty || isArgument)
    }
    let head = text.prefix { $0 != UInt8(ascii: "(") }
    let argument = text[head.endIndex...]
    let name = head.replacing("^{-1}", by: "").replacing("'", by: "")
    let values =
      LatexFunction.allCases.map(\.rawValue) + [
        "sqrt", "frac", "binom", "pi", "infty", "sum", "prod", "int", "lim", "times", "cdot", "div",
        "unit",
        "lfloor", "lceil", "begin", "emptyset", "pm", "mp", "cup", "cap", "setminus", "ne",
      ]
    return name.drop { $0 == UInt8(ascii: "\\") }.first?.isLetter == true
      && name.allSatisfy { $0.isLetter || $0.isDigit || "_{}\\".utf8.contains($0) }
      && !values.contains { name.contains("\\" + $0) }
      && (argument.isEmpty
        || (argument.firstClosingBracket == argument.endIndex - 1 && argument.count > 2))
  }

  private static func brackets(
    _ text: ArraySlice<UInt8>
  ) -> (open: UInt8, close: UInt8, inner: ArraySlice<UInt8>)? {
    if let inner = text.unwrapped(by: "\\langle", "\\rangle") {
      return (UInt8(ascii: "("), UInt8(ascii: ")"), inner)
    }
    guard text.count >= 3, let open = text.first, let close = text.last,
      "([".utf8.contains(open), ")]".utf8.contains(close),
      text.firstClosingBracket == text.endIndex - 1
    else { return nil }
    return (open, close, text.dropFirst().dropLast())
  }

  private static func matrix(_ text: ArraySlice<UInt8>) -> [[ArraySlice<UInt8>]]? {
    rows(text, of: ["pmatrix", "bmatrix", "matrix", "Bmatrix", "array"])
  }

  /// The elements of an environment of one of some kinds, row by row.
  static func rows(_ text: ArraySlice<UInt8>, of kinds: [String]) -> [[ArraySlice<UInt8>]]? {
    for kind in kinds {
      guard var inner = text.unwrapped(by: "\\begin{\(kind)}", "\\end{\(kind)}") else { continue }
      if kind == "array", let close = LatexText.closingBrace(of: inner, openedAt: inner.startIndex)
      {
        inner = inner[(close + 1)...]
      }
      let rows = (inner.split(atTopLevel: "\\\\") ?? [inner]).filter { !$0.isEmpty }
      return rows.map { $0.split(atTopLevel: "&") ?? [$0] }
    }
    return nil
  }

  /// A number times a matrix, as the matrix of the products.
  private static func scaledMatrix(_ text: ArraySlice<UInt8>) -> [[ArraySlice<UInt8>]]? {
    guard let begin = text.firstRange(of: "\\begin{".utf8), begin.lowerBound > text.startIndex,
      let rows = matrix(text[begin.lowerBound...])
    else { return nil }
    var factor = text[..<begin.lowerBound]
    for sign in ["\\cdot", "\\times", "*"]
    where factor.suffix(sign.utf8.count).elementsEqual(sign.utf8) {
      factor = factor.dropLast(sign.utf8.count)
    }
    if factor.elementsEqual("-".utf8) { factor = Array("-1".utf8)[...] }
    guard LatexEvaluator.value(of: factor, at: 1) != nil else { return nil }
    let (open, close) = ([UInt8(ascii: "(")], [UInt8(ascii: ")")])
    return rows.map { $0.map { (open + factor + close + open + $0 + close)[...] } }
  }

  private static func inequality(_ text: ArraySlice<UInt8>) -> MathAnswer? {
    let forms = [("\\le", "<="), ("\\ge", ">="), ("<", "<"), (">", ">")]
    var sides: [ArraySlice<UInt8>] = []
    var signs: [String] = []
    var start = text.startIndex
    for position in text.topLevelPositions {
      guard position >= start,
        let (form, sign) = forms.first(where: { text[position...].starts(with: $0.0.utf8) }),
        !text[position...].starts(with: "\\left".utf8)
      else { continue }
      sides.append(text[start..<position])
      signs.append(sign)
      start = position + form.utf8.count
    }
    guard !signs.isEmpty, signs.count <= 4 else { return nil }
    sides.append(text[start...])
    if let interval = interval(sides, signs) { return interval }
    guard signs.allSatisfy({ $0.hasPrefix(">") }) else {
      return .inequality(sides: sides, signs: signs)
    }
    return .inequality(
      sides: sides.reversed(), signs: signs.reversed().map { "<" + $0.dropFirst() })
  }

  /// `a < x \le b` as the interval `(a, b]`, and `x > a` as `(a, \infty)`.
  private static func interval(
    _ sides: [ArraySlice<UInt8>], _ signs: [String]
  ) -> MathAnswer? {
    guard signs.allSatisfy({ $0.first == signs[0].first }) else { return nil }
    var (sides, signs) = (sides, signs)
    if signs[0].hasPrefix(">") { (sides, signs) = (sides.reversed(), signs.reversed()) }
    let isStrict = signs.map { $0.count == 1 }
    let infinity = Array("\\infty".utf8)[...]
    let (open, close) = (UInt8(ascii: "("), UInt8(ascii: ")"))
    let (closedOpen, closedClose) = (UInt8(ascii: "["), UInt8(ascii: "]"))
    if sides.count == 3, isName(sides[1]), !isName(sides[0]), !isName(sides[2]) {
      return .tuple(
        open: isStrict[0] ? open : closedOpen, close: isStrict[1] ? close : closedClose,
        [.expression(sides[0]), .expression(sides[2])])
    }
    guard sides.count == 2, isName(sides[0]) != isName(sides[1]) else { return nil }
    if isName(sides[0]) {
      return .tuple(
        open: open, close: isStrict[0] ? close : closedClose,
        [.expression([UInt8(ascii: "-")] + infinity), .expression(sides[1])])
    }
    return .tuple(
      open: isStrict[0] ? open : closedOpen, close: close,
      [.expression(sides[0]), .expression(infinity)])
  }
}
