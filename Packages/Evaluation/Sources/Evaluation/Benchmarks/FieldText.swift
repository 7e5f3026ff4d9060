import Foundation

/// What is taken out of texts of a data set.
public enum TextCleaning: String, Sendable, Hashable, Codable, CaseIterable {
  /// Marks of WikiHow: ` [title]` is a full stop, other brackets and doubled blanks go.
  case wikihow

  /// The text without it.
  func callAsFunction(_ text: String) -> String {
    var text = text.trimmingCharacters(in: .whitespacesAndNewlines)
      .replacingOccurrences(of: " [title]", with: ". ")
    text = text.replacingOccurrences(of: "\\[.*?\\]", with: "", options: .regularExpression)
    return text.replacingOccurrences(of: "  ", with: " ")
  }
}

/// A text made of several fields of a row: `{path}` stands for a field, `{path|capitalized}` for
/// one whose first letter alone is upper case, `{path|trimmed}` for one without white space around
/// it, `{path|python}` for one as a literal of Python. `{*}` is the whole row as its file has it.
struct FieldText {
  /// Changes a field's text.
  private enum Filter: String {
    case capitalized, trimmed, python

    func callAsFunction(_ text: String) -> String {
      switch self {
      case .capitalized: text.prefix(1).uppercased() + text.dropFirst().lowercased()
      case .trimmed: text.trimmingCharacters(in: .whitespacesAndNewlines)
      case .python: Self.literal(text)
      }
    }

    /// A text within quotes that Python reads as that text.
    private static func literal(_ text: String) -> String {
      var literal = "\""
      for scalar in text.unicodeScalars {
        switch scalar {
        case "\\", "\"": literal += "\\\(scalar)"
        case "\0"..<" ", "\u{7F}", "\u{85}", "\u{2028}", "\u{2029}":
          literal += String(format: "\\u%04x", scalar.value)
        default: literal.unicodeScalars.append(scalar)
        }
      }
      return literal + "\""
    }
  }

  /// The path of the row itself.
  static let wholeRow = "*"

  /// The text with its places.
  let template: String

  /// Whether there are any places; a text without is a field's path itself.
  var isTemplate: Bool { template.contains("{") }

  /// The paths of the fields that it is made of, or that it is itself; not the row's.
  var paths: [String] {
    guard isTemplate else { return [template] }
    var paths: [String] = []
    _ = try? callAsFunction { (path) throws(EvaluationError) in
      paths.append(path)
      return ""
    }
    return paths.filter { $0 != Self.wholeRow }
  }

  /// The text of a row.
  ///
  /// - Parameter field: The text of the field at a path.
  /// - Returns: The text with its places filled.
  /// - Throws: What `field` throws.
  func callAsFunction(
    _ field: (String) throws(EvaluationError) -> String
  ) throws(EvaluationError) -> String {
    var text = ""
    var rest = template[...]
    while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
      text += rest[..<open]
      let parts = rest[rest.index(after: open)..<close].split(separator: "|", maxSplits: 1)
      let value = try field(parts.first.map(String.init) ?? "")
      let filter = parts.dropFirst().first.flatMap { Filter(rawValue: String($0)) }
      text += filter.map { $0(value) } ?? value
      rest = rest[rest.index(after: close)...]
    }
    return text + rest
  }
}
