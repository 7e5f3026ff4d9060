/// Lists of texts as Python's `repr` writes them: `['a', "b's"]`.
enum PythonList {
  /// The texts; nil for anything else.
  static func texts(_ literal: String) -> [String]? {
    var rest = literal.unicodeScalars[...]
    skipBlanks(&rest)
    guard rest.popFirst() == "[" else { return nil }
    var texts: [String] = []
    while true {
      skipBlanks(&rest)
      if rest.first == "]" { break }
      guard let text = text(&rest) else { return nil }
      texts.append(text)
      skipBlanks(&rest)
      if rest.first == "," { rest.removeFirst() } else if rest.first != "]" { return nil }
    }
    rest.removeFirst()
    skipBlanks(&rest)
    return rest.isEmpty ? texts : nil
  }

  private static func skipBlanks(_ rest: inout String.UnicodeScalarView.SubSequence) {
    while rest.first?.properties.isWhitespace == true { rest.removeFirst() }
  }

  /// One text in single or double quotes.
  private static func text(_ rest: inout String.UnicodeScalarView.SubSequence) -> String? {
    guard let quote = rest.popFirst(), quote == "'" || quote == "\"" else { return nil }
    var text = String.UnicodeScalarView()
    while let scalar = rest.popFirst() {
      if scalar == quote { return String(text) }
      guard scalar == "\\" else {
        text.append(scalar)
        continue
      }
      switch rest.popFirst() {
      case "n": text.append("\n")
      case "t": text.append("\t")
      case "r": text.append("\r")
      case .some(let escaped): text.append(escaped)
      case nil: return nil
      }
    }
    return nil
  }
}
