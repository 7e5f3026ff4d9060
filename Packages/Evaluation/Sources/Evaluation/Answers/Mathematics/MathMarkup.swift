/// Formulas in MathML, as pages of the web hold them, in LaTeX.
enum MathMarkup {
  /// Longer formulas stay as they are.
  private static let longest = 10_000
  /// Elements nested more deeply make a formula that stays as it is.
  private static let deepest = 40

  /// The text with each `<math>...</math>` in LaTeX, as far as its elements are known.
  static func inLatex(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    guard text.contains("<math") else { return text }
    var result: [UInt8] = []
    var rest = text
    while let open = rest.firstRange(of: "<math".utf8),
      let close = rest[open.upperBound...].firstRange(of: "</math>".utf8)
    {
      let formula = rest[open.lowerBound..<close.upperBound]
      result += rest[..<open.lowerBound]
      result += latex(formula).map { Array($0.utf8) } ?? Array(formula)
      rest = rest[close.upperBound...]
    }
    return (result + rest)[...]
  }

  private static func latex(_ formula: ArraySlice<UInt8>) -> String? {
    guard formula.count <= longest else { return nil }
    var reader = Reader(rest: Substring(String(decoding: formula, as: UTF8.self)))
    return reader.element(depth: 0)
  }

  /// Reads elements one after the other.
  private struct Reader {
    var rest: Substring

    /// The next element in LaTeX; nil for one that is not known or not closed.
    mutating func element(depth: Int) -> String? {
      skipBlanks()
      guard depth < deepest, rest.first == "<", let end = rest.firstIndex(of: ">") else {
        return nil
      }
      let tag = rest[rest.index(after: rest.startIndex)..<end]
      rest = rest[rest.index(after: end)...]
      let name = String(tag.prefix { !$0.isWhitespace && $0 != "/" })
      if tag.hasSuffix("/") { return ["mspace", "mprescripts", "none"].contains(name) ? " " : nil }
      if ["mn", "mi", "mo", "mtext", "ms", "annotation", "mspace"].contains(name) {
        return leaf(name)
      }
      var children: [String] = []
      while !takesEnd(of: name) {
        guard let child = element(depth: depth + 1) else { return nil }
        children.append(child)
      }
      return joined(name, children)
    }

    private mutating func leaf(_ name: String) -> String? {
      guard let end = rest.firstIndex(of: "<") else { return nil }
      var text = String(rest[..<end])
      rest = rest[end...]
      guard takesEnd(of: name) else { return nil }
      if name == "annotation" || name == "mspace" { return "" }
      for (entity, sign) in entities { text = text.replacing("&\(entity);", with: sign) }
      text = text.filter { !$0.isWhitespace || name == "mtext" }
      if name == "mtext" || name == "ms" { return "\\text{\(text)}" }
      let isFunction = LatexFunction.allCases.contains { $0.rawValue == text }
      return isFunction ? "\\\(text) " : text
    }

    private mutating func takesEnd(of name: String) -> Bool {
      skipBlanks()
      guard rest.hasPrefix("</\(name)>") else { return false }
      rest = rest.dropFirst(name.count + 3)
      return true
    }

    private mutating func skipBlanks() { rest = rest.drop(while: \.isWhitespace) }
  }

  private static func joined(_ name: String, _ parts: [String]) -> String? {
    switch (name, parts.count) {
    case ("math", _), ("mrow", _), ("mstyle", _), ("semantics", _), ("mpadded", _), ("mtd", _):
      parts.joined()
    case ("msqrt", _): "\\sqrt{\(parts.joined())}"
    case ("mfenced", _): "(\(parts.joined(separator: ",")))"
    case ("mfrac", 2): "\\frac{\(parts[0])}{\(parts[1])}"
    case ("mroot", 2): "\\sqrt[\(parts[1])]{\(parts[0])}"
    case ("msup", 2): "{\(parts[0])}^{\(parts[1])}"
    case ("msub", 2), ("munder", 2): "\(parts[0])_{\(parts[1])}"
    case ("msubsup", 3), ("munderover", 3): "\(parts[0])_{\(parts[1])}^{\(parts[2])}"
    case ("mtr", _): parts.joined(separator: "&")
    case ("mtable", _): "\\begin{matrix}\(parts.joined(separator: "\\\\"))\\end{matrix}"
    default: nil
    }
  }

  private static let entities = [
    ("InvisibleTimes", ""), ("ApplyFunction", ""), ("minus", "-"), ("plus", "+"), ("times", "×"),
    ("sdot", "·"), ("pi", "π"), ("infin", "∞"), ("le", "≤"), ("ge", "≥"), ("ne", "≠"), ("lt", "<"),
    ("gt", ">"), ("theta", "θ"), ("alpha", "α"), ("beta", "β"), ("nbsp", " "), ("amp", "&"),
    ("plusmn", "±"), ("isin", "∈"), ("cup", "∪"), ("deg", "°"),
  ]
}
